import Foundation
import MirrorServer
import TestSupport
import Testing

@Suite struct HeapTrimmerTests {
    @Test func memoryThatWasFreedBeforeABlockThatStaysGoesBackToTheKernel() throws {
        let blockBytes = 1_000
        let blocks = (0..<200_000).map { _ in
            let block = UnsafeMutableRawPointer.allocate(byteCount: blockBytes, alignment: 16)
            block.initializeMemory(as: UInt8.self, repeating: 1, count: blockBytes)
            return block
        }
        for block in blocks.dropLast() { block.deallocate() }
        defer { blocks.last?.deallocate() }
        let process = ProcessInfo.processInfo.processIdentifier
        let before = try ProcessUsage(of: process).residentBytes
        HeapTrimmer.trim()
        let after = try ProcessUsage(of: process).residentBytes
        #expect(before - after > 150_000_000)
    }
}
