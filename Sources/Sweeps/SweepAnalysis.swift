internal import FanOut
internal import KernelProbe
internal import LoadGenerator
internal import Memcached
internal import PostRecords
package import Results
internal import Text

extension SweepResult {
    /// Reads what was measured and analyzes it: a file of a sweep that goes on has no analysis yet, and an older one another.
    /// - Throws: ``RunResult/FormatError``
    package init(analyzing json: [UInt8]) throws(RunResult.FormatError) {
        try self.init(json: json)
        analyze()
    }

    /// Ranks the combinations by what the small callers waited, finds the knee, and recommends: all of it from the runs
    /// there are.
    package mutating func analyze() {
        let byValues = Dictionary(grouping: runs, by: \.cell.values)
        ranking = plan.grid.compactMap { values in
            byValues[values].map { own in
                let measures = own.compactMap { $0.measures(plan) }
                return Aggregate(
                    values,
                    measures,
                    crashes: own.count - measures.count,
                    sustainable: sustainableDials(values)
                )
            }
        }.sorted { Self.rank($0) < Self.rank($1) }
        let (chosen, reasons) = recommendation
        recommended = chosen.map(plan.named)
        findings = reasons + LimitKnees(plan, ranking).lines + leftOut + unmeasured + invalid
    }

    /// Dials a second that the ports sustain with the dialer of a combination.
    private func sustainableDials(_ values: [String]) -> Double {
        // What somebody's own server does with its ports was seen.
        guard plan.service == nil else { return .infinity }
        var settings = Settings()
        settings.apply((try? plan.settings(values)) ?? [])
        let fanOut = settings.fanOut
        guard case .bind = fanOut.dialer, let range = environment?.portRange, range.count == 2 else { return .infinity }
        // Its own connections leave no TIME_WAIT at this end.
        guard fanOut.close == .client, fanOut.socketOptions.linger == .off else { return .infinity }
        let own = fanOut.socketOptions.localPorts.map { Int($0.lowest)...Int($0.highest) } ?? range[0]...range[1]
        let (low, high) = (max(range[0], own.lowerBound), min(range[1], own.upperBound))
        return low > high ? 0 : PortRange(lowestPort: low, highestPort: high).sustainableDialsPerSecond
    }

    /// Feasible ones first, of which nothing failed before those of which in most runs nothing did; those without
    /// answers last. Each by what the small callers got: complete and within the SLO, and how late at worst.
    private static func rank(_ one: Aggregate) -> (Int, Double, Double) {
        let group =
            switch (one.isFeasible, one.isAnswered, one.runs > 0) {
            case (true, _, _): one.isClean ? 0 : 1
            case (false, true, _): 2
            case (false, false, true): 3
            case (false, false, false): 4
            }
        return (group, one.smallInTime.map { -$0.median } ?? .infinity, one.smallP99?.median ?? .infinity)
    }

    /// The values that are recommended, nil where the measurements do not tell; and what is to be said of it.
    private var recommendation: (values: [String]?, lines: [String]) {
        guard let best = ranking.first, best.runs > 0 else { return (nil, ["Nothing was measured."]) }
        guard best.isFeasible else {
            let least = best.isAnswered ? " Best for the small callers: \(plan.text(best.values)): \(best.fault)." : ""
            return (
                nil,
                ["No combination of this grid answers everything without failures and sustains its dials.\(least)"]
            )
        }
        let feasible = ranking.filter(\.isFeasible)
        let noise = Noise(feasible)
        // What cannot be told from the best may be chosen for other reasons: for what all callers together got, then
        // for dialling less. Without a repeat nothing is known to be told from it, and the best stands for itself.
        let others =
            noise.factor == nil
            ? [] : feasible.dropFirst().filter { $0.isClean == best.isClean && !noise.separates($0, best) }
        let (chosen, reason) = Self.choice(best, others)
        let facts =
            failures(of: chosen) + "; small callers' p99 \(chosen.smallP99?.text ?? "-") ms; "
            + (plan.service == nil
                ? "\(chosen.lookupsPerSecond?.text ?? "-") lookups a second; "
                : "complete \(chosen.completePercent?.text ?? "-")%; ports held at once "
                    + "\(chosen.portsInUsePeak?.text ?? "-"); ")
            + "\(chosen.dialsPerSecond?.text ?? "-") dials a second."
        let values = chosen.runs > 1 ? chosen.values : nil
        var lines = [
            values != nil
                ? "Recommended: \(plan.text(chosen.values)). \(facts)"
                : "Not enough measurements to recommend one: \(plan.text(chosen.values)) is best so far, measured once. \(facts)"
        ]
        if !others.isEmpty {
            let names = ([best] + others).filter { $0.values != chosen.values }.map { plan.text($0.values) }
            lines.append(
                "For the small callers these differ from it by no more than the noise: \(names.prefix(6).joined(separator: "; "))"
                    + (names.count > 6 ? "; and \(names.count - 6) more" : "")
                    + ". It was chosen among them for \(reason)."
            )
        }
        guard feasible.contains(where: { $0.runs < 3 }) else { return (values, lines) }
        let seen =
            noise.factor.map { "Repeats of one combination differ by a factor of up to \(rounded($0))" }
            ?? "How far repeats of one combination differ was not measured"
        lines.append("\(seen); fewer than three are not enough to know the noise. Add --repeat 3.")
        return (values, lines)
    }

    private func failures(of chosen: Aggregate) -> String {
        let batches = chosen.failedBatches?.text ?? "-"
        if plan.service != nil { return chosen.isClean ? "No failed batch" : "Failed batches \(batches)" }
        return chosen.isClean ? "No failed lookup" : "Failed lookups \(chosen.errors?.text ?? "-"), batches \(batches)"
    }

    /// The one to take of several that the small callers cannot tell apart, and what for.
    private static func choice(_ best: Aggregate, _ others: [Aggregate]) -> (Aggregate, reason: String) {
        func lookups(_ one: Aggregate) -> Double { (one.lookupsPerSecond ?? one.answersPerSecond)?.median ?? 0 }
        func dials(_ one: Aggregate) -> Double { one.dialsPerSecond?.median ?? .infinity }
        let equals = [best] + others
        let most = equals.map(lookups).max() ?? 0
        let fast = equals.filter { lookups($0) >= 0.95 * most }
        let least = fast.map(dials).min() ?? 0
        let chosen = fast.first { dials($0) <= least + 1 } ?? best
        let reason =
            if lookups(best) < 0.95 * most {
                best.lookupsPerSecond == nil ? "its answers a second" : "its lookups a second"
            } else if dials(best) > least + 1 {
                "dialling less"
            } else {
                "its median"
            }
        return (chosen, reason)
    }

    private var leftOut: [String] {
        Dictionary(grouping: plan.leftOut, by: \.reason).sorted { $0.key < $1.key }
            .map { "Left out: \($0.key) (\($0.value.count) of \(plan.combinations) combinations)." }
    }

    /// Runs in which the load was not what it should have been.
    private var invalid: [String] {
        let reasons = runs.compactMap { run in run.service?.invalidBecause.map { (plan.text(run.cell.values), $0) } }
        guard let (values, reason) = reasons.first else { return [] }
        return [
            "Not the load that was asked for in \(reasons.count) of \(runs.count) runs, as in \(values): \(reason)."
        ]
    }

    private var unmeasured: [String] {
        let grid = plan.grid
        let planned = grid.count * max(1, plan.repetitions)
        guard runs.contains(where: \.isMeasured), runs.count < planned else { return [] }
        let counts = Dictionary(grouping: runs, by: \.cell.values).mapValues(\.count)
        let missing = grid.compactMap { values -> String? in
            let left = max(1, plan.repetitions) - (counts[values] ?? 0)
            return left > 0 ? "\(plan.text(values)) (\(left) of \(max(1, plan.repetitions)))" : nil
        }
        return [
            "\(planned - runs.count) of \(planned) runs were not played; --resume plays them. Missing: "
                + missing.prefix(6).joined(separator: "; ")
                + (missing.count > 6 ? "; and of \(missing.count - 6) more combinations" : "") + "."
        ]
    }
}
