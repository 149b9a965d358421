import Glibc

/// How many files and sockets the process may have open: each viewer's connection is one.
package enum OpenFileLimit {
    /// Raises the limit in force to the highest that the operator allows.
    ///
    /// The lower one is a default for programs that cannot handle high descriptors; 1,024 is usual,
    /// and fewer than the viewers that are let in by default.
    ///
    /// - Returns: The limit in force now; `nil` when the kernel does not tell.
    package static func raise() -> UInt64? {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return nil }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        return setrlimit(resource, &limit) == 0 ? UInt64(limit.rlim_cur) : UInt64(before)
    }
}
