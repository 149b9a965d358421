import CNgtcp2
import Glibc
import NIOCore

/// The datagrams that one turn of an event loop sends, one after the other in one buffer.
///
/// Datagrams of one length for one peer leave as one write, which the kernel (or the network card)
/// cuts: generic segmentation offload, half the CPU a byte. A run ends with the first shorter datagram;
/// a longer one, a probe for a larger MTU, begins another.
/// Bound: `capacity` bytes, then they are sent; what a full socket does not take, NIO keeps, and the
///        endpoint stops as the channel says it is not writable.
final class DatagramBurst {
    /// Of one write: what a UDP datagram of IPv4 can hold, and what the kernel cuts at most.
    private static let maxRunBytes = 65_507
    private static let maxRunSegments = 64
    private static let capacity = 256 * 1024
    /// No datagram of ours is longer.
    static let maxDatagramBytes = 1_500
    /// What every path carries (RFC 9000, 14).
    static let leastMaxDatagramBytes = Int(NGTCP2_MAX_UDP_PAYLOAD_SIZE)

    private struct Run {
        let range: Range<Int>
        let segmentBytes: Int
        let segments: Int
        let address: SocketAddress
        let isIPv6: Bool
        let congestion: UInt32
    }

    /// The run that grows; numbers only, as it changes with each datagram.
    private struct OpenRun {
        let start: Int
        let segmentBytes: Int
        let congestion: UInt32
        var bytes: Int
        var segments = 1
        /// Shorter datagrams are the last of their run.
        var isFull = false
    }

    private var buffer = ByteBuffer()
    private var runs: [Run] = []
    private var open: OpenRun?
    /// Where the open run goes.
    private var target: SocketAddress?
    private var offload = System.supportsUDPSegmentationOffload

    var isFull: Bool { buffer.readableBytes > Self.capacity - Self.maxDatagramBytes }

    /// Lets `body` write one datagram of at most `capacity` bytes.
    ///
    /// - Returns: What `body` does: the length of the datagram, for `append`, or nothing to append.
    func withSpace(
        _ capacity: Int = maxDatagramBytes,
        _ body: (UnsafeMutablePointer<UInt8>, _ capacity: Int) -> Int
    ) -> Int {
        buffer.reserveCapacity(minimumWritableBytes: capacity)
        return buffer.withUnsafeMutableWritableBytes { space in
            guard let base = space.baseAddress else { return 0 }
            return body(base.assumingMemoryBound(to: UInt8.self), capacity)
        }
    }

    /// The datagrams that follow go where `path` leads.
    func aim(at path: QUICPath) { aim(at: path.address) }

    func aim(at address: SocketAddress) {
        closeRun()
        target = address
    }

    /// The datagram in the space has `count` bytes, and goes with this mark (RFC 3168) on it.
    func append(_ count: Int, congestion: UInt32) {
        let start = buffer.writerIndex
        buffer.moveWriterIndex(forwardBy: count)
        if var run = open, offload, !run.isFull, count <= run.segmentBytes,
            run.segments < Self.maxRunSegments, run.bytes + count <= Self.maxRunBytes,
            run.congestion == congestion
        {
            run.bytes += count
            run.segments += 1
            run.isFull = count < run.segmentBytes
            open = run
            return
        }
        closeRun()
        open = OpenRun(start: start, segmentBytes: count, congestion: congestion, bytes: count)
    }

    private func closeRun() {
        guard let run = open, let target else { return }
        open = nil
        runs.append(
            Run(
                range: run.start..<run.start + run.bytes,
                segmentBytes: run.segmentBytes,
                segments: run.segments,
                address: target,
                isIPv6: target.protocol == .inet6,
                congestion: run.congestion
            )
        )
    }

    /// Hands everything to the channels and empties this.
    func send(on sockets: [QUICSocket]) {
        closeRun()
        guard !runs.isEmpty else { return }
        for socket in sockets {
            var isWritten = false
            for run in runs where run.isIPv6 == socket.isIPv6 {
                write(run, to: socket)
                isWritten = true
            }
            if isWritten { socket.channel.flush() }
        }
        runs.removeAll(keepingCapacity: true)
        // A new buffer only where a socket still holds slices of this one.
        buffer.clear(minimumCapacity: Self.capacity)
    }

    private func write(_ run: Run, to socket: QUICSocket) {
        guard let bytes = buffer.getSlice(at: run.range.lowerBound, length: run.range.count) else {
            return
        }
        let isCut = run.segments > 1
        let envelope = AddressedEnvelope(
            remoteAddress: run.address,
            data: bytes,
            metadata: .init(
                ecnState: NIOExplicitCongestionNotificationState(run.congestion),
                packetInfo: nil,
                segmentSize: isCut ? run.segmentBytes : nil
            )
        )
        socket.channel.write(envelope, promise: isCut && !socket.hasCut ? trial(on: socket) : nil)
    }

    /// Some interfaces cannot cut: the kernel refuses, the socket is lost, and from then on each datagram is a
    /// write.
    private func trial(on socket: QUICSocket) -> EventLoopPromise<Void> {
        let promise = socket.channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success: socket.hasCut = true
            case .failure(let error):
                if (error as? IOError)?.errnoCode == EIO { self.offload = false }
            }
        }
        return promise
    }
}
