package import Telemetry
package import Text

/// What one client of a load asked for and got. Every batch that was due is answered, failed, unanswered or unsent.
package struct ClientResult: Codable, Sendable, Equatable {
    /// Milliseconds at or under which that part of the batches was answered.
    package struct Latency: Codable, Sendable, Equatable {
        package var p50: Double
        package var p90: Double
        package var p99: Double
        package var p999: Double
        package var max: Double

        /// Nil when nothing was answered.
        package init?(_ histogram: LatencyHistogram) {
            guard let all = LatencyOfAll(answered: histogram, waited: LatencyHistogram()), let p50 = all.p50,
                let p90 = all.p90, let p99 = all.p99, let p999 = all.p999, let max = all.max
            else { return nil }
            (self.p50, self.p90, self.p99, self.p999, self.max) = (p50, p90, p99, p999, max)
        }
    }

    /// Records in the answers, found and not.
    package struct Records: Codable, Sendable, Equatable {
        package var found: Int
        package var empty: Int
    }

    /// The client's SLO, and how much of it was met.
    package struct SLO: Codable, Sendable, Equatable {
        package var ms: Double
        /// Batches answered within that time, with a post for each URI.
        package var met: Int
        /// Of all batches that were due; nil when none was.
        @ExplicitNull package var percent: Double?

        init(ms: Double, met: Int, of batches: Int) {
            self.ms = ms
            self.met = met
            percent = batches == 0 ? nil : 100 * Double(met) / Double(batches)
        }
    }

    /// Connections opened, kept and lost.
    package struct Connections: Codable, Sendable, Equatable {
        /// Connects that were tried, failed ones too.
        package var opened: Int
        /// Batches that were in flight at once: as many connections does a perfect run need.
        package var needed: Int
        /// Batches sent once more, because the kept-alive connection they were sent on was closed by the server.
        package var redialled: Int
    }

    package var name: String
    /// Batches that were due to start.
    package var batches: Int
    /// URIs in them.
    package var uris: Int
    /// Batches answered with a record, empty or not, for each URI.
    package var ok: Int
    /// Batches that ended otherwise, by reason in ``errors``.
    package var failed: Int
    package var errors: [String: Int]
    package var records: Records
    /// Batches answered with a post for each URI; nil in results of versions that did not count them.
    package var complete: Int?
    /// Nil for a client without one.
    package var slo: SLO?
    /// From the intended start to the last byte of the answer; nil when nothing was answered.
    @ExplicitNull package var latencyMs: Latency?
    /// From the first byte sent to the last byte of the answer: what is left when waiting for the generator and for
    /// earlier batches is left out. Nil when nothing was answered.
    @ExplicitNull package var serviceMs: Latency?

    /// The same as ``batches``.
    package var due: Int
    /// The same as ``ok``.
    package var answered: Int
    /// Batches that were in flight when the load was ended.
    package var unanswered: Int
    /// Batches of which no byte was sent.
    package var unsent: Int
    /// Of all batches that were due; nil when none was.
    @ExplicitNull package var latencyAllMs: LatencyOfAll?
    /// From the intended start to the first byte sent; nil when nothing was sent.
    @ExplicitNull package var sendLagMs: Latency?
    /// ``latencyMs`` from the median to the longest; empty when nothing was answered.
    package var distribution: [DistributionPoint]
    // Nil in results of versions that did not count them.
    package var connections: Connections?
    /// Answers by their HTTP status.
    package var statuses: [String: Int]?
    /// In the bodies of all answers.
    package var answerBytes: Int?

    /// Whether every batch ended in one way, and every failure has a name.
    var addsUp: Bool {
        ([batches, uris, ok, failed, unanswered, unsent] + errors.values).allSatisfy { $0 >= 0 }
            && batches == ok + failed + unanswered + unsent && failed == errors.values.reduce(0, +)
            && due == batches && answered == ok
    }

    /// ``distribution`` among all batches that were due: one that was not answered is above all that were.
    package var distributionOfAll: [DistributionPoint] {
        guard due > 0 else { return [] }
        return distribution.map { point in
            .init(
                percentile: 100 * Double(answered - point.above) / Double(due),
                ms: point.ms,
                above: point.above + due - answered
            )
        }
    }

    /// Takes out what older versions wrote where nothing was measured: 0 ms, and all of no batches.
    package mutating func dropUnmeasured() {
        if ok == 0 { (latencyMs, serviceMs) = (nil, nil) }
        if batches == 0 { slo?.percent = nil }
    }
}

extension ClientResult {
    /// Takes results of versions that did not tell how batches ended that were not answered.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        batches = try values.decode(Int.self, forKey: .batches)
        uris = try values.decode(Int.self, forKey: .uris)
        ok = try values.decode(Int.self, forKey: .ok)
        failed = try values.decode(Int.self, forKey: .failed)
        errors = try values.decode([String: Int].self, forKey: .errors)
        records = try values.decode(Records.self, forKey: .records)
        complete = try values.decodeIfPresent(Int.self, forKey: .complete)
        slo = try values.decodeIfPresent(SLO.self, forKey: .slo)
        latencyMs = try values.decodeIfPresent(Latency.self, forKey: .latencyMs)
        serviceMs = try values.decodeIfPresent(Latency.self, forKey: .serviceMs)
        due = try values.decodeIfPresent(Int.self, forKey: .due) ?? batches
        answered = try values.decodeIfPresent(Int.self, forKey: .answered) ?? ok
        unsent = try values.decodeIfPresent(Int.self, forKey: .unsent) ?? 0
        unanswered = try values.decodeIfPresent(Int.self, forKey: .unanswered) ?? max(0, batches - ok - failed - unsent)
        latencyAllMs = try values.decodeIfPresent(LatencyOfAll.self, forKey: .latencyAllMs)
        sendLagMs = try values.decodeIfPresent(Latency.self, forKey: .sendLagMs)
        distribution = try values.decodeIfPresent([DistributionPoint].self, forKey: .distribution) ?? []
        connections = try values.decodeIfPresent(Connections.self, forKey: .connections)
        statuses = try values.decodeIfPresent([String: Int].self, forKey: .statuses)
        answerBytes = try values.decodeIfPresent(Int.self, forKey: .answerBytes)
    }
}
