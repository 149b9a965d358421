package import Processing

/// Which slate a stream has, and when it is shown.
package struct SlateTerms: Sendable, Equatable {
    package var file: String
    package var showing: SlateSwitch.Terms

    package init(file: String, showing: SlateSwitch.Terms) {
        self.file = file
        self.showing = showing
    }
}
