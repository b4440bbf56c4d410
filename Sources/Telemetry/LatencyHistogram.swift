internal import Histogram
internal import Units

/// Latencies from a microsecond to an hour, to three significant digits (HdrHistogram).
/// Longer ones count as an hour.
package struct LatencyHistogram: Sendable {
    private static let highest: UInt64 = 3_600_000_000
    private var histogram = Histogram<UInt64>(highestTrackableValue: highest, numberOfSignificantValueDigits: .three)

    package init() {}

    package mutating func record(_ latency: Duration) {
        let microseconds = UInt64(Swift.max(0, latency.wholeNanoseconds / 1000))
        histogram.record(Swift.min(microseconds, Self.highest))
    }

    package var count: Int { Int(histogram.totalCount) }

    /// Milliseconds at or under which `percent` of the latencies lie; nil when there are none.
    package func milliseconds(atPercentile percent: Double) -> Double? {
        histogram.totalCount == 0 ? nil : Double(histogram.valueAtPercentile(percent)) / 1000
    }

    /// The longest, in milliseconds; nil when there are none.
    package var max: Double? { histogram.totalCount == 0 ? nil : Double(histogram.max) / 1000 }
}
