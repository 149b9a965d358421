package import Foundation

/// A test picture with the wall clock drawn in it, in blocks that survive coding and scaling.
///
/// Layout: 1280 × 720, I420. The top 32 lines are 40 blocks of 32 × 32: the milliseconds since 1970,
/// modulo 2^39, most significant bit first, white for one, then a block of even parity. Below, a grey
/// field with a bar that moves, so that every frame differs.
package struct ClockPicture: Sendable {
    package static let width = 1_280
    package static let height = 720
    private static let bits = 39
    private static let block = 32

    package init() {}

    package func frame(at time: Date, number: Int) -> Data {
        let milliseconds = UInt64(time.timeIntervalSince1970 * 1_000) & ((1 << Self.bits) - 1)
        var frame = [UInt8](repeating: 128, count: Self.width * Self.height * 3 / 2)
        frame.withUnsafeMutableBufferPointer { bytes in
            for index in 0...Self.bits {
                let isOne =
                    index == Self.bits
                    ? milliseconds.nonzeroBitCount % 2 == 1
                    : milliseconds >> (Self.bits - 1 - index) & 1 == 1
                for line in 0..<Self.block {
                    let start = line * Self.width + index * Self.block
                    bytes[start..<start + Self.block].update(repeating: isOne ? 235 : 16)
                }
            }
            let bar = number * 8 % (Self.width - 40)
            for line in 400..<480 {
                let start = line * Self.width + bar
                bytes[start..<start + 40].update(repeating: 200)
            }
        }
        return Data(frame)
    }

    /// JavaScript that reads the clock of each frame a page's `<video>` presents.
    ///
    /// From then on `window.glassToGlass.ages` has how old each was, in milliseconds, and
    /// `.interruptions` how often playback stood still or was moved.
    package static let reader = """
        (() => {
          const found = { ages: [], interruptions: 0 };
          window.glassToGlass = found;
          const video = document.querySelector('video');
          for (const event of ['waiting', 'seeking']) {
            video.addEventListener(event, () => { found.interruptions += 1; });
          }
          const canvas = document.createElement('canvas');
          canvas.width = \(width); canvas.height = \(block);
          const context = canvas.getContext('2d', { willReadFrequently: true });
          const read = () => {
            const now = Date.now();
            context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight * \(block) / \(height),
                              0, 0, \(width), \(block));
            const line = context.getImageData(0, \(block / 2), \(width), 1).data;
            let value = 0, ones = 0;
            for (let i = 0; i <= \(bits); i++) {
              const bit = line[4 * (i * \(block) + \(block / 2))] > 128 ? 1 : 0;
              ones += bit;
              if (i < \(bits)) value = value * 2 + bit;
            }
            if (ones % 2 === 0 && value > 0) {
              found.ages.push(now % 2 ** \(bits) - value);
            }
            video.requestVideoFrameCallback(read);
          };
          video.requestVideoFrameCallback(read);
          return true;
        })()
        """
}
