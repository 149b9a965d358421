/// What is shown in the place of a stream's inputs when nothing comes of them.
package struct SlateSnapshot: Codable, Sendable, Equatable {
    /// `missing`: being made, or impossible; `ready`, `on_air`, `over`.
    package var state: String
    /// How often it went on air since the stream began.
    package var shown: UInt64

    package init(state: String, shown: UInt64) {
        self.state = state
        self.shown = shown
    }
}
