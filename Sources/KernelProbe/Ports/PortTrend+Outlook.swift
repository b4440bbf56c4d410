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
            connectsPerSecond: isTraced(row) ? own?.opened : nil,
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
            flows: [row.rebinds == .yes ? PortFlow(open: own) : source],
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
            (row.choice == .unknown || row.rebinds == .perhaps) && row.free <= use.unreachable
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

    /// Whether the row's connections of the last seconds could be counted. Those that the other end closes, or that end with
    /// a reset, leave no TIME_WAIT.
    private func isTraced(_ row: PortRow) -> Bool {
        recentLooks.last?.pairs[row.pair]?.untraced == recentLooks.first?.pairs[row.pair]?.untraced ?? 0
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
    /// The same for open connections alone: those that closed are in nobody's way.
    init(open flow: PortFlow) {
        self = flow
        hold = 0
    }

    /// The same for how long ports are held, not for how long they are kept from others.
    init(held60 flow: PortFlow) {
        self = flow
        hold = PortRange.timeWait.inSeconds
    }
}
