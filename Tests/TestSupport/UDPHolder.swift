import Glibc

/// Holds a UDP port of this machine, so that nobody else gets it.
package struct UDPHolder {
    package struct Taken: Error {}

    private let descriptor: Int32

    package init(of port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in.loopback(port)
        let descriptor = descriptor
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            Glibc.close(descriptor)
            throw Taken()
        }
    }

    package func close() {
        Glibc.close(descriptor)
    }
}
