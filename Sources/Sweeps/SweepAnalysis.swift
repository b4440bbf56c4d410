internal import FanOut
internal import KernelProbe
internal import LoadGenerator
internal import Memcached
internal import PostRecords
package import Results
internal import Text

extension SweepResult {
    /// Ranks the combinations by what the small callers paid, finds the knee, and recommends.
    package mutating func conclude() {
        ranking = plan.grid.compactMap(standing).sorted(by: isBetter)
        findings = recommendation + knees + leftOut
    }

    private func standing(_ values: [String]) -> Standing? {
        let own = runs.filter { $0.cell.values == values }
        guard !own.isEmpty else { return nil }
        let results = own.compactMap(\.result)
        let measures = results.map(RunMeasures.init)
        func spread(_ value: (PhaseResult) -> Double) -> Spread { Spread(results.map(value)) }
        let inTime = measures.compactMap(\.smallInTime)
        let names = Set(results.flatMap(\.lookups.errors.keys))
        let attempts = spread { Double($0.dials.ok + $0.dials.failed) / max($0.duration, 1e-3) }
        return Standing(
            values: values,
            runs: results.count,
            crashes: own.count - results.count,
            lookupsPerSecond: Spread(measures.map(\.lookupsPerSecond)),
            heavyP99: Spread(measures.map(\.heavyP99)),
            smallP99: Spread(measures.map(\.smallP99)),
            smallInTime: inTime.isEmpty ? nil : Spread(inTime),
            errors: spread { Double($0.lookups.failed) },
            errorsByName: Dictionary(
                uniqueKeysWithValues: names.map { name in (name, spread { Double($0.lookups.errors[name] ?? 0) }) }
            ),
            dialsPerSecond: spread { Double($0.dials.ok) / max($0.duration, 1e-3) },
            failedDialsPerSecond: spread { Double($0.dials.failed) / max($0.duration, 1e-3) },
            timeWaitPeak: spread { Double($0.timeWaitPeak) },
            threadsPeak: spread { Double($0.threadsPeak) },
            rssPeakMiB: spread { Double($0.rssPeakBytes) / Double(1 << 20) },
            failedBatches: Spread(measures.map(\.failedBatches)),
            exhaustsPorts: attempts.median > bearable(values)
        )
    }

    /// Dials a second that the ports bear for ever with the dialer of a combination.
    private func bearable(_ values: [String]) -> Double {
        var settings = Settings()
        settings.apply((try? plan.settings(values)) ?? [])
        guard case .bind = settings.fanOut.dialer, let range = environment?.portRange, range.count == 2 else {
            return .infinity
        }
        return PortBudget(lowestPort: range[0], highestPort: range[1]).sustainableDialsPerSecond
    }

    /// Whether it does what it should: no error, no batch lost, no crash, and ports for ever.
    private func isSound(_ standing: Standing) -> Bool {
        standing.crashes == 0 && standing.runs > 0 && standing.errors.median == 0 && standing.failedBatches.median == 0
            && !standing.exhaustsPorts
    }

    /// Sound ones first and those of which nothing is known last, each by what the small callers paid: whole and in time,
    /// and how long at worst.
    private func isBetter(_ left: Standing, _ right: Standing) -> Bool {
        func key(_ standing: Standing) -> (Int, Double, Double) {
            let group = isSound(standing) ? 0 : standing.runs > 0 ? 1 : 2
            return (group, -(standing.smallInTime?.median ?? 100), standing.smallP99.median)
        }
        return key(left) < key(right)
    }

    private var recommendation: [String] {
        guard let best = ranking.first, best.runs > 0 else { return ["Nothing was measured."] }
        guard isSound(best) else {
            return [
                "No combination of this grid is sound. What the small callers paid least for is \(plan.text(best.values)): "
                    + "\(fault(of: best))."
            ]
        }
        // What cannot be told from the best may be chosen for other reasons: for what all callers together got, then
        // for dialling less.
        let others = ranking.dropFirst().filter { isSound($0) && isWithinNoise($0, best) }
        let equals = [best] + others
        let most = equals.map(\.lookupsPerSecond.median).max()!
        let fast = equals.filter { $0.lookupsPerSecond.median >= 0.95 * most }
        let least = fast.map(\.dialsPerSecond.median).min()!
        let chosen = fast.first { $0.dialsPerSecond.median <= least + 1 }!
        let reason =
            if best.lookupsPerSecond.median < 0.95 * most {
                "its lookups a second"
            } else if best.dialsPerSecond.median > least + 1 {
                "dialling less"
            } else {
                "its median"
            }
        var lines = [
            "Recommended: \(plan.text(chosen.values)). No failed lookup; small callers' p99 \(chosen.smallP99.text) ms; "
                + "\(chosen.lookupsPerSecond.text) lookups a second; \(chosen.dialsPerSecond.text) dials a second."
        ]
        if !others.isEmpty {
            let names = ([best] + others).filter { $0.values != chosen.values }.map { plan.text($0.values) }
            lines.append(
                "For the small callers these differ from it by no more than the noise: \(names.prefix(6).joined(separator: "; "))"
                    + (names.count > 6 ? "; and \(names.count - 6) more" : "")
                    + ". It was chosen among them for \(reason)."
            )
        }
        if plan.turns < 3 {
            lines.append(
                "With \(plan.turns == 1 ? "one measurement" : "two measurements") of each, the spread is not known; "
                    + "differences below a quarter are taken for noise. Add --repeat 3."
            )
        }
        return lines
    }

    private func fault(of standing: Standing) -> String {
        if standing.crashes > 0 { return "it crashed" }
        if standing.errors.median > 0 { return "\(standing.errors.text) failed lookups" }
        if standing.failedBatches.median > 0 { return "\(standing.failedBatches.text) batches were not answered" }
        return "\(standing.dialsPerSecond.text) dials a second, more than the ports of one address bear"
    }

    /// Whether the small callers cannot tell two combinations apart.
    private func isWithinNoise(_ left: Standing, _ right: Standing) -> Bool {
        if plan.turns >= 3 { return left.smallP99.overlaps(right.smallP99) }
        let (low, high) = (
            min(left.smallP99.median, right.smallP99.median), max(left.smallP99.median, right.smallP99.median)
        )
        return high - low <= 0.25 * high
    }

    /// For each kind of limit that was tried with three numbers or more: the smallest that gives nearly all there is.
    private var knees: [String] {
        guard let column = plan.variations.firstIndex(where: { $0.name == "limit" }) else { return [] }
        var lines: [String] = []
        var seen: Set<String> = []
        for standing in ranking {
            guard let kind = number(in: standing.values[column])?.kind else { continue }
            var others = standing.values
            others[column] = kind
            guard seen.insert(others.joined(separator: " ")).inserted else { continue }
            let curve = ranking.compactMap { other -> (number: Int, standing: Standing)? in
                guard let own = number(in: other.values[column]), own.kind == kind, other.runs > 0 else { return nil }
                var values = other.values
                values[column] = kind
                return values == others ? (own.number, other) : nil
            }.sorted { $0.number < $1.number }
            guard curve.count >= 3 else { continue }
            let place = zip(plan.variations, standing.values).filter { $0.0.name != "limit" }
                .map { " with \($0.0.name)=\($0.1)" }.joined()
            var line = "\(kind):N\(place): " + knee(curve.map { ($0.number, $0.standing) })
            if let cliff = curve.first(where: { !isSound($0.standing) }) {
                line += " Cliff: from \(kind):\(cliff.number) on, \(fault(of: cliff.standing))."
            }
            lines.append(line)
        }
        return Array(lines.prefix(8))
    }

    /// The smallest number that gives nearly all there is: of lookups a second, or where all that is sent is answered
    /// whatever the number, of what the heavy caller waits less.
    private func knee(_ curve: [(number: Int, standing: Standing)]) -> String {
        let rates = curve.map(\.standing.lookupsPerSecond.median)
        let most = rates.max() ?? 0
        if let least = rates.min(), least < 0.95 * most {
            let knee = curve.first { $0.standing.lookupsPerSecond.median >= 0.95 * most }!
            return "the knee is at \(knee.number), the smallest with 95% of the best throughput "
                + "(\(knee.standing.lookupsPerSecond.text) of \(rounded(most)) lookups a second)."
        }
        let best = curve.map(\.standing.heavyP99.median).min() ?? 0
        let knee = curve.first { $0.standing.heavyP99.median <= 1.2 * best }!
        return "all that is sent is answered at any number; the knee is at \(knee.number), the smallest with which the "
            + "heavy caller waits no more than a fifth longer than at best (p99 \(knee.standing.heavyP99.text) ms, best "
            + "\(rounded(best)) ms)."
    }

    private func number(in limit: String) -> (kind: String, number: Int)? {
        let parts = limit.split(separator: ":")
        guard parts.count == 2, let number = Int(parts[1]) else { return nil }
        return (String(parts[0]), number)
    }

    private var leftOut: [String] {
        Dictionary(grouping: plan.leftOut, by: \.reason).sorted { $0.key < $1.key }
            .map { "Left out: \($0.key) (\($0.value.count) of \(plan.combinations) combinations)." }
    }
}
