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
            One HTML file that needs no network and no script. Of a run: the headline picture, charts, phases, verdict, \
            and what was predicted. Of a sweep: what is recommended, small callers' p99 against throughput, the ranking, \
            and curves. With --svg only a picture is written, for a README or a talk.
            """
    )

    @Argument(help: ArgumentHelp("Result as written by --json.", valueName: "file.json"))
    var file: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write it; - for standard output. Default: report.html.", valueName: "path")
    )
    var output: String?

    @Option(help: ArgumentHelp("Where to write a picture as SVG; - for standard output.", valueName: "path"))
    var svg: String?

    @Option(
        help: ArgumentHelp(
            "Which picture --svg writes: headline, or one chart by its name. Default: headline; of a sweep trade-off.",
            valueName: "name"
        )
    )
    var chart: String?

    func validate() throws {
        guard chart == nil || svg != nil else {
            throw ValidationError("--chart needs --svg, which says where to write it")
        }
        if let svg, svg == output {
            throw ValidationError("--svg and --output cannot both go to \(svg == "-" ? "standard output" : svg)")
        }
    }

    func run() throws {
        let page: [UInt8]
        let pictures: Pictures
        let line: String
        switch try Self.read(file, as: { bytes throws(RunResult.FormatError) in try ResultFile(json: bytes) }) {
        case .run(let result):
            page = HTMLPage.report(result)
            pictures = Pictures(result)
            line = "\(result.scenario), \(result.verdict.text)"
        case .sweep(var result):
            // A file of a sweep that goes on has no analysis yet, and an older one another.
            result.analyze()
            page = HTMLPage.report(result)
            pictures = Pictures(result)
            line = result.findings.first ?? "a sweep of which nothing was measured"
        }
        if let svg {
            do {
                try JSONOutput(svg, option: "--svg").write(Array(try pictures.svg(chart).utf8))
            } catch let problem as Pictures.Problem {
                throw Refusal(.usage, "\(file): \(problem)")
            }
            if svg != "-" { try say(["\(svg): \(line)"]) }
        }
        guard let output = output ?? (svg == nil ? "report.html" : nil) else { return }
        try JSONOutput(output, option: "--output").write(page)
        if output != "-", svg != "-" { try say(["\(output): \(line)"]) }
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
