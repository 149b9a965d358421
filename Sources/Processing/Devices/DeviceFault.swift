import CFFmpeg

/// Why a device cannot go on with a ladder.
package enum DeviceFault: Sendable {
    /// It does not do such pictures, and may do others.
    case unsuitable
    /// It has no room for one more.
    case full
    /// It may do nothing for a while.
    case broken
}

extension FFmpegError {
    /// - Returns: `nil` where the coded pictures are damaged, for which no device can help.
    package var fault: DeviceFault? {
        switch code {
        case mirror_error_invalid_data: nil
        case -ENOMEM: .full
        case -ENOSYS, -EINVAL, mirror_error_not_there: .unsuitable
        default: .broken
        }
    }

    /// What a device says of pictures that are not for it.
    package static func unsuitable(_ words: String) -> FFmpegError {
        FFmpegError(operation: words, code: mirror_error_not_there)
    }
}
