internal import LoadGenerator
internal import POSIX
internal import PostRecords

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
    static func claimsToBeOne(_ json: [UInt8]) -> Bool {
        (try? JSONText.decode(Head.self, from: json))?.schema.hasPrefix("spiral-sweep/") ?? false
    }

    /// Reads a result as it was written.
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
        guard let file = try? JSONText.decode(File.self, from: json) else {
            throw .init(description: "it says \(head.schema), but is damaged or incomplete")
        }
        self.init(file.plan)
        environment = file.environment
        runs = file.runs
        interrupted = file.interrupted
        if head.schema == Self.schemaWithZeros {
            for index in runs.indices { runs[index].result?.dropUnmeasured() }
        }
        // A file of a sweep that goes on has no analysis yet, and an older one another.
        analyze()
    }

    /// One row for each run, for a spreadsheet.
    package var csv: String {
        var lines = [
            (plan.variations.map(\.name) + [
                "turn", "lookups_per_s", "heavy_p99_ms", "small_p99_ms", "small_in_time_percent", "hits", "misses",
                "errors",
                "errors_by_name", "dials_ok", "dials_failed", "time_wait_peak", "in_flight_peak", "threads_peak",
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
                    "\(result.lookups.failed)", names.joined(separator: ";"), "\(result.dials.ok)",
                    "\(result.dials.failed)", "\(result.timeWaitPeak)", "\(result.inFlightPeak)",
                    text(result.threadsPeak), text(result.rssPeakBytes), "\(measures.failedBatches)",
                    "\(result.duration)", "",
                ]
                fields += numbers
            } else {
                fields += Array(repeating: "", count: 16) + [run.error ?? ""]
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

extension SweepResult {
    /// The ranking, and what is to be learned from it.
    package var summary: [String] {
        var table = TextTable(
            header: [
                "", "lookups/s", "small p99 ms", "in time", "heavy p99 ms", "dials/s", "TIME_WAIT", "errors", "threads",
                "MiB",
            ]
        )
        func text(_ spread: Aggregate.Spread?) -> String { spread.map { rounded($0.median) } ?? "-" }
        for one in ranking {
            guard one.runs > 0 else {
                table.add([plan.text(one.values), "-", "-", "-", "-", "-", "-", "crashed", "-", "-"])
                continue
            }
            let errors = one.errorsByName.max { ($0.value.median, $1.key) < ($1.value.median, $0.key) }
            table.add([
                plan.text(one.values), text(one.lookupsPerSecond), one.smallP99?.text ?? "-",
                one.smallInTime.map { "\(rounded($0.median))%" } ?? "-", text(one.heavyP99),
                text(one.dialsPerSecond), text(one.timeWaitPeak),
                one.crashes > 0
                    ? "crashed \(one.crashes)x" : errors.map { "\($0.key) \(rounded($0.value.median))" } ?? "0",
                text(one.threadsPeak), text(one.rssPeakMiB),
            ])
        }
        let failures = runs.filter { $0.result == nil }.map {
            "not measured: \(plan.text($0.cell.values)), repetition \($0.cell.repetition): \($0.error ?? "")"
        }
        let ranked = ranking.isEmpty ? [] : table.lines + [""]
        return [""] + ranked + failures + findings
    }
}
