import Foundation

/// Reads a program's output on a thread of its own, to its end.
///
/// A dispatch source on the pipe would have to be gone before its descriptor is closed, which a
/// program that ends at any moment makes hard to order; a blocking read has nothing to order.
enum PipeReader {
    /// `onData` gets what came, and once, at the end, nothing.
    static func read(_ pipe: Pipe, onData: @escaping @Sendable (Data) -> Void) {
        let descriptor = dup(pipe.fileHandleForReading.fileDescriptor)
        Thread.detachNewThread {
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            var data = Data()
            repeat {
                data = file.availableData
                onData(data)
            } while !data.isEmpty
        }
    }
}
