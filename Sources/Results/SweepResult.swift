internal import LoadGenerator
internal import PostRecords
internal import Text

/// What a sweep has measured, as `--json` writes it.
package struct SweepResult: Codable, Sendable {
    package static let currentSchema = "spiral-sweep/3"
    /// What it wrote before there was a way to say that nothing was measured.
    private static let schemaWithZeros = "spiral-sweep/2"

    /// One cell, measured once, or the reason it could not be.
    package struct Run: Codable, Sendable {
        package var cell: SweepPlan.Cell
        package var result: PhaseResult?
        package var error: String?

        package init(
            cell: SweepPlan.Cell,
            result: PhaseResult? = nil,
            error: String? = nil
        ) {
            self.cell = cell
            self.result = result
            self.error = error
        }
    }

    package var schema = SweepResult.currentSchema
    package var plan: SweepPlan
    package var environment: Environment?
    package var runs: [Run] = []
    package var ranking: [Aggregate] = []
    package var findings: [String] = []
    package var interrupted = false

    package init(_ plan: SweepPlan) {
        self.plan = plan
    }

    private struct Head: Decodable {
        var schema: String
    }

    /// What is measured; all else is found from it.
    private struct File: Decodable {
        var plan: SweepPlan
        var environment: Environment?
        var runs: [Run]
        var interrupted: Bool
    }

    /// Whether it is the JSON of a sweep, of whatever version.
    package static func claimsToBeOne(_ json: [UInt8]) -> Bool {
        (try? JSONText.decode(Head.self, from: json))?.schema.hasPrefix("spiral-sweep/") ?? false
    }

    /// Reads what was measured; the analysis of a file may be missing, or an older one.
    /// - Throws: ``RunResult/FormatError``
    package init(json: [UInt8]) throws(RunResult.FormatError) {
        guard let head = try? JSONText.decode(Head.self, from: json), Self.claimsToBeOne(json) else {
            throw .init(description: "this is not the JSON of a sweep; write one with 'spiral sweep --json PATH'")
        }
        guard [Self.currentSchema, Self.schemaWithZeros].contains(head.schema) else {
            throw .init(
                description:
                    "its schema is \(head.schema), and this program reads \(Self.currentSchema); use the version that wrote it"
            )
        }
        if let problem = FigureBound.problem(in: json) {
            throw .init(description: "it says \(head.schema), but is damaged: \(problem)")
        }
        guard let file = try? JSONText.decode(File.self, from: json) else {
            throw .init(description: "it says \(head.schema), but is damaged or incomplete")
        }
        guard file.plan.combinations <= SweepPlan.mostCombinations,
            file.plan.repetitions <= SweepPlan.mostRepetitions
        else {
            throw .init(
                description: "it says \(head.schema), but is damaged: no sweep has as many combinations and repeats"
            )
        }
        if let problem = file.environment?.problem {
            throw .init(description: "it says \(head.schema), but is damaged: \(problem)")
        }
        self.init(file.plan)
        environment = file.environment
        runs = file.runs
        interrupted = file.interrupted
        if head.schema == Self.schemaWithZeros {
            for index in runs.indices { runs[index].result?.dropUnmeasured() }
        }
    }

    /// One row for each run, for a spreadsheet.
    package var csv: String {
        var lines = [
            (plan.variations.map(\.name) + [
                "turn", "lookups_per_s", "heavy_p99_ms", "small_p99_ms", "small_in_time_percent", "hits", "misses",
                "errors",
                "errors_by_name", "unreadable", "dials_ok", "dials_failed", "time_wait_peak", "in_flight_peak",
                "threads_peak",
                "rss_peak_bytes", "failed_batches", "seconds", "failure",
            ]).joined(separator: ",")
        ]
        let heavy = plan.heavyClient
        func text(_ number: Double?) -> String { number.map { "\($0)" } ?? "" }
        func text(_ number: Int?) -> String { number.map { "\($0)" } ?? "" }
        for run in runs {
            var fields = run.cell.values + ["\(run.cell.repetition)"]
            if let result = run.result {
                let measures = RunMeasures(result, heavy: heavy)
                let names = result.lookups.errors.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                let numbers = [
                    "\(measures.lookupsPerSecond)", text(measures.heavyP99), text(measures.smallP99),
                    text(measures.smallInTime), "\(result.lookups.hits)", "\(result.lookups.misses)",
                    "\(result.lookups.failed)", names.joined(separator: ";"),
                    "\(result.lookups.unreadable)", "\(result.dials.ok)",
                    "\(result.dials.failed)", "\(result.timeWaitPeak)", "\(result.inFlightPeak)",
                    text(result.threadsPeak), text(result.rssPeakBytes), "\(measures.failedBatches)",
                    "\(result.duration)", "",
                ]
                fields += numbers
            } else {
                fields += Array(repeating: "", count: 17) + [run.error ?? ""]
            }
            lines.append(fields.map(Self.quoted).joined(separator: ","))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A field as RFC 4180 has it.
    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
