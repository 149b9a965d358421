import Media

/// What a merge of legs tells a session, and wants to know of it.
extension RTPSession {
    /// Every leg is past this packet of a stream; those behind it may come yet.
    mutating func setPassed(
        _ number: UInt16,
        of ssrc: UInt32,
        _ medium: Int?,
        at now: WallTime
    ) {
        guard let index = index(of: ssrc, medium) else { return }
        streams[index].setPassed(number, at: now)
    }

    func carries(_ ssrc: UInt32, _ medium: Int?) -> Bool {
        index(of: ssrc, medium).map { streams[$0].isCarried } ?? false
    }
}
