import Foundation

/// What the kernel charged a process.
package struct ProcessUsage: Sendable {
    package let cpu: Duration
    package let residentBytes: Int

    /// This process, from `getrusage`.
    package static var own: ProcessUsage { charged(to: RUSAGE_SELF) }

    /// Those that it ran and waited for.
    package static var children: ProcessUsage { charged(to: RUSAGE_CHILDREN) }

    private static func charged(to whom: __rusage_who) -> ProcessUsage {
        var usage = rusage()
        getrusage(__rusage_who_t(whom.rawValue), &usage)
        return ProcessUsage(
            cpu: .microseconds(
                Int64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000
                    + Int64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
            ),
            residentBytes: usage.ru_maxrss * 1_024
        )
    }

    /// Another process, from `/proc`; its CPU time comes in hundredths of a second.
    package init(of identifier: Int32) throws {
        let stat = try String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)
        // The name, in parentheses, may hold spaces: fields are counted from behind it.
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        let ticks = (Int64(fields[12]) ?? 0) + (Int64(fields[13]) ?? 0)
        cpu = .milliseconds(ticks * 10)
        residentBytes = (Int(fields[22]) ?? 0) * 4_096
    }

    private init(cpu: Duration, residentBytes: Int) {
        self.cpu = cpu
        self.residentBytes = residentBytes
    }
}
