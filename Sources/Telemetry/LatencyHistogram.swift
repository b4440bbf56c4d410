internal import Histogram
internal import Units

/// Latencies from a microsecond to an hour, to three significant digits (HdrHistogram).
/// Longer ones count as an hour. It grows with the longest it has recorded: 200 KB at the most.
package struct LatencyHistogram: Sendable {
    private static let highest: UInt64 = 3_600_000_000
    private var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)

    package init() {}

    /// Counts a latency.
    /// - Parameter count: how many latencies there were of that length, 1 or more.
    package mutating func record(_ latency: Duration, count: Int = 1) {
        record(microseconds: latency.wholeNanoseconds / 1000, count: UInt64(count))
    }

    private mutating func record(microseconds: Int64, count: UInt64) {
        histogram.record(Swift.min(UInt64(Swift.max(0, microseconds)), Self.highest), count: count)
    }

    /// Adds another histogram's counts.
    package mutating func add(_ other: LatencyHistogram) {
        for bucket in other.buckets { record(microseconds: bucket.microseconds, count: UInt64(bucket.count)) }
    }

    package var count: Int { Int(histogram.totalCount) }

    /// Milliseconds at or under which `percent` of the latencies lie; nil when there are none.
    package func milliseconds(atPercentile percent: Double) -> Double? {
        histogram.totalCount == 0 ? nil : Double(histogram.valueAtPercentile(percent)) / 1000
    }

    /// The longest, in milliseconds; nil when there are none.
    package var max: Double? { histogram.totalCount == 0 ? nil : Double(histogram.max) / 1000 }

    // MARK: What it holds

    /// Latencies that it does not tell apart.
    package struct Bucket: Sendable, Equatable {
        /// The longest of them.
        package var microseconds: Int64
        package var count: Int

        package init(microseconds: Int64, count: Int) {
            self.microseconds = microseconds
            self.count = count
        }
    }

    /// All that it holds, ascending: recorded again, it makes the same histogram.
    package var buckets: [Bucket] {
        histogram.recordedValues().map { .init(microseconds: Int64($0.value), count: Int($0.count)) }
    }

    /// The distribution by percentile in HdrHistogram's text form, which its plotters read (.hgrm), in milliseconds.
    package var percentileText: String {
        var text = ""
        histogram.outputPercentileDistribution(to: &text, outputValueUnitScalingRatio: 1000)
        return text
    }

    /// - Parameter buckets: as ``buckets`` gives them; nil when one has a count below 1, or the sum is too large.
    package init?(_ buckets: [Bucket]) {
        var sum = 0
        for bucket in buckets {
            let (next, overflows) = sum.addingReportingOverflow(bucket.count)
            guard bucket.count > 0, bucket.microseconds >= 0, !overflows else { return nil }
            sum = next
            record(microseconds: bucket.microseconds, count: UInt64(bucket.count))
        }
    }
}
