internal import ArgumentParser
internal import Commands
internal import Cures
internal import LoadGenerator
internal import POSIX
internal import PostRecords
internal import Reports
internal import Results
internal import Sweeps
internal import Units

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Draw the report of a run, of a sweep, of cures or of a load, from its JSON.",
        discussion: """
            One HTML file that needs no network and no script. Of a run: what happened in a sentence, the headline picture, \
            charts, phases, expectations, and what was predicted. Of a sweep: what is recommended, small callers' p99 against \
            throughput, the ranking, and curves. Of cures: what each came to, why, and at what cost. Of spiral-load's JSON: \
            counts and latencies by percentile. With --svg or --markdown only that is written, for a README, a talk or a \
            pull request.

              spiral report run.json                       # writes report.html
              spiral report run.json --markdown -          # Markdown on standard output
              spiral report run.json --svg headline.svg
              spiral report run.json --svg phone.svg --width 390
            """
    )

    @Argument(help: ArgumentHelp("Result as written by --json.", valueName: "file.json"))
    var file: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write it; - for standard output. Default: report.html.", valueName: "path")
    )
    var output: String?

    @Option(help: ArgumentHelp("Where to write the result as Markdown; - for standard output.", valueName: "path"))
    var markdown: String?

    @Option(help: ArgumentHelp("Where to write a picture as SVG; - for standard output.", valueName: "path"))
    var svg: String?

    @Option(
        help: ArgumentHelp(
            "Which picture --svg writes: headline, or one chart by its name, as percentiles-CALLER. Default: headline; of a "
                + "sweep trade-off, of cures complete.",
            valueName: "name"
        )
    )
    var chart: String?

    @Option(
        help: ArgumentHelp(
            "Pixels the picture of --svg is to be wide; below 700 it is drawn for a phone. Default: 1000.",
            valueName: "pixels"
        )
    )
    var width: Int?

    private var targets: [(option: String, path: String)] {
        [("--output", output), ("--markdown", markdown), ("--svg", svg)].compactMap { option, path in
            path.map { (option, $0) }
        }
    }

    func validate() throws {
        guard chart == nil || svg != nil else {
            throw ValidationError("--chart needs --svg, which says where to write it")
        }
        if let width {
            guard svg != nil else { throw ValidationError("--width needs --svg, which says where to write it") }
            guard Pictures.widths.contains(width) else {
                throw ValidationError(
                    "--width: \(width) is not a number of pixels from \(Pictures.widths.lowerBound) to "
                        + "\(Pictures.widths.upperBound); a phone has 390"
                )
            }
        }
        for (index, target) in targets.enumerated() {
            guard let other = targets[..<index].first(where: { $0.path == target.path }) else { continue }
            let path = target.path == "-" ? "standard output" : target.path
            throw ValidationError("\(other.option) and \(target.option) cannot both go to \(path)")
        }
    }

    func run() throws {
        let page: [UInt8]
        let pictures: Pictures
        let lines: [String]
        let line: String
        let result = try Self.read(file) { bytes throws(RunResult.FormatError) -> Document in
            if CuresResult.claimsToBeOne(bytes) { return .cures(try CuresResult(json: bytes)) }
            guard LoadResult.claimsToBeOne(bytes) else { return .played(try ResultFile(json: bytes)) }
            do throws(LoadResult.MergeError) {
                return .load(try LoadResult(json: bytes))
            } catch {
                throw RunResult.FormatError(description: error.description)
            }
        }
        switch result {
        case .cures(let result):
            page = HTMLPage.report(result)
            pictures = Pictures(result)
            lines = result.markdown
            line = "\(result.cures.count) cures"
        case .load(let result):
            page = HTMLPage.report(result)
            pictures = Pictures(result)
            lines = MarkdownReport.lines(result)
            line = result.outcome
        case .played(.run(let result)):
            page = HTMLPage.report(result)
            pictures = Pictures(result)
            lines = MarkdownReport.lines(result)
            line = "\(result.scenario), \(result.verdict.text)"
        case .played(.sweep(var result)):
            // A file of a sweep that goes on has no analysis yet, and an older one another.
            result.analyze()
            page = HTMLPage.report(result)
            pictures = Pictures(result)
            lines = MarkdownReport.lines(result)
            line = result.findings.first ?? "a sweep of which nothing was measured"
        }
        var targets = targets
        if targets.isEmpty { targets = [("--output", "report.html")] }
        for (option, path) in targets {
            let bytes: [UInt8]
            switch option {
            case "--markdown": bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
            case "--svg": bytes = try picture(of: pictures)
            default: bytes = page
            }
            try JSONOutput(path, option: option).write(bytes)
            // What else is on standard output is not mixed with it.
            if !targets.contains(where: { $0.path == "-" }) { try say(["\(path): \(line)"]) }
        }
    }

    /// What a file holds.
    private enum Document {
        case played(ResultFile)
        case cures(CuresResult)
        case load(LoadResult)
    }

    private func picture(of pictures: Pictures) throws -> [UInt8] {
        do {
            return Array(try pictures.svg(chart, width: width).utf8)
        } catch {
            throw Refusal(.usage, "\(file): \(error)")
        }
    }

    /// A sweep of the most combinations has a fraction of it.
    static let largestResult = ByteCount(bytes: 256 << 20)

    /// Reads a result.
    /// - Throws: ``Refusal`` saying why it is none.
    static func read<Result>(
        _ path: String,
        as decode: (_ json: [UInt8]) throws(RunResult.FormatError) -> Result
    ) throws -> Result {
        let bytes: [UInt8]
        do {
            bytes = try InputFile.contents(of: path, upTo: largestResult)
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
