import Glibc

/// Tells a change of files that has come to rest.
package struct FileChangeDetector: Sendable {
    private var settled: [FileStamp]
    private var last: [FileStamp]

    package init(_ stamps: [FileStamp]) {
        settled = stamps
        last = stamps
    }

    /// - Returns: Whether the files differ from those last reported, and stand still.
    package mutating func look(_ stamps: [FileStamp]) -> Bool {
        defer { last = stamps }
        guard stamps == last, stamps != settled else { return false }
        settled = stamps
        return true
    }
}

/// What tells one version of a file from the next, symbolic links followed.
package struct FileStamp: Sendable, Equatable {
    package var path: String
    package var inode: UInt64 = 0
    package var size: Int64 = 0
    package var modifiedNanoseconds: Int64 = 0

    package init(path: String) {
        self.path = path
        var information = stat()
        // A file that is not there stays at zeros: that it comes back is a change.
        guard stat(path, &information) == 0 else { return }
        inode = UInt64(information.st_ino)
        size = Int64(information.st_size)
        modifiedNanoseconds =
            Int64(information.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(information.st_mtim.tv_nsec)
    }

    static func stamps(of paths: [String]) -> [FileStamp] {
        paths.map(FileStamp.init)
    }
}
