internal import LoadGenerator
internal import POSIX
internal import PostRecords

/// What a sweep has measured, as `--json` writes it.
package struct SweepResult: Codable, Sendable {
    package static let currentSchema = "spiral-sweep/2"

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
    package var ranking: [Standing] = []
    package var findings: [String] = []
    package var interrupted = false

    package init(_ plan: SweepPlan) {
        self.plan = plan
    }

    /// A combination over all its runs.
    package struct Standing: Codable, Sendable {
        package var values: [String]
        package var runs: Int
        package var crashes: Int
        /// Lookups answered a second, found or not.
        package var lookupsPerSecond: Spread
        /// Milliseconds.
        package var heavyP99: Spread
        package var smallP99: Spread
        /// Percent of the small callers' batches answered whole within their time; nil where none is set.
        package var smallInTime: Spread?
        package var errors: Spread
        /// Of one run.
        package var errorsByName: [String: Spread]
        /// Those that succeeded, as memcached counts them.
        package var dialsPerSecond: Spread
        /// Those that failed besides.
        package var failedDialsPerSecond: Spread
        package var timeWaitPeak: Spread
        package var threadsPeak: Spread
        package var rssPeakMiB: Spread
        /// Batches that were not answered.
        package var failedBatches: Spread
        /// Whether its dials are more than the ports of its addresses bear for ever.
        package var exhaustsPorts: Bool
    }

    /// Several measurements of one figure.
    package struct Spread: Codable, Sendable, Equatable {
        package var median: Double
        package var min: Double
        package var max: Double

        init(_ values: [Double]) {
            let sorted = values.sorted()
            let middle = sorted.count / 2
            median =
                sorted.isEmpty
                ? 0 : sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
            min = sorted.first ?? 0
            max = sorted.last ?? 0
        }

        /// Whether the two could be the same: their ranges meet.
        func overlaps(_ other: Spread) -> Bool { min <= other.max && other.min <= max }

        package var text: String {
            rounded(min) == rounded(max) ? rounded(median) : "\(rounded(median)) (\(rounded(min))–\(rounded(max)))"
        }
    }

    private struct Head: Decodable {
        var schema: String
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
        guard head.schema == Self.currentSchema else {
            throw .init(
                description:
                    "its schema is \(head.schema), and this program reads \(Self.currentSchema); use the version that wrote it"
            )
        }
        guard let result = try? JSONText.decode(SweepResult.self, from: json) else {
            throw .init(description: "it says \(head.schema), but is damaged or incomplete")
        }
        self = result
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
        for run in runs {
            var fields = run.cell.values + ["\(run.cell.turn)"]
            if let result = run.result {
                let measures = RunMeasures(result)
                let names = result.lookups.errors.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                let numbers = [
                    "\(measures.lookupsPerSecond)", "\(measures.heavyP99)", "\(measures.smallP99)",
                    measures.smallInTime.map { "\($0)" } ?? "", "\(result.lookups.hits)", "\(result.lookups.misses)",
                    "\(result.lookups.failed)", names.joined(separator: ";"), "\(result.lookups.unreadable)",
                    "\(result.dials.ok)",
                    "\(result.dials.failed)", "\(result.timeWaitPeak)", "\(result.inFlightPeak)",
                    "\(result.threadsPeak)",
                    "\(result.rssPeakBytes)", "\(measures.failedBatches)", "\(result.duration)", "",
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

/// The figures of one run that settings are judged by.
struct RunMeasures {
    var lookupsPerSecond: Double
    var heavyP99: Double
    var smallP99: Double
    var smallInTime: Double?
    var failedBatches: Double

    init(_ result: PhaseResult) {
        lookupsPerSecond = Double(result.lookups.hits + result.lookups.misses) / max(result.duration, 1e-3)
        let bySize = result.clients.sorted { Self.meanSize($0) > Self.meanSize($1) }
        heavyP99 = bySize.first?.latencyMs.p99 ?? 0
        // Alone, a caller is both.
        let small = bySize.count > 1 ? Array(bySize.dropFirst()) : bySize
        smallP99 = small.map(\.latencyMs.p99).max() ?? 0
        smallInTime = small.compactMap { $0.slo?.percent }.min()
        failedBatches = Double(result.clients.reduce(0) { $0 + $1.failed })
    }

    private static func meanSize(_ client: ClientResult) -> Double {
        client.batches == 0 ? 0 : Double(client.uris) / Double(client.batches)
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
        for standing in ranking {
            guard standing.runs > 0 else {
                table.add([plan.text(standing.values), "-", "-", "-", "-", "-", "-", "crashed", "-", "-"])
                continue
            }
            let errors = standing.errorsByName.max { ($0.value.median, $1.key) < ($1.value.median, $0.key) }
            table.add([
                plan.text(standing.values), rounded(standing.lookupsPerSecond.median), standing.smallP99.text,
                standing.smallInTime.map { "\(rounded($0.median))%" } ?? "-", rounded(standing.heavyP99.median),
                rounded(standing.dialsPerSecond.median), rounded(standing.timeWaitPeak.median),
                standing.crashes > 0
                    ? "crashed \(standing.crashes)x" : errors.map { "\($0.key) \(rounded($0.value.median))" } ?? "0",
                rounded(standing.threadsPeak.median), rounded(standing.rssPeakMiB.median),
            ])
        }
        let failures = runs.filter { $0.result == nil }.map {
            "not measured: \(plan.text($0.cell.values)), turn \($0.cell.turn): \($0.error ?? "")"
        }
        let ranked = ranking.isEmpty ? [] : table.lines + [""]
        return [""] + ranked + failures + findings
    }
}
