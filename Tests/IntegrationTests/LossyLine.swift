import Foundation
import Synchronization
import TestSupport

/// A bad line from one SRT caller to a listener on this machine.
///
/// What goes wrong follows from the sequence numbers of data packets, so it goes wrong in every run:
/// of each 50 one never arrives, one arrives when it is sent again, and one claims to be encrypted
/// with a key that was never agreed.
///
/// Source: draft-sharabayko-srt-01, 3.1 (data packets: sequence number, KK and R).
final class LossyLine: Sendable {
    struct PortTaken: Error {
        let port: Int
    }

    /// Where the caller sends to.
    let port: Int

    private let isOver = Mutex(false)

    init(to listener: Int) throws {
        port = FreePort.udp
        let near = try Self.bind(port)
        let far = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        Thread.detachNewThread { [self] in
            var caller = Self.loopback(0)
            while !isOver.withLock({ $0 }) {
                var ready = [near, far].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                guard poll(&ready, 2, 100) > 0 else { continue }
                if ready[0].revents != 0, let (bytes, sender) = Self.receive(near) {
                    caller = sender
                    if let spoilt = Self.spoil(bytes) {
                        Self.send(spoilt, from: far, to: Self.loopback(listener))
                    }
                }
                if ready[1].revents != 0, let (bytes, _) = Self.receive(far) {
                    Self.send(bytes, from: near, to: caller)
                }
            }
            close(near)
            close(far)
        }
    }

    func stop() {
        isOver.withLock { $0 = true }
    }

    /// - Returns: `nil` for a packet that does not arrive.
    private static func spoil(_ packet: [UInt8]) -> [UInt8]? {
        let isData = packet.count >= 16 && packet[0] & 0x80 == 0
        guard isData else { return packet }
        let sequence = packet[..<4].reduce(0) { $0 << 8 | Int($1) }
        let isSentAgain = packet[4] & 0x04 != 0
        switch sequence % 50 {
        case 10: return nil
        case 20 where !isSentAgain: return nil
        case 30:
            var packet = packet
            // The even key becomes the odd one.
            packet[4] ^= 0x18
            return packet
        default: return packet
        }
    }

    // MARK: Sockets

    private static func bind(_ port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let result = withAddress(loopback(port)) { Glibc.bind(descriptor, $0, $1) }
        guard result == 0 else { throw PortTaken(port: port) }
        return descriptor
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func receive(_ descriptor: Int32) -> (bytes: [UInt8], sender: sockaddr_in)? {
        var bytes = [UInt8](repeating: 0, count: 2_048)
        var sender = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &sender) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &bytes, bytes.count, 0, $0, &length)
            }
        }
        return count < 0 ? nil : (Array(bytes.prefix(count)), sender)
    }

    private static func send(_ bytes: [UInt8], from descriptor: Int32, to address: sockaddr_in) {
        _ = withAddress(address) { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
    }

    private static func withAddress<Result>(
        _ address: sockaddr_in,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
