internal import ArgumentParser
internal import Commands
internal import Incident
internal import POSIX
internal import PostRecords

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Draws the report of a run again, from its JSON.",
        discussion: "One HTML file that needs no network: charts, phases, verdict, and what was predicted."
    )

    @Argument(help: ArgumentHelp("Result as written by --json.", valueName: "file.json"))
    var file: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write it; - for standard output.", valueName: "path"))
    var output = "report.html"

    func run() throws {
        let result = try Self.read(file)
        try JSONOutput(output, option: "--output").write(HTMLPage.report(result))
        if output != "-" { print("\(output): \(result.scenario), \(result.verdict.text)") }
    }

    /// Reads a result.
    /// - Throws: ``Refusal`` saying why it is none.
    static func read(_ path: String) throws -> RunResult {
        let bytes: [UInt8]
        do {
            bytes = try Descriptor.reading(path).readToEnd()
        } catch {
            throw Refusal(.usage, "cannot \(error)")
        }
        do {
            return try RunResult(json: bytes)
        } catch {
            throw Refusal(.usage, "\(path): \(error)")
        }
    }
}
