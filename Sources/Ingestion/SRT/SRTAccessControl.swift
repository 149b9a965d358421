import CSRT
import Logging
import Media
import Synchronization

/// Decides, while a caller's handshake is under way, whether it may publish.
///
/// Threads: the listen callback runs on libsrt's receive threads, which carry the media of everybody
///          else: it answers from memory. `takeAdmitted` and `sweep` are called by the threads that
///          accept.
/// Bound: at most `admittedLimit` callers are between the callback and their acceptance.
final class SRTAccessControl: Sendable {
    struct Admitted {
        let request: PublishRequest
        let terms: PublishTerms
    }

    private static let admittedLimit = 1024

    let admission: any StreamAdmission
    let counters: SRTListenerCounters
    private let maxConnections: Int
    private let logger: Logger
    private let admitted = Mutex<[SRTSOCKET: Admitted]>([:])
    private let refusals = RefusalLog()
    private let stop: StopFlag

    init(
        admission: any StreamAdmission,
        maxConnections: Int,
        counters: SRTListenerCounters,
        stop: StopFlag,
        logger: Logger
    ) {
        self.admission = admission
        self.maxConnections = maxConnections
        self.counters = counters
        self.stop = stop
        self.logger = logger
    }

    /// The hook of `srt_listen_callback`; its context is an unretained `SRTAccessControl`.
    static let listenCallback:
        @convention(c) (
            UnsafeMutableRawPointer?, SRTSOCKET, Int32, UnsafePointer<sockaddr>?,
            UnsafePointer<CChar>?
        ) -> Int32 = { context, socket, _, address, streamID in
            guard let context, let address, let peer = SRTPeer(address) else { return -1 }
            let accessControl = Unmanaged<SRTAccessControl>.fromOpaque(context)
                .takeUnretainedValue()
            let text = streamID.map { String(validatingCString: $0) ?? "#!" } ?? ""
            guard let refusal = accessControl.decide(socket: socket, peer: peer, streamID: text)
            else { return 0 }
            srt_setrejectreason(socket, refusal.srtRejectCode)
            return -1
        }

    /// - Returns: Why the caller is turned away; `nil` lets it in.
    private func decide(
        socket: SRTSOCKET,
        peer: SRTPeer,
        streamID text: String
    ) -> PublishRefusal? {
        do throws(SRTStreamID.Problem) {
            let streamID = try SRTStreamID(text)
            let request = PublishRequest(
                name: streamID.name,
                user: streamID.user,
                sourceAddress: peer.address,
                sourcePort: peer.port,
                transport: .srtListener
            )
            return decide(socket: socket, request: request)
        } catch {
            refuse(error.refusal, stream: text, peer: peer, cure: error.cure)
            return error.refusal
        }
    }

    private func decide(socket: SRTSOCKET, request: PublishRequest) -> PublishRefusal? {
        do throws(PublishRefusal) {
            guard !stop.isRaised else { throw .shuttingDown }
            guard counters.connections < maxConnections else { throw .full }
            let terms = try admission.admit(request)
            let isNoted = admitted.withLock { admitted in
                guard admitted.count < Self.admittedLimit else { return false }
                admitted[socket] = Admitted(request: request, terms: terms)
                return true
            }
            guard isNoted else { throw .full }
            guard let passphrase = terms.passphrase else { return nil }
            // A passphrase that libsrt does not take must not let the caller in without any.
            guard SRTSocket.set(SRTO_PASSPHRASE, passphrase, of: socket) == 0 else {
                _ = takeAdmitted(socket)
                throw .wrongPassphrase
            }
            return nil
        } catch {
            refuse(error, request)
            return error
        }
    }

    /// The caller of a connection that now stands; `nil` when it was not admitted here.
    func takeAdmitted(_ socket: SRTSOCKET) -> Admitted? {
        admitted.withLock { $0.removeValue(forKey: socket) }
    }

    /// Finds the callers that were let in by the callback and then failed in libsrt's handshake,
    /// which is where a wrong passphrase shows.
    func sweep() {
        let failed = admitted.withLock { admitted -> [SRTSOCKET: Admitted] in
            guard !admitted.isEmpty else { return [:] }
            let failed = admitted.filter { socket, _ in
                srt_getsockstate(socket).rawValue >= SRTS_BROKEN.rawValue
            }
            for socket in failed.keys { admitted[socket] = nil }
            return failed
        }
        for (socket, caller) in failed {
            let hasPassphrase = caller.terms.passphrase != nil
            switch SRTLibrary.takeSetupFailure(of: socket) {
            case .unsecure:
                refuse(hasPassphrase ? .passphraseRequired : .passphraseNotExpected, caller.request)
            case .badSecret:
                refuse(.wrongPassphrase, caller.request)
            case nil where hasPassphrase:
                refuse(.wrongPassphrase, caller.request)
            case .other, nil:
                logger.debug(
                    "SRT handshake failed",
                    metadata: ["stream": "\(caller.request.name)"]
                )
            }
        }
    }

    /// Counts a refusal and logs it.
    func refuse(_ refusal: PublishRefusal, _ request: PublishRequest) {
        refuse(
            refusal,
            stream: request.name.description,
            peer: SRTPeer(address: request.sourceAddress, port: request.sourcePort),
            cure: refusal.cure
        )
    }

    private func refuse(_ refusal: PublishRefusal, stream: String, peer: SRTPeer, cure: String) {
        counters.refused(refusal)
        let line = refusals.line(
            refusal,
            stream: stream,
            host: peer.address,
            port: peer.port,
            cure: cure
        )
        if let line { logger.warning("SRT publisher refused", metadata: line) }
    }
}
