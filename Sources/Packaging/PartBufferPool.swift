package import NIOCore
import Synchronization

/// The memory of parts that left the window, for the parts to come.
///
/// A part of a 50 Mbit/s stream is 2 MB: fresh from the kernel, that is 500 page faults, which cost
/// more than demultiplexing it. One stream has one pool, between its store and its packager.
/// Bound: `limitBytes`, and twice what came back last: the oldest goes to the allocator, and so does
///        what is small.
/// Threads: any. A buffer that a viewer still reads may be given back: its bytes are left alone, and
///          who takes it gets fresh memory.
package final class PartBufferPool: Sendable {
    private static let limitBytes = 64 << 20
    /// The allocator reuses what is smaller by itself.
    private static let smallBytes = 128 << 10

    private let free = Mutex<[ByteBuffer]>([])

    package init() {}

    /// Of what is there to be taken.
    package var heldBytes: Int {
        free.withLock { Self.capacity(of: $0) }
    }

    /// An empty buffer with room for `capacity` bytes.
    package func take(capacity: Int) -> ByteBuffer {
        // Changed in place: a second reference would make `clear` take fresh memory.
        var recycled = free.withLock { free in
            free.lastIndex { $0.capacity >= capacity && $0.capacity / 4 < capacity }
                .map { free.remove(at: $0) }
        }
        recycled?.clear(minimumCapacity: capacity)
        // Capacities are powers of two: with room for a larger part, parts of about one fit each other.
        return recycled ?? ByteBufferAllocator().buffer(capacity: capacity + capacity / 4)
    }

    package func give(back buffers: [ByteBuffer]) {
        let large = buffers.filter { $0.capacity >= Self.smallBytes }
        guard !large.isEmpty else { return }
        // A segment's parts come back at once and the next segment takes about as many.
        let limit = min(2 * Self.capacity(of: large), Self.limitBytes)
        free.withLock { free in
            free += large
            var heldBytes = Self.capacity(of: free)
            while heldBytes > limit { heldBytes -= free.removeFirst().capacity }
        }
    }

    private static func capacity(of buffers: [ByteBuffer]) -> Int {
        buffers.reduce(0) { $0 + $1.capacity }
    }
}
