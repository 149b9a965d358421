package import NIOCore
import Synchronization

/// The memory of parts that left the window, for the parts to come.
///
/// A part of a 50 Mbit/s stream is 2 MB: fresh from the kernel, that is 500 page faults, which cost
/// more than demultiplexing it. One stream has one pool, between its store and its packager.
/// Bound: `limitBytes`; what is over it, and what is small, goes back to the allocator.
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
        free.withLock { $0.reduce(0) { $0 + $1.capacity } }
    }

    /// An empty buffer with room for `capacity` bytes.
    package func take(capacity: Int) -> ByteBuffer {
        // Changed in place: a second reference would make `clear` take fresh memory.
        var recycled = free.withLock { free in
            free.lastIndex { $0.capacity >= capacity && $0.capacity / 4 < capacity }
                .map { free.remove(at: $0) }
        }
        recycled?.clear(minimumCapacity: capacity)
        return recycled ?? ByteBufferAllocator().buffer(capacity: capacity)
    }

    package func give(back buffers: [ByteBuffer]) {
        let large = buffers.filter { $0.capacity >= Self.smallBytes }
        guard !large.isEmpty else { return }
        free.withLock { free in
            var heldBytes = free.reduce(0) { $0 + $1.capacity }
            for buffer in large where heldBytes + buffer.capacity <= Self.limitBytes {
                heldBytes += buffer.capacity
                free.append(buffer)
            }
        }
    }
}
