internal import ArgumentParser
internal import Commands
internal import POSIX
internal import PostRecords
internal import Reports
internal import Results
internal import Sweeps

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Draws the report of a run or of a sweep again, from its JSON.",
        discussion: """
            One HTML file that needs no network. Of a run: charts, phases, verdict, and what was predicted. Of a sweep: \
            ranking, heat maps, curves, and what is recommended.
            """
    )

    @Argument(help: ArgumentHelp("Result as written by --json.", valueName: "file.json"))
    var file: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write it; - for standard output.", valueName: "path"))
    var output = "report.html"

    func run() throws {
        let page: [UInt8]
        let line: String
        switch try Self.read(file, as: { bytes throws(RunResult.FormatError) in try ResultFile(json: bytes) }) {
        case .run(let result):
            page = HTMLPage.report(result)
            line = "\(result.scenario), \(result.verdict.text)"
        case .sweep(var result):
            // A file of a sweep that goes on has no analysis yet, and an older one another.
            result.analyze()
            page = HTMLPage.report(result)
            line = result.findings.first ?? "a sweep of which nothing was measured"
        }
        try JSONOutput(output, option: "--output").write(page)
        if output != "-" { try say(["\(output): \(line)"]) }
    }

    /// Reads a result.
    /// - Throws: ``Refusal`` saying why it is none.
    static func read<Result>(
        _ path: String,
        as decode: (_ json: [UInt8]) throws(RunResult.FormatError) -> Result
    ) throws -> Result {
        let bytes: [UInt8]
        do {
            bytes = try Descriptor.reading(path).readToEnd()
        } catch {
            throw Refusal(.usage, "cannot \(error)")
        }
        do {
            return try decode(bytes)
        } catch {
            throw Refusal(.usage, "\(path): \(error)")
        }
    }
}
