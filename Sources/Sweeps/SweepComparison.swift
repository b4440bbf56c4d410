internal import LoadGenerator
internal import PostRecords
package import Results
internal import Text

/// Two sweeps, combination by combination: what the small callers got, told apart where the repeats can tell it.
package struct SweepComparison {
    /// One combination that both have measured.
    package struct Row {
        package var combination: String
        package var before: Aggregate
        package var after: Aggregate
        /// What became worse; nil where nothing did that is more than noise.
        package var regression: String?
        /// What the difference in the small callers' p99 is: a change, within the noise, or not known.
        package var finding: String
    }

    package private(set) var rows: [Row] = []
    /// Combinations that only one of them has.
    package private(set) var missing: [String] = []

    /// - Parameters:
    ///   - before: analyzed, as `after` is.
    ///   - tolerance: share of the value before that is noise whatever the repeats say.
    package init(_ before: SweepResult, _ after: SweepResult, tolerance: Double) {
        func named(_ sweep: SweepResult) -> [(name: String, one: Aggregate)] {
            sweep.ranking.map { (sweep.plan.text($0.values), $0) }
        }
        let old = named(before)
        let new = Dictionary(named(after).map { ($0.name, $0.one) }, uniquingKeysWith: { $1 })
        let noise = Noise(before.ranking + after.ranking)
        for (name, one) in old {
            guard let other = new[name] else {
                missing.append("\(name): not measured after")
                continue
            }
            rows.append(Self.row(name, one, other, noise, tolerance))
        }
        let names = Set(old.map(\.name))
        missing += named(after).map(\.name).filter { !names.contains($0) }.map { "\($0): not measured before" }
    }

    package var regressions: [String] {
        rows.compactMap { row in row.regression.map { "\(row.combination): \($0)" } }
    }

    private static func row(
        _ name: String,
        _ before: Aggregate,
        _ after: Aggregate,
        _ noise: Noise,
        _ tolerance: Double
    ) -> Row {
        var row = Row(combination: name, before: before, after: after, finding: "-")
        if before.isFeasible, !after.isFeasible {
            row.regression = "was without failures, and now: \(after.fault)"
            row.finding = "fails now"
            return row
        }
        if !before.isFeasible, after.isFeasible {
            row.finding = "no longer fails"
            return row
        }
        guard let old = before.smallP99?.median, let new = after.smallP99?.median else {
            if before.smallP99 != nil {
                row.regression = "no answer to the small callers was measured any more"
            }
            return row
        }
        let ratio = old > 0 ? new / old : 1
        if abs(ratio - 1) <= tolerance {
            row.finding = "same"
        } else if !noise.separates(before, after) {
            row.finding =
                min(before.runs, after.runs) < 3 && noise.factor == nil ? "not known: no repeats" : "within the noise"
        } else {
            let factor = ratio >= 1 ? "×\(rounded(ratio))" : "÷\(rounded(1 / ratio))"
            row.finding = factor
            if ratio > 1 {
                row.regression =
                    "small callers' p99 \(before.smallP99?.text ?? "-") → \(after.smallP99?.text ?? "-") ms (\(factor))"
            }
        }
        return row
    }
}
