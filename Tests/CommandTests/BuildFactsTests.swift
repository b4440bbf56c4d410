import POSIX
import TestSupport
import Testing
import Text

@Suite("Build facts")
struct BuildFactsTests {
    private struct Stamp: Decodable {
        struct Build: Decodable {
            var version: String
            var configuration: String
            var swift: String
            var architecture: String
        }

        var schema: String?
        var build: Build
    }

    private func output(of program: String, _ arguments: [String]) throws -> String {
        try ChildProcess.output(of: try Program.path(program), arguments)
    }

    @Test("all three programs have one version", arguments: ["spiral", "spiral-server", "spiral-load"])
    func version(program: String) throws {
        let version = try output(of: program, ["--version"])
        let build = try JSONText.decode(Stamp.self, from: predicted()).build
        #expect(version.hasPrefix("\(program) \(build.version) (commit "))
        #expect(version.contains("\(build.configuration) build by Swift \(build.swift) for \(build.architecture))"))
    }

    @Test("a result carries the build beside its own keys, with null where no commit is known")
    func stamp() throws {
        let bytes = try predicted()
        #expect(try JSONText.decode(Stamp.self, from: bytes).schema == "spiral-predict/1")
        #expect(String(decoding: bytes, as: UTF8.self).contains("\"commit\" :"))
    }

    private func predicted() throws -> [UInt8] {
        Array(try output(of: "spiral", ["predict", "--connections", "600/s", "--json", "-"]).utf8)
    }
}
