internal import ArgumentParser
internal import Commands
internal import Reports
internal import Results
internal import Sweeps

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two results, of runs or of sweeps, in Markdown.",
        discussion: """
            The first is before, the second after. Runs must be of one scenario, load and port range. Where the runs did \
            not do the same amount of work, only shares and latencies are compared; where the machines differ, no \
            latency, threads or memory. Sweeps are compared combination by combination, against the noise of their repeats.

            Exit status 1 if something got worse by more than the tolerance: a larger share of failed lookups or new \
            connections, more threads, memory or latency, fewer records found, an expectation that passed and fails now. \
            2 if the two cannot be compared.
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
        let share = try share()
        switch (try result(in: before), try result(in: after)) {
        case (.run(let old), .run(let new)):
            let comparison = Comparison((before, old), (after, new), tolerance: share)
            try refuse(comparison.obstacles)
            try conclude(comparison.markdown, comparison.regressions)
        case (.sweep(var old), .sweep(var new)):
            let sides = Sides((before, old), (after, new))
            try refuse(sides.obstacles)
            old.analyze()
            new.analyze()
            let comparison = SweepComparison(old, new, tolerance: share)
            try conclude(SweepComparisonReport(comparison, sides).markdown, comparison.regressions)
        case (.run, .sweep):
            throw Refusal(.usage, "\(before) is of a run and \(after) of a sweep; compare two of a kind")
        case (.sweep, .run):
            throw Refusal(.usage, "\(before) is of a sweep and \(after) of a run; compare two of a kind")
        }
    }

    private func refuse(_ obstacles: [String]) throws {
        guard !obstacles.isEmpty else { return }
        throw Refusal(
            .usage,
            "\(before) and \(after) cannot be compared: \(obstacles.joined(separator: "; ")). Measure both in the same way"
        )
    }

    private func conclude(_ lines: [String], _ regressions: [String]) throws {
        try say(lines)
        guard regressions.isEmpty else { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func result(in file: String) throws -> ResultFile {
        try ReportCommand.read(file, as: { json throws(RunResult.FormatError) in try ResultFile(json: json) })
    }

    private func share() throws -> Double {
        guard tolerance.hasSuffix("%"), let percent = Double(tolerance.dropLast()), percent >= 0, percent.isFinite
        else {
            throw ValidationError("--tolerance: '\(tolerance)' is not a percentage; write it as 10%")
        }
        return percent / 100
    }
}
