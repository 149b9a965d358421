import Foundation
import Ingestion

/// An SDP that the configuration names and that cannot be used.
struct SessionDescriptionFileError: Error, CustomStringConvertible {
    let path: String
    let problem: String

    var description: String {
        "sdp_file in ingestion.rtp.sessions: \(path): \(problem)"
    }
}

/// Reads the SDP files that the configuration names.
enum SessionDescriptionFile {
    /// - Returns: The text, which is an SDP.
    static func read(_ path: String) throws(SessionDescriptionFileError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SessionDescriptionFileError(path: path, problem: "it cannot be read")
        }
        guard data.count <= SessionDescription.byteLimit,
            let text = String(bytes: data, encoding: .utf8)
        else {
            throw SessionDescriptionFileError(
                path: path,
                problem: "it is not UTF-8, or longer than \(SessionDescription.byteLimit) bytes"
            )
        }
        do throws(SessionDescriptionError) {
            _ = try SessionDescription(parsing: text)
            return text
        } catch {
            throw SessionDescriptionFileError(path: path, problem: "\(error)")
        }
    }
}
