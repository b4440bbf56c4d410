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
            try [UInt8](Data(contentsOf: folder.appendingPathComponent(name)))
        }
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
