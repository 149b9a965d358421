import FoundationEssentials
import Glibc

/// What the kernel says of this process.
///
/// Source: proc(5).
struct ProcessStatistics {
    var cpuSeconds: Double
    var residentBytes: Double
    var virtualBytes: Double
    var threads: Double
    var startTimeSeconds: Double
    var openFileDescriptors: Double
    var maximumFileDescriptors: Double

    /// - Returns: `nil` where there is no /proc, or it reads otherwise than proc(5) says.
    static func current() -> ProcessStatistics? {
        guard let stat = text(of: "/proc/self/stat"),
            // The second field is the program's name in parentheses, which may hold anything.
            let nameEnd = stat.lastIndex(of: ")"),
            let bootTime = bootTimeSeconds()
        else { return nil }
        // Field n of proc(5), counted from 1, is at index n - 3 here.
        let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
            .map { Double($0) ?? 0 }
        guard fields.count > 21 else { return nil }
        let ticks = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
        let pageBytes = Double(max(sysconf(Int32(_SC_PAGESIZE)), 1))
        let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return ProcessStatistics(
            cpuSeconds: (fields[11] + fields[12]) / ticks,
            residentBytes: fields[21] * pageBytes,
            virtualBytes: fields[20],
            threads: fields[17],
            startTimeSeconds: bootTime + fields[19] / ticks,
            openFileDescriptors: Double(descriptors?.count ?? 0),
            maximumFileDescriptors: Double(limit.rlim_cur)
        )
    }

    private static func bootTimeSeconds() -> Double? {
        text(of: "/proc/stat")?.split(separator: "\n")
            .first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst(6)) }
    }

    private static func text(of path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }
}
