/// The picture under construction out of the fragments of an RTP stream.
///
/// The units lie one after another in one buffer, which is reused: what comes in is copied once.
/// Damage: a picture of which a byte is missing is not used, because decoders smear what is left.
/// Bound:  `limitBytes` and `unitLimit`; the buffer grows to the largest picture.
struct RTPPictureAssembly: Sendable {
    private static let initialBytes = 64 << 10
    private static let limitBytes = 16 << 20
    /// As `VideoBitstreamParser` would take of a byte stream.
    private static let unitLimit = 4096

    /// Of the picture under way; `nil` between pictures.
    private(set) var timestamp: UInt32?
    private(set) var isDamaged = false
    /// The places of the complete units in `buffer`.
    private(set) var units: [Range<Int>] = []
    /// Its first bytes are the picture; the rest is left over.
    private(set) var buffer: [UInt8] = []

    private var count = 0
    /// Where the unit begins whose last fragment is not here.
    private var openStart: Int?
    /// Packets were lost since the last picture ended, or no picture was seen yet.
    private var mayLackHead = true

    /// Whether the picture has all that was begun.
    var isWhole: Bool { !isDamaged && openStart == nil && !units.isEmpty }

    /// Packets are missing before the next.
    mutating func lose() {
        if timestamp != nil { isDamaged = true }
        mayLackHead = true
    }

    /// A packet of the picture cannot be read.
    mutating func damage(at timestamp: UInt32) {
        self.timestamp = timestamp
        isDamaged = true
        mayLackHead = false
    }

    /// Takes a fragment of the picture at `timestamp`, which is that of the picture under way when
    /// there is one.
    mutating func append(_ fragment: RTPFragment, of payload: Span<UInt8>, timestamp: UInt32) {
        if self.timestamp == nil {
            self.timestamp = timestamp
            isDamaged = mayLackHead && !(fragment.isFirst && fragment.canBeginPicture)
        }
        mayLackHead = false
        guard !isDamaged else { return }
        let size = fragment.headerCount + fragment.bytes.count
        guard fragment.isFirst == (openStart == nil), units.count < Self.unitLimit,
            count + size <= Self.limitBytes
        else {
            isDamaged = true
            return
        }
        if fragment.isFirst { openStart = count }
        reserve(size)
        if fragment.headerCount == 2 { put(UInt8(fragment.header >> 8)) }
        if fragment.headerCount > 0 { put(UInt8(truncatingIfNeeded: fragment.header)) }
        copy(payload.extracting(fragment.bytes))
        if fragment.isLast, let start = openStart {
            units.append(start..<count)
            openStart = nil
        }
    }

    /// Makes room for the next picture.
    mutating func clear() {
        timestamp = nil
        isDamaged = false
        openStart = nil
        count = 0
        units.removeAll(keepingCapacity: true)
    }

    private mutating func put(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    private mutating func copy(_ bytes: Span<UInt8>) {
        let count = count
        buffer.withUnsafeMutableBytes { buffer in
            bytes.bytes.withUnsafeBytes { bytes in
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                room.copyMemory(from: bytes)
            }
        }
        self.count += bytes.count
    }

    private mutating func reserve(_ size: Int) {
        guard count + size > buffer.count else { return }
        let target = min(max(Self.initialBytes, (count + size) * 2), Self.limitBytes)
        buffer.append(contentsOf: repeatElement(0, count: target - buffer.count))
    }
}
