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
        abstract: "Draw the report of a run or of a sweep again, from its JSON.",
        discussion: """
            One HTML file that needs no network, or Markdown to paste. Of a run: what happened in a sentence, phases, \
            charts, expectations, and what was predicted. Of a sweep: what is recommended, ranking and curves.

              spiral report run.json                       # writes report.html
              spiral report run.json --markdown -          # Markdown on standard output
            """
    )

    @Argument(help: ArgumentHelp("Result as written by --json.", valueName: "file.json"))
    var file: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Where to write the page; - for standard output. Default: report.html, or nowhere with --markdown.",
            valueName: "path"
        )
    )
    var output: String?

    @Option(help: ArgumentHelp("Where to write the result as Markdown; - for standard output.", valueName: "path"))
    var markdown: String?

    func validate() throws {
        guard output == nil || output != markdown else {
            throw ValidationError(
                "--output and --markdown cannot both go to \(output == "-" ? "standard output" : output!)"
            )
        }
    }

    func run() throws {
        let line: String
        let lines: [String]
        let page: [UInt8]
        switch try Self.read(file, as: { bytes throws(RunResult.FormatError) in try ResultFile(json: bytes) }) {
        case .run(let result):
            page = HTMLPage.report(result)
            lines = MarkdownReport.lines(result)
            line = "\(result.scenario), \(result.verdict.text)"
        case .sweep(var result):
            // A file of a sweep that goes on has no analysis yet, and an older one another.
            result.analyze()
            page = HTMLPage.report(result)
            lines = MarkdownReport.lines(result)
            line = result.findings.first ?? "a sweep of which nothing was measured"
        }
        if let markdown {
            try JSONOutput(markdown, option: "--markdown").write(Array((lines.joined(separator: "\n") + "\n").utf8))
            if markdown != "-", output != "-" { try say(["\(markdown): \(line)"]) }
        }
        guard let output = output ?? (markdown == nil ? "report.html" : nil) else { return }
        try JSONOutput(output, option: "--output").write(page)
        if output != "-", markdown != "-" { try say(["\(output): \(line)"]) }
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
