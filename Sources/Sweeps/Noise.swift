internal import Results

/// How far measurements of one combination lie apart by chance, from the repeats that there are.
struct Noise {
    /// The largest that was seen, as a factor; nil when nothing was measured twice.
    let factor: Double?

    /// - Parameter aggregates: those to be told apart.
    init(_ aggregates: [Aggregate]) {
        factor = aggregates.compactMap { one in
            guard one.runs >= 2, let spread = one.smallP99, spread.min > 0 else { return nil }
            return spread.max / spread.min
        }.max()
    }

    /// Whether the small callers can tell two combinations apart by their p99. They cannot while no noise is known.
    func separates(_ left: Aggregate, _ right: Aggregate) -> Bool {
        guard let left = range(of: left), let right = range(of: right) else { return false }
        return left.upperBound < right.lowerBound || right.upperBound < left.lowerBound
    }

    /// Where the small callers' p99 may lie: where it was seen, and of fewer than three measurements as far around
    /// them as others have been seen apart.
    private func range(of aggregate: Aggregate) -> ClosedRange<Double>? {
        guard let seen = aggregate.smallP99 else { return nil }
        if aggregate.runs >= 3 { return seen.min...seen.max }
        guard let factor else { return nil }
        let reach = factor.squareRoot()
        return min(seen.min, seen.median / reach)...max(seen.max, seen.median * reach)
    }
}
