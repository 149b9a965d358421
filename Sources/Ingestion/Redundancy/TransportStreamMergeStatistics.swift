/// What a merge of legs counted since it began.
package struct TransportStreamMergeStatistics: Sendable, Equatable {
    /// Transport packets that were handed on.
    package var packets: UInt64 = 0
    /// Times that something was missing which no leg had, or none in time.
    package var holes: UInt64 = 0
    /// Times that another feed took over.
    package var restarts: UInt64 = 0
    package var legs: [LegStatistics] = []

    package init() {}
}
