internal import Glibc
internal import Histogram
internal import Units

/// Latencies from a microsecond to an hour, to three significant digits, in the layout of HdrHistogram.
/// Longer ones count as an hour. It grows with the longest it has recorded: 200 KB at the most.
///
/// It keeps its own counts: the package's grow element by element, a few milliseconds each time, and whoever records here
/// has hundreds of callers and must not be late.
package struct LatencyHistogram: Sendable {
    private static let highest: UInt64 = 3_600_000_000
    /// The first 2,048 microseconds are told apart one by one; of each doubling from there on there are 1,024 parts.
    private static let firstBits = 11
    private static let half = 1 << (firstBits - 1)

    private var counts: [Int] = []
    package private(set) var count = 0
    /// The longest, in microseconds.
    private var longest: UInt64 = 0

    package init() {}

    /// Counts a latency.
    /// - Parameter count: how many latencies there were of that length, 1 or more.
    package mutating func record(_ latency: Duration, count: Int = 1) {
        record(microseconds: latency.wholeNanoseconds / 1000, count: count)
    }

    private mutating func record(microseconds: Int64, count: Int) {
        let value = Swift.min(UInt64(Swift.max(0, microseconds)), Self.highest)
        let index = Self.index(of: value)
        if index >= counts.count { grow(toHold: index) }
        counts[index] += count
        self.count += count
        longest = Swift.max(longest, value)
    }

    /// Adds another histogram's counts.
    package mutating func add(_ other: LatencyHistogram) {
        if other.counts.count > counts.count { grow(toHold: other.counts.count - 1) }
        for index in other.counts.indices where other.counts[index] != 0 { counts[index] += other.counts[index] }
        count += other.count
        longest = Swift.max(longest, other.longest)
    }

    /// Milliseconds at or under which `percent` of the latencies lie; nil when there are none.
    package func milliseconds(atPercentile percent: Double) -> Double? {
        guard count > 0 else { return nil }
        guard percent < 100 else { return Double(longest) / 1000 }
        // A rank that rounding has made a little more than a whole number is that number.
        var left = Swift.max(1, Int((Swift.max(0, percent.nextDown) * Double(count) / 100).rounded(.up)))
        for index in counts.indices {
            left -= counts[index]
            if left <= 0 { return Double(Swift.min(Self.highestValue(at: index), longest)) / 1000 }
        }
        return nil
    }

    /// The longest, in milliseconds; nil when there are none.
    package var max: Double? { count == 0 ? nil : Double(Self.highestValue(at: Self.index(of: longest))) / 1000 }

    // MARK: Layout

    private static func index(of value: UInt64) -> Int {
        let doublings = 64 - firstBits - (value | (1 << firstBits - 1)).leadingZeroBitCount
        return doublings * half + Int(value >> doublings)
    }

    /// The longest of the latencies that are counted together.
    private static func highestValue(at index: Int) -> UInt64 {
        let doublings = Swift.max(0, index / half - 1)
        return UInt64(index - doublings * half + 1) << doublings - 1
    }

    private mutating func grow(toHold index: Int) {
        let kept = counts
        let size = (index / Self.half + 1) * Self.half
        counts = [Int](unsafeUninitializedCapacity: size) { space, filled in
            let bytes = UnsafeMutableRawBufferPointer(space)
            memset(bytes.baseAddress!, 0, bytes.count)
            kept.withUnsafeBytes { bytes.copyMemory(from: $0) }
            filled = size
        }
    }

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
        var buckets: [Bucket] = []
        for index in counts.indices where counts[index] != 0 {
            buckets.append(.init(microseconds: Int64(Self.highestValue(at: index)), count: counts[index]))
        }
        return buckets
    }

    /// The distribution by percentile in HdrHistogram's text form, which its plotters read (.hgrm), in milliseconds.
    package var percentileText: String {
        var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
        for bucket in buckets { histogram.record(UInt64(bucket.microseconds), count: UInt64(bucket.count)) }
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
