/// Counts values in buckets with fixed upper bounds, as a Prometheus histogram does.
package struct BucketHistogram: Sendable, Equatable {
    /// Upper bounds, each included in its bucket, ascending; one bucket more takes the rest.
    package let bounds: [Double]
    /// Values in each bucket, the last without a bound.
    package private(set) var counts: [Int]
    package private(set) var sum = 0.0

    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package var count: Int { counts.reduce(0, +) }

    /// Counts a value into its bucket.
    package mutating func record(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }

    /// Adds another histogram's counts.
    package mutating func add(_ other: BucketHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum += other.sum
    }

    /// URIs in a batch: normal callers send 1 to 50, the incident's 15,000 to 20,000.
    package static let batchSizes = BucketHistogram(bounds: [
        1, 5, 10, 20, 50, 100, 500, 1000, 5000, 10_000, 15_000, 20_000, 50_000,
    ])

    /// Seconds from request to answer.
    package static let latencies = BucketHistogram(bounds: [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ])
}
