internal import POSIX
internal import Units

extension PortTrend {
    /// What was counted in some seconds up to the latest look.
    private struct Counts {
        var opened: Double
        var closed: Double
        var seconds: Double

        var growth: Double { opened - closed }
    }

    /// - Parameters:
    ///   - sum: of one look; nil where the pool was not there.
    ///   - hold: how long a closed connection keeps its port from the dials that are asked about.
    func flow(_ sum: (Look) -> Sum?, _ pool: PortPool, hold: Duration, _ carry: Carry) -> PortFlow? {
        guard let recent = recentCounts(sum, pool, hold: hold.inSeconds) else { return nil }
        // As much of the past as agrees with the last seconds, but for chance.
        var counted = recent
        for look in looks {
            guard let all = counts(since: look, sum), all.seconds > recent.seconds else { continue }
            let expected = all.opened / all.seconds * recent.seconds
            guard abs(recent.opened - expected) <= 1 + 2 * expected.squareRoot() else { continue }
            counted = all
            break
        }
        var growth = counted.growth
        // Some connections more or fewer that happen to be open are no growth, nor is what has ended.
        let isChance = counted.closed > 0 && abs(growth) <= max(5, counted.opened / 10)
        let isOver =
            recent.growth < growth * recent.seconds / counted.seconds / 2 || recent.closed > 0 && recent.growth <= 2
        if isChance || isOver { growth = 0 }
        var flow = PortFlow(
            pool: pool,
            hold: hold.inSeconds,
            opened: counted.opened / counted.seconds,
            closed: (counted.opened - growth) / counted.seconds
        )
        if carry.seconds > 0 { carry.apply(to: &flow, share: share(sum, pool)) }
        return flow
    }

    private func recentCounts(_ sum: (Look) -> Sum?, _ pool: PortPool, hold: Double) -> Counts? {
        guard let first = recentLooks.first, let counts = counts(since: first, sum) else { return nil }
        let window = Self.window.inSeconds
        guard counts.seconds > 2 * window else { return counts }
        // Between looks far apart much can have changed: what closed within the last seconds is known all the same.
        let seen = min(window, hold)
        let closed = pool.closed(within: seen) * window / seen
        return Counts(
            opened: closed + max(0, counts.growth) * window / counts.seconds,
            closed: closed,
            seconds: window
        )
    }

    /// Ports taken and connections closed from one look to the last.
    private func counts(since first: Look, _ sum: (Look) -> Sum?) -> Counts? {
        guard let end = looks.last, let last = sum(end) else { return nil }
        var before = sum(first)
        var start = max(first.taken, last.since)
        // Something new is counted from its second look on, once there is enough of it: when it began is a guess.
        if before == nil, let second = looks.first(where: { sum($0) != nil }), end.taken - second.taken >= Self.window {
            before = sum(second)
            start = second.taken
        }
        let seconds = (end.taken - start).inSeconds
        guard seconds > 0.05 else { return nil }
        return Counts(
            opened: last.opened - (before?.opened ?? 0),
            closed: last.closed - (before?.closed ?? 0),
            seconds: seconds
        )
    }

    /// What part of the namespace's connect() calls took a port of the pool, in as little of the past as tells; nil where
    /// there were none.
    private func share(_ sum: (Look) -> Sum?, _ pool: PortPool) -> Double? {
        guard let use = latest?.use, let end = looks.last, let look = looks.dropLast().last, let last = sum(end) else {
            return nil
        }
        let connects = Double(end.connects - look.connects)
        guard connects > 0 else { return nil }
        let opened = last.opened - (sum(look)?.opened ?? 0)
        // What closed within the last second or two is the freshest there is to see.
        for seconds in 1...Int(Self.window.inSeconds) where use.all.closed(within: Double(seconds)) >= Carry.fewConnects
        {
            let closed = pool.closed(within: Double(seconds))
            guard closed > 0 else { break }
            // The kernel's own sums know bursts to the connection; ages are known to the second.
            let summed = Double(end.begun - look.begun)
            let traced = min(1, max(end.all.opened - look.all.opened, summed) / connects)
            return traced * closed / use.all.closed(within: Double(seconds))
        }
        return min(1, opened / connects)
    }

    /// Carries figures on from the latest look to the latest tick, by how many connections the kernel counted since.
    /// Each pool is taken to have the share of them that it had of late.
    struct Carry {
        /// So many connections tell a share.
        static let fewConnects = 50.0
        /// What comes in batches is early or late by so many seconds of it.
        private static let batchSeconds = 1.5

        /// Seconds since the look.
        var seconds = 0.0
        /// connect() calls since the look.
        private var since = 0.0

        init(_ trend: PortTrend) {
            guard let latest = trend.latest, let tick = trend.ticks.last, tick.taken > latest.taken else { return }
            seconds = (tick.taken - latest.taken).inSeconds
            since = Double(tick.connects - latest.tick.connects)
        }

        func apply(to flow: inout PortFlow, share: Double?) {
            let closing = flow.opened > 0 ? flow.closed / flow.opened : 1
            let expected = flow.opened * seconds
            flow.openedSince = share.map { $0 * since } ?? expected
            flow.closedSince = share == nil ? flow.closed * seconds : flow.openedSince * closing
            // A few more or fewer are chance, and no new rate.
            let chance = max(1 + 2 * expected.squareRoot(), flow.opened * Self.batchSeconds)
            if abs(flow.openedSince - expected) > chance {
                flow.opened = flow.openedSince / seconds
                flow.closed = flow.opened * closing
            }
        }
    }
}
