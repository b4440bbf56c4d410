package import Telemetry
package import Text

/// Milliseconds at or under which that part of all batches that were due was answered.
///
/// A batch that was not answered took longer than any that was. Where a percentile falls on one it is not known: nil, and
/// ``atLeastMs`` says what it is at least.
package struct LatencyOfAll: Codable, Sendable, Equatable {
    @ExplicitNull package var p50: Double?
    @ExplicitNull package var p90: Double?
    @ExplicitNull package var p99: Double?
    @ExplicitNull package var p999: Double?
    @ExplicitNull package var max: Double?
    /// The least that the lowest unknown percentile can be, from how long batches had waited when they failed or were given
    /// up; nil where all are known.
    @ExplicitNull package var atLeastMs: Double?

    /// Nil when no batch was due.
    /// - Parameters:
    ///   - answered: latencies of the answered batches.
    ///   - waited: how long each of the others had waited.
    package init?(answered: LatencyHistogram, waited: LatencyHistogram) {
        let count = answered.count + waited.count
        guard count > 0 else { return nil }
        var all = answered
        all.add(waited)
        var atLeast: Double?
        func value(_ percent: Double) -> Double? {
            // What rounding adds to a whole number is no rank more.
            let rank = Swift.max(1, Int((percent * Double(count) / 100 - 1e-6).rounded(.up)))
            if rank <= answered.count { return answered.milliseconds(atRank: rank) }
            if atLeast == nil { atLeast = all.milliseconds(atRank: rank) }
            return nil
        }
        (p50, p90, p99, p999) = (value(50), value(90), value(99), value(99.9))
        max = value(100)
        atLeastMs = atLeast
    }

    /// A percentile as a table has it: `12.3`, or `> 500` where no more is known.
    package func text(_ percentile: Double?, _ rounded: (Double) -> String) -> String {
        if let percentile { return rounded(percentile) }
        return atLeastMs.map { "> \(rounded($0))" } ?? "-"
    }
}

extension LatencyHistogram {
    /// Milliseconds of the latency at a rank, the shortest having rank 1; nil beyond the longest.
    func milliseconds(atRank rank: Int) -> Double? {
        var left = rank
        for bucket in buckets {
            left -= bucket.count
            if left <= 0 { return Double(bucket.microseconds) / 1000 }
        }
        return nil
    }
}

/// A point of a distribution by percentile.
package struct DistributionPoint: Codable, Sendable, Equatable {
    /// From 0 to 100.
    package var percentile: Double
    package var ms: Double
    /// Batches above it.
    package var above: Int

    /// From the shortest to the longest, with five points for each halving of what is left above: 50, 60, 70, ... 75, 80,
    /// ... 87.5, ... as HdrHistogram's plots have it.
    package static func points(of histogram: LatencyHistogram) -> [DistributionPoint] {
        let count = histogram.count
        guard count > 0 else { return [] }
        var points: [DistributionPoint] = []
        var seen = 0
        var next = 0.0
        for bucket in histogram.buckets {
            seen += bucket.count
            let percentile = 100 * Double(seen) / Double(count)
            guard percentile >= next else { continue }
            points.append(.init(percentile: percentile, ms: Double(bucket.microseconds) / 1000, above: count - seen))
            while next <= percentile, next < 100 {
                // The half that `next` lies in: 0 to 50, 50 to 75, 75 to 87.5.
                var half = 50.0
                while 100 - next <= half { half /= 2 }
                next += half / 5
                if next > 99.99999 { next = 100 }
            }
        }
        return points
    }
}
