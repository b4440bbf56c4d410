internal import Telemetry

/// What one client of a load asked for and got.
package struct ClientResult: Codable, Sendable, Equatable {
    /// Milliseconds at or under which that part of the batches was answered.
    package struct Latency: Codable, Sendable, Equatable {
        package var p50: Double
        package var p90: Double
        package var p99: Double
        package var p999: Double
        package var max: Double

        init(_ histogram: LatencyHistogram) {
            p50 = histogram.milliseconds(atPercentile: 50)
            p90 = histogram.milliseconds(atPercentile: 90)
            p99 = histogram.milliseconds(atPercentile: 99)
            p999 = histogram.milliseconds(atPercentile: 99.9)
            max = histogram.max
        }
    }

    package struct Records: Codable, Sendable, Equatable {
        package var found: Int
        package var empty: Int
    }

    /// What the client was promised, and what became of it.
    package struct Objective: Codable, Sendable, Equatable {
        package var ms: Double
        /// Batches answered within that time, with a post for every URI.
        package var met: Int
        package var percent: Double

        init(ms: Double, met: Int, of batches: Int) {
            self.ms = ms
            self.met = met
            percent = batches == 0 ? 100 : 100 * Double(met) / Double(batches)
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
    /// Nil for a client that was promised nothing.
    package var slo: Objective?
    /// From the intended start to the last byte of the answer.
    package var latencyMs: Latency
    /// From sending to the last byte of the answer.
    package var serviceMs: Latency
}
