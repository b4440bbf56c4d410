internal import LoadGenerator
internal import PostRecords
package import Text

/// What a sweep has measured, as `--json` writes it.
package struct SweepResult: Codable, Sendable {
    package static let currentSchema = "spiral-sweep/3"
    /// What it wrote before there was a way to say that nothing was measured.
    private static let schemaWithZeros = "spiral-sweep/2"

    /// One cell, measured once, or the reason it could not be.
    package struct Run: Codable, Sendable {
        package var cell: SweepPlan.Cell
        package var result: PhaseResult?
        /// In place of ``result`` where the server is somebody's own.
        package var service: ServiceResult?
        package var error: String?

        package init(
            cell: SweepPlan.Cell,
            result: PhaseResult? = nil,
            service: ServiceResult? = nil,
            error: String? = nil
        ) {
            self.cell = cell
            self.result = result
            self.service = service
            self.error = error
        }

        package var isMeasured: Bool { result != nil || service != nil }
    }

    package var schema = SweepResult.currentSchema
    /// Nil until it is written, and in results of before.
    package var build: ResultBuild?
    package var plan: SweepPlan
    package var environment: Environment?
    package var runs: [Run] = []
    package var ranking: [Aggregate] = []
    /// The combination that is recommended, value by name of setting; nil where the measurements do not tell.
    @ExplicitNull package var recommended: [String: String]?
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
        var build: ResultBuild?
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
        if let problem = file.plan.problem ?? file.environment?.problem {
            throw .init(description: "it says \(head.schema), but is damaged: \(problem)")
        }
        self.init(file.plan)
        build = file.build
        environment = file.environment
        runs = file.runs
        interrupted = file.interrupted
        if head.schema == Self.schemaWithZeros {
            for index in runs.indices { runs[index].result?.dropUnmeasured() }
        }
    }

    /// Columns of the CSV after the combination, and what a run has in them; what was not measured is empty.
    private static let columns: [(name: String, text: @Sendable (Run, RunMeasures) -> String?)] = [
        ("lookups_per_s", { number($1.lookupsPerSecond) }), ("heavy_p99_ms", { number($1.heavyP99) }),
        ("small_p99_ms", { number($1.smallP99) }), ("small_in_time_percent", { number($1.smallInTime) }),
        ("hits", { run, _ in number(run.result?.lookups.hits) }),
        ("misses", { run, _ in number(run.result?.lookups.misses) }),
        ("errors", { run, _ in number(run.result?.lookups.failed) }),
        (
            "errors_by_name",
            { run, _ in
                run.result?.lookups.errors.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                    .joined(separator: ";")
            }
        ),
        ("unreadable", { run, _ in number(run.result?.lookups.unreadable) }),
        ("dials_ok", { run, _ in number(run.result?.dials.ok ?? run.service?.dials.ok) }),
        ("dials_failed", { run, _ in number(run.result?.dials.failed ?? run.service?.dials.failed) }),
        ("time_wait_peak", { run, _ in number(run.result?.timeWaitPeak ?? run.service?.timeWaitPeak) }),
        ("in_flight_peak", { run, _ in number(run.result?.inFlightPeak) }),
        ("threads_peak", { run, _ in number(run.result?.threadsPeak ?? run.service?.threadsPeak) }),
        ("rss_peak_bytes", { run, _ in number(run.result?.rssPeakBytes ?? run.service?.rssPeakBytes) }),
        ("failed_batches", { number($1.failedBatches) }),
        ("seconds", { run, _ in number(run.result?.duration ?? run.service?.duration) }),
        ("answers_per_s", { number($1.answersPerSecond) }), ("complete_percent", { number($1.completePercent) }),
        ("ports_in_use_peak", { run, _ in number(run.result?.portsInUsePeak ?? run.service?.portsInUsePeak) }),
    ]

    /// One row for each run, for a spreadsheet.
    package var csv: String {
        let names = plan.variations.map(\.name) + ["turn"] + Self.columns.map(\.name) + ["failure"]
        let rows = runs.map { run in
            let measures = run.measures(plan)
            return run.cell.values + ["\(run.cell.repetition)"]
                + Self.columns.map { column in measures.flatMap { column.text(run, $0) } ?? "" }
                + [measures == nil ? run.error ?? "" : ""]
        }
        return ([names] + rows).map { $0.map(Self.quoted).joined(separator: ",") }.joined(separator: "\n") + "\n"
    }

    private static func number(_ value: (some CustomStringConvertible)?) -> String? { value.map { "\($0)" } }

    /// A field as RFC 4180 has it.
    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
