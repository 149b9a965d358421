import Glibc
@_spi(CustomByteBufferAllocator) package import NIOCore

extension ByteBuffer {
    /// An empty buffer with room for `exactCapacity` bytes and not one more.
    ///
    /// `ByteBufferAllocator` rounds up to a power of two. Media stays in memory for a whole window, where
    /// that would be a third more of it.
    package init(exactCapacity: Int) {
        guard exactCapacity > 0, let memory = malloc(exactCapacity) else {
            self = ByteBufferAllocator().buffer(capacity: exactCapacity)
            return
        }
        // The allocator's own memory is of `malloc` as well: it may grow and free this.
        self.init(
            takingOwnershipOf: UnsafeMutableRawBufferPointer(start: memory, count: exactCapacity),
            allocator: ByteBufferAllocator(),
            writerIndex: 0
        )
    }
}
