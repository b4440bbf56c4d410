internal import POSIX
internal import Units

extension PortTrend {
    /// Each row of the latest sample as of the latest tick, the busiest first.
    package var outlooks: [PortOutlook] {
        guard let latest else { return [] }
        let carry = Carry(self)
        let bound = boundFlow(latest.use, carry)
        let full = timeWaitFull(latest.use, carry)
        return latest.use.rows.map { outlook(of: $0, latest.use, bound, full, carry) }.sorted { $0.precedes($1) }
    }

    /// Ports an unbound dial towards a new destination can still choose among, and when there are none.
    package var newPair: (free: Int, state: PortState)? {
        guard let use = latest?.use else { return nil }
        let free = use.freeForNewPair - use.unreachable
        if free <= 0 { return (0, .exhausted) }
        return (use.freeForNewPair, free <= use.perhapsBound ? .unknown : .steady)
    }

    private func outlook(
        of row: PortRow,
        _ use: PortUse,
        _ bound: BoundFlow?,
        _ full: Double,
        _ carry: Carry
    ) -> PortOutlook {
        let own = flow({ $0.pairs[row.pair] }, row.pool, hold: row.reuse.hold, carry)
        let source = flow(
            { $0.sources[row.pair.source] },
            use.sources[row.pair.source] ?? row.pool,
            hold: PortRange.timeWait,
            carry
        )
        var outlook = PortOutlook(
            row: row,
            inUse: row.inUse,
            sourceInUse: row.sourceInUse,
            free: row.free,
            connectsPerSecond: own?.opened,
            secondsLeft: nil,
            state: .unknown
        )
        if row.freeAtMost <= use.unreachable {
            outlook.state = .exhausted
            outlook.secondsLeft = 0
            return outlook
        }
        guard let own, let source else { return outlook }
        let byBind = PortProjection(
            free: row.freeToBind,
            unreachable: use.unreachable,
            flows: [source],
            now: carry.seconds,
            full: full
        )
        var byConnect = byBind
        (byConnect.free, byConnect.flows, byConnect.bound) = (row.freeToConnect, [own], bound)
        if carry.seconds > 0 {
            outlook.inUse = carried(row.inUse, [PortFlow(held60: own)], carry, row)
            // Several rows of connect() share ports of the address: nobody knows how many.
            if row.choice == .bind { outlook.sourceInUse = carried(row.sourceInUse, [source], carry, row) }
            let projection = row.choice == .bind ? byBind : byConnect
            outlook.free = min(
                row.capacity,
                max(0, Int(projection.left(at: carry.seconds).rounded()) + use.unreachable)
            )
        }
        outlook.secondsLeft = [
            row.choice == .connect ? nil : byBind.secondsLeft, row.choice == .bind ? nil : byConnect.secondsLeft,
        ].compactMap { $0 }.min()
        let isUnsure =
            row.choice == .unknown && row.free <= use.unreachable
            || row.choice != .bind && row.freeToConnect - row.perhapsBlocked <= use.unreachable
        if isUnsure {
            outlook.secondsLeft = nil
        } else if outlook.secondsLeft != nil {
            outlook.state = .filling
        } else {
            outlook.state = direction(row)
        }
        return outlook
    }

    /// What becomes of the ports that bind() chose.
    private func boundFlow(_ use: PortUse, _ carry: Carry) -> BoundFlow? {
        guard let all = flow({ $0.bound }, use.bound, hold: PortRange.timeWait, carry) else { return nil }
        var bound = BoundFlow(flow: all, oddLeft: max(0, use.oddPorts - use.boundOdd), oddPorts: use.oddPorts)
        let row = use.rows.filter { $0.choice == .bind }.max { $0.sourceInUse < $1.sourceInUse }
        if let row, let pool = use.sources[row.pair.source],
            let flow = flow({ $0.sources[row.pair.source] }, pool, hold: PortRange.timeWait, carry)
        {
            bound.busiest = (row.sourceInUse, flow)
        }
        return bound
    }

    /// Whether more ports are taken than when the looks began, or fewer; one in fifty is about as many.
    private func direction(_ row: PortRow) -> PortState {
        guard let first = recentLooks.first, let last = looks.last?.pairs[row.pair], looks.count > 1 else {
            return .unknown
        }
        let before = first.pairs[row.pair]?.taken ?? 0
        let change = last.taken - before
        if abs(change) <= max(1, last.taken / 50) { return .steady }
        return change > 0 ? .filling : .draining
    }

    /// - Parameter sum: of one look; nil where the pool was not there.
    private func flow(_ sum: (Look) -> Sum?, _ pool: PortPool, hold: Duration, _ carry: Carry) -> PortFlow? {
        guard let first = recentLooks.first, let recent = counts(since: first, sum) else { return nil }
        // As much of the past as agrees with the last seconds, but for chance.
        var counted = recent
        for look in looks {
            guard let all = counts(since: look, sum) else { continue }
            let expected = all.opened / all.seconds * recent.seconds
            guard abs(recent.opened - expected) <= 1 + 2 * expected.squareRoot() else { continue }
            counted = all
            break
        }
        var growth = counted.opened - counted.closed
        // Some connections more or fewer that happen to be open are no growth, nor is what has ended.
        let isChance = counted.closed > 0 && abs(growth) <= max(5, counted.opened / 10)
        let late = recent.opened - recent.closed
        let isOver = late < growth * recent.seconds / counted.seconds / 2 || recent.closed > 0 && late <= 2
        if isChance || isOver { growth = 0 }
        var flow = PortFlow(
            pool: pool,
            hold: hold.inSeconds,
            opened: counted.opened / counted.seconds,
            closed: (counted.opened - growth) / counted.seconds
        )
        carry.apply(to: &flow, share: share(sum))
        return flow
    }

    /// What part of the namespace's connect() calls took a port of the pool, in as little of the past as tells.
    private func share(_ sum: (Look) -> Sum?) -> Double? {
        guard let end = looks.last, let last = sum(end) else { return nil }
        for look in looks.dropLast().reversed() {
            let connects = end.connects - look.connects
            guard connects >= Carry.fewConnects || look.taken == looks[0].taken, connects > 0 else { continue }
            return min(1, (last.opened - (sum(look)?.opened ?? 0)) / Double(connects))
        }
        return nil
    }

    /// Ports taken and connections closed from one look to the last.
    private func counts(
        since first: Look,
        _ sum: (Look) -> Sum?
    ) -> (opened: Double, closed: Double, seconds: Double)? {
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
        return (last.opened - (before?.opened ?? 0), last.closed - (before?.closed ?? 0), seconds)
    }

    private func carried(_ held: Int, _ flows: [PortFlow], _ carry: Carry, _ row: PortRow) -> Int {
        let gain = flows.reduce(0) { $0 + $1.gain(at: carry.seconds, now: carry.seconds, full: .infinity) }
        return min(row.capacity, max(0, held + Int(gain.rounded())))
    }

    /// Seconds from the look until the namespace has as many sockets in TIME_WAIT as it may. tcp_max_tw_buckets
    private func timeWaitFull(_ use: PortUse, _ carry: Carry) -> Double {
        guard let most = use.settings.maxTimeWaitBuckets, let latest else { return .infinity }
        let all = flow({ $0.all }, use.all, hold: PortRange.timeWait, carry)
        guard var all else { return .infinity }
        // Those on the accepting side are taken to stay as many as they are.
        all.opened = all.closed
        all.openedSince = all.closedSince
        return PortProjection(free: most - latest.tick.timeWait, flows: [all], now: carry.seconds).secondsLeft
            .map { $0 + carry.seconds } ?? .infinity
    }
}

extension PortFlow {
    /// The same for how long ports are held, not for how long they are kept from others.
    init(held60 flow: PortFlow) {
        self = flow
        hold = PortRange.timeWait.inSeconds
    }
}

extension PortTrend {
    /// Carries figures on from the latest look to the latest tick, by how many connections the kernel counted since.
    /// Each pool is taken to have the share of them that it had of late.
    struct Carry {
        /// So many connections tell a share.
        static let fewConnects = 50

        /// Seconds since the look.
        var seconds = 0.0
        /// connect() calls since the look, and a second of late.
        private var since = 0.0
        private var late: Double?

        init(_ trend: PortTrend) {
            guard let latest = trend.latest, let tick = trend.ticks.last, tick.taken > latest.taken else { return }
            seconds = (tick.taken - latest.taken).inSeconds
            since = Double(tick.connects - latest.tick.connects)
            if seconds >= 1 { late = trend.connectsPerSecond }
        }

        func apply(to flow: inout PortFlow, share: Double?) {
            guard seconds > 0 else { return }
            let closing = flow.opened > 0 ? flow.closed / flow.opened : 1
            let expected = flow.opened * seconds
            flow.openedSince = share.map { $0 * since } ?? expected
            flow.closedSince = share == nil ? flow.closed * seconds : flow.openedSince * closing
            // A few more or fewer are chance, and no new rate.
            let isChance = abs(flow.openedSince - expected) <= 1 + 2 * expected.squareRoot()
            if let share, let late, !isChance {
                flow.opened = share * late
                flow.closed = flow.opened * closing
            }
        }
    }
}
