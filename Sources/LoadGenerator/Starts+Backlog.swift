internal import Units

extension Starts {
    /// Batches of about one moment.
    struct Part: Sendable, Equatable {
        /// From the beginning of a load, of the one in their middle.
        var due: Duration
        var batches: Int
    }

    /// Parts that a backlog is told apart in; a smaller one is told batch by batch.
    static let mostParts = 10_000

    /// What is left up to a moment, in order, and without taking as long as to go through it.
    /// - Parameter moment: from the beginning of a load.
    func backlog(until moment: Duration) -> [Part] {
        if case .poisson(let rate) = schedule.arrival { return randomBacklog(rate, until: moment) }
        guard isDue(number, until: moment) else { return [] }
        var (due, after) = (number, number + 1)
        while isDue(after, until: moment) { (due, after) = (after, after + 2 * (after - number)) }
        while after - due > 1 {
            let middle = due + (after - due) / 2
            if isDue(middle, until: moment) { due = middle } else { after = middle }
        }
        let count = after - number
        let parts = Swift.min(count, Self.mostParts)
        return (0..<parts).compactMap { part in
            let (first, next) = (number + count * part / parts, number + count * (part + 1) / parts)
            return schedule.start(of: first + (next - 1 - first) / 2, within: active).map {
                Part(due: begin + $0, batches: next - first)
            }
        }
    }

    private func isDue(_ number: Int, until moment: Duration) -> Bool {
        guard let start = schedule.start(of: number, within: active), active.map({ start < $0 }) ?? true else {
            return false
        }
        return begin + start <= moment
    }

    /// Beyond the first of them as many as come on average: how many do, only drawing each would tell.
    private func randomBacklog(_ rate: Rate, until moment: Duration) -> [Part] {
        var (parts, rest): ([Part], Starts) = ([], self)
        while parts.count < Self.mostParts {
            guard let due = rest.next(), due <= moment else { return parts }
            parts.append(Part(due: due, batches: 1))
        }
        let from = parts.last!.due
        let left = (Swift.min(moment, active.map { begin + $0 } ?? moment) - from).inSeconds
        let count = Int((rate.perSecond * Swift.max(0, left)).rounded())
        let more = Swift.min(count, Self.mostParts)
        return parts
            + (0..<more).map { part in
                let share = (Double(part) + 0.5) / Double(more)
                return Part(
                    due: from + .nanoseconds(Int64(left * share * 1e9)),
                    batches: count * (part + 1) / more - count * part / more
                )
            }
    }
}
