import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct RTPSourceTableTests {
    private static let camera = RTPPeer(address: IPAddress(ipv4: 0xC000_0207), port: 41_000)
    private static let other = RTPPeer(address: IPAddress(ipv4: 0xC000_0208), port: 41_000)

    private static let soundAndPicture = """
        v=0
        o=- 0 0 IN IP4 192.0.2.7
        s=-
        c=IN IP4 192.0.2.1
        t=0 0
        m=video 5004 RTP/AVP 96
        a=rtpmap:96 H264/90000
        m=audio 5004 RTP/AVP 97
        a=rtpmap:97 opus/48000/2
        """

    private func table(
        _ declarations: [RTPDeclaration] = [],
        acceptsUnannounced: Bool = true,
        _ change: (inout RTPSourceTable.Limits) -> Void = { _ in }
    ) -> RTPSourceTable {
        var limits = RTPSourceTable.Limits()
        change(&limits)
        return RTPSourceTable(
            declarations: declarations,
            acceptsUnannounced: acceptsUnannounced,
            idleTimeout: .seconds(5),
            limits: limits
        )
    }

    private func declaration(
        _ name: String,
        _ change: (inout RTPDeclaration) throws -> Void = { _ in }
    ) throws -> RTPDeclaration {
        var declaration = RTPDeclaration(stream: try #require(StreamName(name)))
        try change(&declaration)
        return declaration
    }

    /// Two packets of a sender, and what the table makes of the second.
    private func introduce(
        _ sender: inout RTPTestSource,
        from peer: RTPPeer = camera,
        to table: inout RTPSourceTable,
        at milliseconds: Int64 = 0
    ) throws -> RTPSourceTable.Verdict {
        _ = try table.take(sender.next(), from: peer, at: milliseconds)
        return try table.take(sender.next(), from: peer, at: milliseconds)
    }

    @Test func aSourceOpensASessionOnceTwoOfItsPacketsFollowEachOther() throws {
        var table = table()
        var sender = RTPTestSource(ssrc: 77, payloadType: 33)
        #expect(try table.take(sender.next(), from: Self.camera, at: 0).isPending)
        let opening = try #require(try table.take(sender.next(), from: Self.camera, at: 1).opening)
        #expect(opening.name.description == "rtp-77")
        #expect(opening.source.peer == Self.camera)
        #expect(opening.declaration == nil)
        #expect(opening.datagrams.count == 2)
        guard case .media(let media) = opening.content else {
            Issue.record("not media")
            return
        }
        #expect(media.first?.payloads[33]?.encoding == .mpegTS)
        let third = try table.take(sender.next(), from: Self.camera, at: 2)
        #expect(third.session == opening.session)
    }

    @Test func correctionIsForTheOnlySessionOfItsAddressOrThatOfItsSSRC() throws {
        var table = table()
        #expect(table.session(ofCorrectionFrom: 0, at: Self.camera.address) == nil)
        var one = RTPTestSource(ssrc: 77, payloadType: 33)
        let first = try #require(try introduce(&one, to: &table).opening).session
        #expect(table.session(ofCorrectionFrom: 0, at: Self.camera.address) == first)
        #expect(table.session(ofCorrectionFrom: 0, at: Self.other.address) == nil)
        var two = RTPTestSource(ssrc: 78, payloadType: 33)
        let second = try #require(try introduce(&two, to: &table).opening).session
        #expect(table.session(ofCorrectionFrom: 0, at: Self.camera.address) == nil)
        #expect(table.session(ofCorrectionFrom: 78, at: Self.camera.address) == second)
        #expect(table.session(ofCorrectionFrom: 78, at: Self.other.address) == nil)
    }

    @Test func portsTellMediaOfOnePayloadTypeApart() throws {
        let text = """
            v=0
            m=video 5004 RTP/AVP 96
            a=rtpmap:96 H264/90000
            m=audio 5006 RTP/AVP 96
            a=rtpmap:96 opus/48000/2
            """
        var declared = try declaration("cam") {
            $0.description = try SessionDescription(parsing: text)
        }
        declared.takeDescribedPorts(besides: 5_004)
        #expect(declared.describedPorts == [5_006])
        var table = table([declared])
        var picture = RTPTestSource(ssrc: 1, payloadType: 96)
        var sound = RTPTestSource(ssrc: 2, payloadType: 96)
        let opening = try #require(try introduce(&picture, to: &table).opening)
        #expect(opening.source.port == nil)
        _ = try table.take(sound.next(), from: Self.camera, to: 5_006, at: 0)
        let joined = try table.take(sound.next(), from: Self.camera, to: 5_006, at: 0)
        guard case .joined(let session, _) = joined else {
            Issue.record("not joined: \(joined)")
            return
        }
        #expect(session == opening.session)
        // What nobody describes does not get on air by a port that a description has opened.
        var stranger = RTPTestSource(ssrc: 3, payloadType: 33)
        _ = try table.take(stranger.next(), from: Self.other, to: 5_006, at: 0)
        let verdict = try table.take(stranger.next(), from: Self.other, to: 5_006, at: 0)
        guard case .refused(.unannounced, _) = verdict else {
            Issue.record("\(verdict)")
            return
        }
    }

    @Test func streamsOfOnePayloadTypeMayHaveAPortEach() throws {
        func described(_ name: String, port: Int) throws -> RTPDeclaration {
            let text = "v=0\nm=video \(port) RTP/AVP 96\na=rtpmap:96 H264/90000"
            var declared = try declaration(name) {
                $0.description = try SessionDescription(parsing: text)
            }
            declared.takeDescribedPorts(besides: 5_004)
            return declared
        }
        let one = try described("one", port: 5_010)
        #expect(one.conflict(with: try described("two", port: 5_012)) == nil)
        #expect(one.conflict(with: try described("two", port: 5_010)) != nil)
        #expect(one.conflict(with: try described("two", port: 5_004)) == nil)
        // A port of its own goes before.
        var own = one
        own.port = 6_000
        own.takeDescribedPorts(besides: 5_004)
        #expect(own.describedPorts == [])
    }

    @Test func strayPacketsNeverOpenASession() throws {
        var table = table()
        var sender = RTPTestSource(ssrc: 77, payloadType: 33)
        for step in 0..<50 {
            sender.sequence &+= 2_000
            #expect(try table.take(sender.next(), from: Self.camera, at: Int64(step)).isPending)
        }
        #expect(table.detections.isEmpty)
    }

    @Test func whatIsNotRecognisedIsListedWithWords() throws {
        var table = table()
        var sender = RTPTestSource(ssrc: 77, payloadType: 96)
        #expect(try introduce(&sender, to: &table).isPending)
        let detection = try #require(table.detections.first)
        #expect(detection.name.description == "rtp-77")
        #expect(detection.payloadType == 96)
        #expect(detection.packets == 2)
        #expect(detection.peer == Self.camera)
    }

    @Test func picturesAndSoundOfOneDescriptionShareASession() throws {
        let description = try SessionDescription(parsing: Self.soundAndPicture)
        let declared = try declaration("cam") { $0.description = description }
        var table = table([declared])
        var picture = RTPTestSource(ssrc: 1, payloadType: 96)
        var sound = RTPTestSource(ssrc: 2, payloadType: 97)
        let opening = try #require(try introduce(&picture, to: &table).opening)
        #expect(opening.name.description == "cam")
        #expect(opening.content == .media(description.media))
        let soundPeer = RTPPeer(address: Self.camera.address, port: 41_002)
        let joined = try introduce(&sound, from: soundPeer, to: &table)
        guard case .joined(let session, let datagrams) = joined else {
            Issue.record("not joined: \(joined)")
            return
        }
        #expect(session == opening.session)
        #expect(datagrams.count == 2)
        // A second camera of the same description asks for the name itself.
        var rival = RTPTestSource(ssrc: 3, payloadType: 96)
        let rivalOpening = try #require(
            try introduce(&rival, from: Self.other, to: &table).opening
        )
        #expect(rivalOpening.session != opening.session)
        #expect(rivalOpening.name == opening.name)
    }

    @Test func theDeclarationWithTheMostFactsThatFitNamesTheStream() throws {
        var table = table([
            try declaration("any"),
            try declaration("near") { $0.source = AddressRange("192.0.2.0/24") },
            try declaration("one") {
                $0.source = AddressRange("192.0.2.7")
                $0.ssrc = 5
            },
        ])
        let far = RTPPeer(address: IPAddress(ipv4: 0x0A00_0001), port: 1)
        let expected: [(UInt32, RTPPeer, String)] = [
            (4, Self.camera, "near"), (5, Self.camera, "one"), (5, Self.other, "near"),
            (6, far, "any"),
        ]
        for (ssrc, peer, name) in expected {
            var sender = RTPTestSource(ssrc: ssrc, payloadType: 33)
            let opening = try introduce(&sender, from: peer, to: &table).opening
            #expect(opening?.name.description == name)
        }
    }

    @Test func theUnannouncedIsRefusedOnceASecondWhereItMustNotCome() throws {
        var table = table([try declaration("cam") { $0.ssrc = 5 }], acceptsUnannounced: false)
        var stranger = RTPTestSource(ssrc: 77, payloadType: 33)
        let verdict = try introduce(&stranger, to: &table)
        guard case .refused(.unannounced, let name) = verdict else {
            Issue.record("not refused: \(verdict)")
            return
        }
        #expect(name.description == "rtp-77")
        for time in stride(from: Int64(1), to: 999, by: 10) {
            let again = try table.take(stranger.next(), from: Self.camera, at: time)
            guard case .ignored = again else {
                Issue.record("not ignored: \(again)")
                return
            }
        }
        #expect(try table.take(stranger.next(), from: Self.camera, at: 1_001).isPending)
        var declared = RTPTestSource(ssrc: 5, payloadType: 33)
        #expect(try introduce(&declared, to: &table, at: 1_002).opening != nil)
    }

    @Test func anAddressHasOnlySoManySessions() throws {
        var table = table { $0.sessionsPerAddress = 2 }
        for ssrc in UInt32(1)...2 {
            var sender = RTPTestSource(ssrc: ssrc, payloadType: 33)
            #expect(try introduce(&sender, to: &table).opening != nil)
        }
        var third = RTPTestSource(ssrc: 3, payloadType: 33)
        let verdict = try introduce(&third, to: &table)
        guard case .refused(.full, _) = verdict else {
            Issue.record("not refused: \(verdict)")
            return
        }
        #expect(try introduce(&third, from: Self.other, to: &table).opening != nil)
    }

    @Test(arguments: [true, false])
    func aFloodOfStrangersStaysBoundedAndDisturbsNobody(isOfOneAddress: Bool) throws {
        var table = table()
        var good = RTPTestSource(ssrc: 1, payloadType: 33)
        let session = try #require(try introduce(&good, to: &table).opening).session
        var random = SeededRandom(seed: 7)
        let payload = [UInt8](repeating: 0xFF, count: 1_400)
        for step in 0..<50_000 {
            let address = isOfOneAddress ? Self.other.address : IPAddress(ipv4: UInt32(step))
            let peer = RTPPeer(address: address, port: 9)
            var stranger = RTPTestSource(
                ssrc: .random(in: .min ... .max, using: &random),
                payloadType: 96
            )
            // Two in a row: each has proved to be a source, and nothing more.
            for _ in 0..<2 {
                _ = try table.take(stranger.next(payload), from: peer, at: Int64(step / 50))
            }
            if step.isMultiple(of: 100) {
                let verdict = try table.take(good.next(), from: Self.camera, at: Int64(step / 50))
                #expect(verdict.session == session)
                #expect(table.newcomerCount <= 512)
                #expect(table.heldBytes <= 32 << 20)
            }
        }
        #expect(table.newcomerCount > 0)
        // Once it is over, a newcomer comes in as ever.
        _ = table.expire(now: .after(60_000))
        #expect(table.newcomerCount == 0)
        #expect(table.heldBytes == 0)
        var newcomer = RTPTestSource(ssrc: 2, payloadType: 33)
        #expect(try introduce(&newcomer, from: Self.other, to: &table, at: 60_001).opening != nil)
    }

    @Test func whatIsHeldOfOneSourceIsBounded() throws {
        var table = table { $0.heldBytesPerSource = 10_000 }
        var sender = RTPTestSource(ssrc: 1, payloadType: 96)
        for step in 0..<1_000 {
            _ = try table.take(
                sender.next([UInt8](repeating: 0, count: 1_000)),
                from: Self.camera,
                at: Int64(step)
            )
            #expect(table.heldBytes <= 10_000)
        }
        #expect(table.heldBytes > 0)
    }

    @Test func aSessionEndsWithItsLastGoodbyeOrWhenItIsSilent() throws {
        let description = try SessionDescription(parsing: Self.soundAndPicture)
        var table = table([try declaration("cam") { $0.description = description }])
        var picture = RTPTestSource(ssrc: 1, payloadType: 96)
        var sound = RTPTestSource(ssrc: 2, payloadType: 97)
        let session = try #require(try introduce(&picture, to: &table).opening).session
        _ = try introduce(&sound, to: &table)
        #expect(table.session(ofReportFrom: 2, at: Self.camera.address) == session)
        #expect(table.session(ofReportFrom: 2, at: Self.other.address) == nil)
        // Nobody can say goodbye for another.
        #expect(table.leave(1, at: Self.other.address) == nil)
        #expect(table.leave(1, at: Self.camera.address) == nil)
        #expect(table.leave(2, at: Self.camera.address) == session)
        table.end(session)
        let next = try #require(try introduce(&picture, to: &table, at: 10).opening).session
        #expect(table.expire(now: .after(5_009)).isEmpty)
        #expect(table.expire(now: .after(5_010)) == [next])
    }

    @Test func aRefusedSessionLeavesItsSourceAloneForASecond() throws {
        var table = table()
        var sender = RTPTestSource(ssrc: 1, payloadType: 33)
        let opening = try #require(try introduce(&sender, to: &table).opening)
        table.refuse(opening.session, now: .after(0))
        guard case .ignored = try table.take(sender.next(), from: Self.camera, at: 500) else {
            Issue.record("it is looked at again at once")
            return
        }
        #expect(try introduce(&sender, to: &table, at: 1_000).opening != nil)
    }

    @Test func otherDeclarationsEndOnlyTheSessionsThatTheyAreAbout() throws {
        var table = table([try declaration("a") { $0.ssrc = 1 }])
        var first = RTPTestSource(ssrc: 1, payloadType: 33)
        var second = RTPTestSource(ssrc: 2, payloadType: 33)
        let declared = try #require(try introduce(&first, to: &table).opening)
        let unannounced = try #require(try introduce(&second, to: &table).opening)
        #expect(table.update([declared.declaration].compactMap(\.self)).isEmpty)
        let ended = table.update([
            try declaration("a") { $0.ssrc = 1 }, try declaration("b") { $0.ssrc = 2 },
        ])
        #expect(ended == [unannounced.session])
        for session in ended { table.end(session) }
        #expect(try introduce(&second, to: &table).opening?.name.description == "b")
    }

    @Test(arguments: [1_316, 1_472, 188, 7])
    func datagramsWithoutHeadersAreATransportStreamWhenTheySyncUp(size: Int) throws {
        var table = table(
            [
                try declaration("ts") {
                    $0.payload = .mpegts
                    $0.port = 7_000
                }
            ],
            acceptsUnannounced: false
        )
        let packet = [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xAA, count: 184)
        let bytes = (0..<40).flatMap { _ in packet }
        var opening: RTPSourceTable.Opening?
        for start in stride(from: 0, to: bytes.count, by: size) where opening == nil {
            let datagram = ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)])
            let verdict = table.receivePlain(datagram, from: Self.camera, arrival: .after(0))
            opening = verdict.opening
        }
        #expect(opening?.name.description == "ts")
        #expect(opening?.content == .plainTransportStream)
    }

    @Test func datagramsOfNoiseAreNoTransportStream() throws {
        var table = table([try declaration("ts") { $0.payload = .mpegts }])
        var random = SeededRandom(seed: 3)
        for _ in 0..<2_000 {
            let bytes = (0..<300).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let verdict = table.receivePlain(
                ByteBuffer(bytes: bytes),
                from: Self.camera,
                arrival: .after(0)
            )
            #expect(verdict.opening == nil)
        }
        #expect(table.detections.first?.hint.contains("0x47") ?? false)
    }
}

extension RTPTestSource {
    /// A packet of nothing in particular.
    mutating func next(_ payload: [UInt8] = [1, 2, 3]) -> ByteBuffer {
        timestamp &+= 3_000
        return packet(payload, marker: false)
    }
}

extension RTPSourceTable {
    /// Takes a datagram as the receiver of a port does.
    mutating func take(
        _ datagram: ByteBuffer,
        from peer: RTPPeer,
        to port: UInt16? = nil,
        at milliseconds: Int64
    ) throws -> Verdict {
        let packet = try RTPPacket(datagram.readableBytesUInt8Span)
        return receive(
            packet,
            datagram: datagram,
            from: peer,
            to: port,
            arrival: .after(milliseconds)
        )
    }
}

extension WallTime {
    static func after(_ milliseconds: Int64) -> WallTime {
        WallTime(microsecondsSinceEpoch: 1_700_000_000_000_000 + milliseconds * 1_000)
    }
}

extension RTPSourceTable.Verdict {
    var isPending: Bool { if case .pending = self { true } else { false } }
    var session: Int? { if case .session(let session) = self { session } else { nil } }
    var opening: RTPSourceTable.Opening? {
        if case .opening(let opening) = self { opening } else { nil }
    }
}
