internal import LoadGenerator
internal import PostRecords
internal import Text

/// What a sweep has measured, as `--json` writes it.
package struct SweepResult: Codable, Sendable {
    package static let currentSchema = "spiral-sweep/2"

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

        package init(
            values: [String],
            runs: Int,
            crashes: Int,
            lookupsPerSecond: Spread,
            heavyP99: Spread,
            smallP99: Spread,
            smallInTime: Spread? = nil,
            errors: Spread,
            errorsByName: [String: Spread],
            dialsPerSecond: Spread,
            failedDialsPerSecond: Spread,
            timeWaitPeak: Spread,
            threadsPeak: Spread,
            rssPeakMiB: Spread,
            failedBatches: Spread,
            exhaustsPorts: Bool
        ) {
            self.values = values
            self.runs = runs
            self.crashes = crashes
            self.lookupsPerSecond = lookupsPerSecond
            self.heavyP99 = heavyP99
            self.smallP99 = smallP99
            self.smallInTime = smallInTime
            self.errors = errors
            self.errorsByName = errorsByName
            self.dialsPerSecond = dialsPerSecond
            self.failedDialsPerSecond = failedDialsPerSecond
            self.timeWaitPeak = timeWaitPeak
            self.threadsPeak = threadsPeak
            self.rssPeakMiB = rssPeakMiB
            self.failedBatches = failedBatches
            self.exhaustsPorts = exhaustsPorts
        }
    }

    /// Several measurements of one figure.
    package struct Spread: Codable, Sendable, Equatable {
        package var median: Double
        package var min: Double
        package var max: Double

        package init(_ values: [Double]) {
            let sorted = values.sorted()
            let middle = sorted.count / 2
            median =
                sorted.isEmpty
                ? 0 : sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
            min = sorted.first ?? 0
            max = sorted.last ?? 0
        }

        /// Whether the two could be the same: their ranges meet.
        package func overlaps(_ other: Spread) -> Bool { min <= other.max && other.min <= max }

        package var text: String {
            rounded(min) == rounded(max) ? rounded(median) : "\(rounded(median)) (\(rounded(min))–\(rounded(max)))"
        }
    }

    private struct Head: Decodable {
        var schema: String
    }

    /// Whether it is the JSON of a sweep, of whatever version.
    package static func claimsToBeOne(_ json: [UInt8]) -> Bool {
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
                "errors_by_name", "dials_ok", "dials_failed", "time_wait_peak", "in_flight_peak", "threads_peak",
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
                    "\(result.lookups.failed)", names.joined(separator: ";"), "\(result.dials.ok)",
                    "\(result.dials.failed)", "\(result.timeWaitPeak)", "\(result.inFlightPeak)",
                    "\(result.threadsPeak)",
                    "\(result.rssPeakBytes)", "\(measures.failedBatches)", "\(result.duration)", "",
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
