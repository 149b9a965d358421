import CSRT
import Glibc

/// An IPv4 or IPv6 address with its port, as the socket calls want it.
struct SocketAddress {
    private var storage: sockaddr_storage
    private let length: Int

    var family: Int32 { Int32(storage.ss_family) }

    /// The addresses of a host, numeric or by name, in the order the system prefers.
    ///
    /// Blocks while the name is looked up.
    static func resolve(host: String, port: Int) throws(SRTError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = status == 0 ? list : nil
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr,
                Int(entry.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size
            else { continue }
            addresses.append(SocketAddress(copying: address, length: Int(entry.ai_addrlen)))
        }
        guard !addresses.isEmpty else {
            throw SRTError(
                code: .badAddress,
                operation: "looking up the address \(host)",
                reason: status == 0 ? "it has none" : String(cString: gai_strerror(status))
            )
        }
        return addresses
    }

    private init(copying address: UnsafePointer<sockaddr>, length: Int) {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: length))
        }
        self.storage = storage
        self.length = length
    }

    var port: Int { peer?.port ?? 0 }

    var peer: SRTPeer? {
        withSocketAddress { address, _ in SRTPeer(address) }
    }

    mutating func setPort(_ port: UInt16) {
        // sin_port and sin6_port are at the same place: two bytes behind the family.
        withUnsafeMutableBytes(of: &storage) {
            $0.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        }
    }

    func withSocketAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, Int32) -> Result
    ) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, Int32(length)) }
        }
    }
}
