internal import ArgumentParser
internal import Commands
internal import Reports
internal import Results

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Puts two results side by side, in Markdown, and names the differences that exceed noise.",
        discussion: """
            The first is what there was, the second what there is now. Ends with 1 when something got worse by more \
            than the tolerance: more errors, dials, threads, memory or latency, fewer records, an expectation that \
            held and no longer does.
            """
    )

    @Argument(help: ArgumentHelp("Result before.", valueName: "a.json"))
    var before: String

    @Argument(help: ArgumentHelp("Result after.", valueName: "b.json"))
    var after: String

    @Option(help: ArgumentHelp("Differences up to this share of the value before are noise.", valueName: "percent"))
    var tolerance = "10%"

    func validate() throws {
        _ = try share()
    }

    func run() throws {
        let comparison = Comparison(try run(in: before), try run(in: after), tolerance: try share())
        try say(comparison.markdown)
        guard comparison.regressions.isEmpty else { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func run(in file: String) throws -> RunResult {
        try ReportCommand.read(file, as: { json throws(RunResult.FormatError) in try RunResult(json: json) })
    }

    private func share() throws -> Double {
        guard tolerance.hasSuffix("%"), let percent = Double(tolerance.dropLast()), percent >= 0, percent.isFinite
        else {
            throw ValidationError("--tolerance: '\(tolerance)' is not a percentage; write it as 10%")
        }
        return percent / 100
    }
}
