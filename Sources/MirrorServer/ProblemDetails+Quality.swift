import Distribution
import Management
import Media
import Processing

extension ProblemDetails {
    /// Why the quality of a stream's sizes is not known: asking again helps.
    init(_ error: QualityError, of stream: StreamName) {
        switch error {
        case .busy:
            self = .noQualityYet(
                "The quality of a stream is being measured, and only one at a time is. Ask again in"
                    + " some seconds."
            )
        case .nothingCame:
            self = .noQualityYet(
                "No size of '\(stream)' had a keyframe in time. If it goes on, look at its"
                    + " keyframe interval, and at lost pictures under transcoding."
            )
        }
    }
}
