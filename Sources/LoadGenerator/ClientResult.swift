internal import PostRecords
internal import Telemetry
package import Text

/// What one client of a load asked for and got.
package struct ClientResult: Codable, Sendable, Equatable {
    /// Milliseconds at or under which that part of the batches was answered.
    package struct Latency: Codable, Sendable, Equatable {
        package var p50: Double
        package var p90: Double
        package var p99: Double
        package var p999: Double
        package var max: Double

        /// Nil when nothing was answered.
        init?(_ histogram: LatencyHistogram) {
            guard let p50 = histogram.milliseconds(atPercentile: 50),
                let p90 = histogram.milliseconds(atPercentile: 90),
                let p99 = histogram.milliseconds(atPercentile: 99),
                let p999 = histogram.milliseconds(atPercentile: 99.9), let max = histogram.max
            else { return nil }
            (self.p50, self.p90, self.p99, self.p999, self.max) = (p50, p90, p99, p999, max)
        }
    }

    package struct Records: Codable, Sendable, Equatable {
        package var found: Int
        package var empty: Int
    }

    /// The client's SLO, and how much of it was met.
    package struct SLO: Codable, Sendable, Equatable {
        package var ms: Double
        /// Batches answered within that time, with a post for every URI.
        package var met: Int
        /// Of all batches that were due; nil when none was.
        @ExplicitNull package var percent: Double?

        init(ms: Double, met: Int, of batches: Int) {
            self.ms = ms
            self.met = met
            percent = batches == 0 ? nil : 100 * Double(met) / Double(batches)
        }
    }

    package var name: String
    /// Batches that were due to start.
    package var batches: Int
    /// URIs in them.
    package var uris: Int
    /// Batches answered with a record, empty or not, for each URI.
    package var ok: Int
    /// Batches not answered so, by reason in ``errors``.
    package var failed: Int
    package var errors: [String: Int]
    package var records: Records
    /// Nil for a client without one.
    package var slo: SLO?
    /// From the intended start to the last byte of the answer; nil when nothing was answered.
    @ExplicitNull package var latencyMs: Latency?
    /// From sending to the last byte of the answer; nil when nothing was answered.
    @ExplicitNull package var serviceMs: Latency?

    /// Takes out what older versions wrote where nothing was measured: 0 ms, and all of no batches.
    package mutating func dropUnmeasured() {
        if ok == 0 { (latencyMs, serviceMs) = (nil, nil) }
        if batches == 0 { slo?.percent = nil }
    }
}
