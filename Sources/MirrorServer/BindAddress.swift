import Glibc

/// The address to listen on, where a machine without IPv6 cannot listen on `::`.
enum BindAddress {
    /// - Returns: `0.0.0.0` for `::` where the kernel has no IPv6, else the address itself.
    static func usable(_ address: String) -> String {
        guard address == "::" else { return address }
        let socket = Glibc.socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
        guard socket >= 0 else { return "0.0.0.0" }
        close(socket)
        return address
    }
}
