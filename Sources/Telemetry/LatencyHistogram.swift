internal import Histogram
internal import Units

/// Latencies from a microsecond to an hour, to three significant digits (HdrHistogram).
/// Longer ones count as an hour. It grows with the longest it has recorded: 200 KB at the most.
package struct LatencyHistogram: Sendable {
    /// Empty ones up to 2 ms, 65 ms, 4 s and an hour: a copy shares their memory until something is recorded. The package's
    /// own growth goes element by element, a few milliseconds each time, and whoever records here must not be late.
    private static let sizes: [Histogram<UInt64>] = [2_047, (1 << 16) - 1, (1 << 22) - 1, highest].map {
        Histogram(highestTrackableValue: $0, numberOfSignificantValueDigits: .three)
    }
    private static let highest: UInt64 = 3_600_000_000

    private var histogram = sizes[0]
    private var size = 0

    package init() {}

    /// Counts a latency.
    /// - Parameter count: how many latencies there were of that length, 1 or more.
    package mutating func record(_ latency: Duration, count: Int = 1) {
        record(microseconds: latency.wholeNanoseconds / 1000, count: count)
    }

    private mutating func record(microseconds: Int64, count: Int) {
        let value = Swift.min(UInt64(Swift.max(0, microseconds)), Self.highest)
        while !histogram.record(value, count: UInt64(count)) { grow(to: size + 1) }
    }

    private mutating func grow(to size: Int) {
        var larger = Self.sizes[size]
        larger.add(histogram)
        (histogram, self.size) = (larger, size)
    }

    /// Adds another histogram's counts.
    package mutating func add(_ other: LatencyHistogram) {
        if other.size > size { grow(to: other.size) }
        histogram.add(other.histogram)
    }

    package var count: Int { Int(histogram.totalCount) }

    /// Milliseconds at or under which `percent` of the latencies lie; nil when there are none.
    package func milliseconds(atPercentile percent: Double) -> Double? {
        count == 0 ? nil : Double(histogram.valueAtPercentile(percent)) / 1000
    }

    /// The longest, in milliseconds; nil when there are none.
    package var max: Double? { count == 0 ? nil : Double(histogram.max) / 1000 }

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
            record(microseconds: bucket.microseconds, count: bucket.count)
        }
    }
}
