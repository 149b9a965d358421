package import Media
package import NIOCore

extension RTPSourceTable {
    /// What a session carries.
    package enum Content: Sendable, Equatable {
        /// As the SDP has it, or as it was recognised.
        case media([MediaDescription])
        /// An MPEG transport stream in datagrams without a header.
        case plainTransportStream
    }

    /// A session that is to be opened, or not: the caller says which, by `refuse`.
    package struct Opening: Sendable {
        package let session: Int
        package let name: StreamName
        package let source: Source
        package let declaration: RTPDeclaration?
        package let content: Content
        /// Its datagrams so far.
        package let datagrams: [ByteBuffer]
    }

    package enum Verdict: Sendable {
        /// The datagram is for this session.
        case session(Int)
        /// A source has joined this session; the datagrams are its own so far.
        case joined(Int, [ByteBuffer])
        case opening(Opening)
        /// Held, until more is known.
        case pending
        /// To be told and counted; the source is not looked at again for a second.
        case refused(PublishRefusal, StreamName)
        /// Too many newcomers: not looked at.
        case dropped
        case ignored
    }
}
