internal import POSIX

/// Several measurements of one thing.
struct Timings {
    private let sorted: [Double]

    /// - Parameter body: run so many times, and timed in `unit`.
    init(_ count: Int, in unit: Duration, _ body: () throws -> Void) rethrows {
        sorted = try (0..<count).map { _ in
            let begin = MonotonicInstant.now
            try body()
            return (MonotonicInstant.now - begin) / unit
        }.sorted()
    }

    /// Median, least and most.
    var text: String {
        let short = [sorted[sorted.count / 2], sorted[0], sorted[sorted.count - 1]].map { ($0 * 10).rounded() / 10 }
        return "\(short[0]) (\(short[1])-\(short[2]))"
    }
}
