import Logging

/// The kernel's receive buffer of a UDP socket, which may be smaller than what was asked for.
enum KernelBuffer {
    /// Tells the operator when the smallest of some buffers is below `wanted` bytes.
    static func warn(of buffers: [Int], wanted: Int, logger: Logger) {
        guard let smallest = buffers.min(), smallest < wanted else { return }
        logger.warning(
            "The kernel's UDP receive buffer is small: bursts of high-bitrate streams may be lost",
            metadata: [
                "bytes": "\(smallest)",
                "wanted_bytes": "\(wanted)",
                "cure": "sysctl -w net.core.rmem_max=\(wanted)",
            ]
        )
    }
}
