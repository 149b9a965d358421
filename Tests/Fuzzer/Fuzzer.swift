import FuzzTargets
import Glibc

/// Hands the target that `MIRROR_FUZZ_TARGET` names to libFuzzer; arguments are libFuzzer's own.
@main enum Fuzzer {
    static func main() {
        guard target != nil else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
            print("MIRROR_FUZZ_TARGET must be one of: \(names)")
            exit(2)
        }
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(
            runDriver(&count, &arguments) { bytes, count in
                target?.run(UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
                return 0
            }
        )
    }
}

private let target = getenv("MIRROR_FUZZ_TARGET").flatMap {
    FuzzTarget(rawValue: String(cString: $0))
}

/// The entry of libFuzzer for programs with a `main` of their own.
///
/// Source: LLVM, "Using libFuzzer as a library".
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ input: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
