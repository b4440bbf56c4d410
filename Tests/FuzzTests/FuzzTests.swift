import FoundationEssentials
import FuzzTargets
import Glibc
import Testing

/// Some random inputs for everything that reads what others chose; `scripts/fuzz` does it for longer, and better.
@Suite("Fuzzing")
struct FuzzTests {
    /// A moment, or as many seconds as SPIRAL_FUZZ_SECONDS says.
    private static let duration =
        getenv("SPIRAL_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) }.map { Duration.seconds($0) }
        ?? .milliseconds(100)

    private func corpus(of target: FuzzTarget) throws -> [[UInt8]] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let folder = tests.appendingPathComponent("FuzzTargets/Corpus/\(target.name)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            let bytes = try [UInt8](Data(contentsOf: folder.appendingPathComponent(name)))
            return name.hasSuffix(".hex") ? try #require(Self.decoded(bytes), "\(name) is not hexadecimal") : bytes
        }
    }

    /// An input that is no text is kept as text: two hexadecimal digits a byte, in lines.
    private static func decoded(_ text: [UInt8]) -> [UInt8]? {
        let digits = text.filter { $0 != UInt8(ascii: "\n") }.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == text.count(where: { $0 != UInt8(ascii: "\n") }), digits.count.isMultiple(of: 2) else {
            return nil
        }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    @Test("every input of the corpus is taken well", arguments: FuzzTarget.all)
    func corpus(target: FuzzTarget) throws {
        let inputs = try corpus(of: target)
        #expect(!inputs.isEmpty)
        for input in inputs { try input.withUnsafeBytes { try target.run($0) } }
    }

    @Test("and so is whatever random changes make of it", arguments: FuzzTarget.all)
    func mutations(target: FuzzTarget) throws {
        var mutator = Mutator(try corpus(of: target), words: target.words, seed: 20_260_403)
        let deadline = ContinuousClock.now + Self.duration
        repeat {
            for _ in 0..<20 { try mutator.next().withUnsafeBytes { try target.run($0) } }
        } while ContinuousClock.now < deadline
    }
}
