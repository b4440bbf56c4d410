internal import FuzzTargets
internal import Glibc

/// Runs one fuzz target: built by `scripts/fuzz` it is libFuzzer, with its options; built without, it runs the inputs named.
@main
struct Fuzzer {
    /// The one that is run, for libFuzzer's callback, which has no other way to know. Safe:
    /// set once, before libFuzzer begins to call.
    nonisolated(unsafe) private static var target = FuzzTarget.all[0]

    static func main() {
        let names = FuzzTarget.all.map(\.name)
        guard CommandLine.arguments.count > 1,
            let target = FuzzTarget.all.first(where: { $0.name == CommandLine.arguments[1] })
        else {
            print("usage: spiral-fuzz TARGET [INPUT...]; targets: \(names.joined(separator: ", "))")
            exit(2)
        }
        Self.target = target
        #if FUZZING
            var count = CommandLine.argc - 1
            var arguments = CommandLine.unsafeArgv + 1
            exit(
                runLibFuzzer(&count, &arguments) { bytes, count in
                    Fuzzer.run(UnsafeRawBufferPointer(start: bytes, count: count))
                    return 0
                }
            )
        #else
            for path in CommandLine.arguments.dropFirst(2) {
                guard let file = fopen(path, "r") else { fatalError("cannot open \(path)") }
                defer { fclose(file) }
                var bytes = [UInt8](repeating: 0, count: 1 << 20)
                let count = fread(&bytes, 1, bytes.count, file)
                bytes[..<count].withUnsafeBytes { run($0) }
                print("\(path): well")
            }
        #endif
    }

    private static func run(_ input: UnsafeRawBufferPointer) {
        do {
            try target.run(input)
        } catch {
            fatalError("\(error)")
        }
    }
}

#if FUZZING
    /// libFuzzer's main loop; LLVM's FuzzerInterface.h
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runLibFuzzer(
        _ count: UnsafeMutablePointer<CInt>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ run: @convention(c) (UnsafeRawPointer?, Int) -> CInt
    ) -> CInt

    /// The runtime's own main refers to it; it is not called.
    @_cdecl("LLVMFuzzerTestOneInput")
    func unused(_ bytes: UnsafeRawPointer?, _ count: Int) -> CInt { 0 }
#endif
