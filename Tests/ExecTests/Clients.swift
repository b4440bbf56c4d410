import Foundation
import POSIX
import TestSupport
import Testing

/// The client programs of these tests.
enum Clients {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().path + "/Programs"

    /// The Go client as a static binary, built once.
    static let go = Result { try build() }

    private static func build() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/spiral-dial-\(getpid())"
        let build = Process()
        build.executableURL = URL(filePath: try #require(Program.onPath("go")))
        build.arguments = ["build", "-o", path, folder + "/dial.go"]
        build.environment = ProcessInfo.processInfo.environment.merging(["CGO_ENABLED": "0", "GO111MODULE": "off"]) {
            $1
        }
        try build.run()
        build.waitUntilExit()
        try #require(build.terminationStatus == 0)
        atexit { unlink(FileManager.default.temporaryDirectory.path + "/spiral-dial-\(getpid())") }
        return path
    }
}

/// What a run of `spiral exec --json` wrote.
struct Outcome {
    let text: String
    let exit: ProcessExit?
    private let json: [String: Any]

    /// - Parameter options: before `--`.
    init(_ options: [String], _ command: [String]) throws {
        let file = try TemporaryFile()
        let program = try Program("spiral", ["exec", "--json", file.path] + options + ["--"] + command)
        exit = program.wait(within: .seconds(90))
        text = try program.text
        json = (try? JSONSerialization.jsonObject(with: Data(try file.contents.utf8)) as? [String: Any]) ?? [:]
    }

    /// A number of the result by its path; nil for null and for none.
    func number(_ path: String) -> Int? {
        var value: Any? = json
        for key in path.split(separator: ".") { value = (value as? [String: Any])?[String(key)] }
        return value as? Int
    }

    /// A number of a row of `destinations`.
    func destination(_ name: String, _ field: String) -> Int? {
        (json["destinations"] as? [[String: Any]])?.first { $0["destination"] as? String == name }?[field] as? Int
    }

    var lines: [Substring] { text.split(separator: "\n") }
}
