package import HTTP
package import Text
internal import Units

/// A whole run of the load generator, or of several together, as `--json` writes it.
package struct LoadResult: Codable, Sendable {
    /// The options that a result was obtained with.
    package struct Asked: Codable, Sendable, Equatable {
        package var client: String
        /// Nil where only the run could tell: for Poisson arrivals and closed loops.
        @ExplicitNull package var batches: Int?

        package init(client: String, batches: Int?) {
            self.client = client
            self.batches = batches
        }
    }

    package static let schema = "spiral-load/2"

    package var schema = LoadResult.schema
    package var target: String
    package var seed: UInt64
    /// Asked for, in seconds, without the warm-up.
    package var duration: Double
    /// From the first batch due to the last one ended, in seconds, without the warm-up.
    package var elapsed: Double
    /// Whether a signal ended it early.
    package var interrupted: Bool
    package var asked: [Asked]
    package var clients: [ClientResult]
    /// What the latencies of each client are made of, so that results can be merged.
    package var histograms: [String: ClientRecord.Histograms]

    // Of all clients together.
    package var due: Int
    package var answered: Int
    package var failed: Int
    package var unanswered: Int
    package var unsent: Int
    @ExplicitNull package var latencyMs: ClientResult.Latency?
    @ExplicitNull package var latencyAllMs: LatencyOfAll?
    /// From when a batch was due to its first byte; nil when nothing was sent.
    @ExplicitNull package var sendLagMs: ClientResult.Latency?

    /// Of each generator.
    package var generators: [GeneratorReport]
    /// Whether it was the load that was asked for: false when the generator ran out of something.
    package var valid: Bool
    /// Of what it ran out; nil for a valid run.
    @ExplicitNull package var invalidBecause: String?

    /// How a run was asked for, and how it ended.
    package struct Run: Sendable {
        package var target: Target
        package var seed: UInt64
        package var duration: Duration
        package var elapsed: Duration
        package var interrupted: Bool
        /// What was asked of each client.
        package var asked: [Asked]

        package init(
            target: Target,
            seed: UInt64,
            duration: Duration,
            elapsed: Duration,
            interrupted: Bool,
            asked: [Asked]
        ) {
            self.target = target
            self.seed = seed
            self.duration = duration
            self.elapsed = elapsed
            self.interrupted = interrupted
            self.asked = asked
        }
    }

    package init(_ run: Run, _ records: [ClientRecord], _ generator: GeneratorReport, _ validity: LoadValidity) {
        self.init(
            target: run.target.description,
            seed: run.seed,
            duration: run.duration.inSeconds,
            elapsed: run.elapsed.inSeconds,
            interrupted: run.interrupted,
            asked: run.asked,
            records,
            [generator],
            reasons: validity.reasons
        )
    }

    init(
        target: String,
        seed: UInt64,
        duration: Double,
        elapsed: Double,
        interrupted: Bool,
        asked: [Asked],
        _ records: [ClientRecord],
        _ generators: [GeneratorReport],
        reasons: [String]
    ) {
        self.target = target
        self.seed = seed
        self.duration = duration
        self.elapsed = elapsed
        self.interrupted = interrupted
        self.asked = asked
        self.generators = generators
        clients = records.map(\.result)
        histograms = Dictionary(uniqueKeysWithValues: records.map { ($0.name, $0.histograms) })
        var all = ClientRecord(name: "all")
        for record in records { all.add(record) }
        let result = all.result
        due = result.due
        answered = result.answered
        failed = result.failed
        unanswered = result.unanswered
        unsent = result.unsent
        latencyMs = result.latencyMs
        latencyAllMs = result.latencyAllMs
        sendLagMs = result.sendLagMs
        valid = reasons.isEmpty
        invalidBecause = reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }
}
