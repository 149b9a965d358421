import CMalloc
import ServiceLifecycle

/// Gives freed memory back to the kernel, twice a minute.
///
/// glibc keeps what a thread has freed for that thread's next allocations, and one block that is still in
/// use keeps all that lies before it: after a rush of newcomers the process would stay as large as the
/// rush was. Asking costs less than a millisecond, and a page that is wanted again one fault.
///
/// Source: malloc_trim(3).
package struct HeapTrimmer {
    private static let pause = Duration.seconds(30)

    /// Gives back every page of every thread's heap that nothing is in.
    package static func trim() {
        malloc_trim(0)
    }
}

extension HeapTrimmer: Service {
    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                Self.trim()
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}
