/// Why a viewer's request is not answered with media.
///
/// The words of `badRequest` and `tooFarAhead` are for the person who reads the answer.
package enum SegmentStoreError: Error, Equatable {
    case unknownRendition
    /// Never was, left the store, or will not come because the stream ended.
    case unknownResource
    case badRequest(String)
    /// The directive asks for more of the future than may be waited for.
    case tooFarAhead(String)
    /// Waited three target durations in vain.
    case timedOut
    /// The stream ended before there was anything to play.
    case ended
    /// As many viewers wait as `SegmentStore.Limits.waiters` allows.
    case tooManyWaiters
    /// The viewer's task was cancelled while it waited.
    case cancelled
}
