internal import Results
internal import Text

/// What somebody changed while a phase was played, and what was seen until the next change.
struct HandChanges {
    let sentences: [String]

    /// Changes so close together are one: three clicks of one cure.
    private static let together = 1.5

    init(_ run: RunResult, in phase: PhaseResult) {
        let end = phase.start + phase.duration
        var groups: [(at: Double, last: Double, texts: [String])] = []
        for event in run.events
        where event.kind == .setting && event.byHand == true && event.at >= phase.start && event.at < end
            // That somebody ended the phase changes no setting.
            && event.text.contains(" = ")
        {
            let text = event.text.hasSuffix(", by hand") ? String(event.text.dropLast(9)) : event.text
            if let last = groups.last?.last, event.at - last <= Self.together {
                groups[groups.count - 1].texts.append(text)
                groups[groups.count - 1].last = event.at
            } else {
                groups.append((event.at, event.at, [text]))
            }
        }
        sentences = groups.indices.compactMap { index in
            let from = index > 0 ? groups[index - 1].last : phase.start
            let until = index + 1 < groups.count ? groups[index + 1].at : end
            guard let before = run.failedShare(from: from, to: groups[index].at),
                let after = run.failedShare(from: groups[index].last, to: until)
            else { return nil }
            let texts = groups[index].texts
            let verb = texts.count == 1 ? "was" : "were"
            return "At \(rounded(groups[index].at)) s \(texts.joined(separator: ", ")) \(verb) set by hand: "
                + "failed lookups \(Share(percent: 100 * before)) before, \(Share(percent: 100 * after)) after."
        }
    }
}

extension RunResult {
    /// Lookups that failed between two moments, from 0 to 1; nil where none ended.
    fileprivate func failedShare(from: Double, to: Double) -> Double? {
        var (failed, total, last) = (0.0, 0.0, 0.0)
        for point in timeline {
            defer { last = point.at }
            guard point.at > from, point.at <= to else { continue }
            // A rate holds for the time since the point before.
            failed += point.errorsPerSecond.values.reduce(0, +) * (point.at - last)
            total += point.lookupsPerSecond * (point.at - last)
        }
        return total > 0 ? min(1, failed / total) : nil
    }
}
