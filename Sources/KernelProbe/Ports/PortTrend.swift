package import POSIX
internal import Units

/// What becomes of the ports, from samples of the last seconds: a value that is fed with them.
///
/// A row's connections are counted from what each look shows: how many more are open, and how many closed since the look
/// before, which their time in TIME_WAIT tells exactly. When each port comes back is known as well.
package struct PortTrend: Sendable {
    /// What is looked back on: so many seconds, and so many looks.
    static let window = Duration.seconds(5)
    static let fewestLooks = 3
    /// Where nothing has changed meanwhile, so many seconds, as few connections a second are counted better so.
    static let longWindow = Duration.seconds(30)
    /// Seconds before the last port is taken when somebody should look.
    private static let soon = 2.0
    /// Beyond it nothing of what closed is left to count.
    private static let longest = PortRange.timeWait

    /// Sums since the trend began, as one look found them.
    struct Look {
        var taken: MonotonicInstant
        var connects: Int
        var pairs: [AddressPair: Sum]
        /// Those that took ports again. See ``PortUse/Knowledge/reusing``
        var reusing: Set<AddressPair> = []
        var sources: [IPAddress: Sum]
        var bound: Sum
        /// All of the namespace's dialled connections.
        var all: Sum
        /// Connections that are open or have left a TIME_WAIT, by the kernel's sums.
        var begun = 0
    }

    struct Sum {
        var opened = 0.0
        var closed = 0.0
        /// Ports not free, for the way they are chosen.
        var taken = 0
        /// Looks that found other connections open than those that were, and no trace of how many came and went between.
        var untraced = 0
        /// From when on it counts.
        var since: MonotonicInstant
    }

    private(set) var looks: [Look] = []
    package private(set) var latest: PortSample?
    /// Seconds from the latest sample until the first row has no port left; nil where none runs out.
    private var soonest: Double?
    /// Since the latest sample, and some seconds before it.
    private(set) var ticks: [PortTick] = []

    package init() {}

    /// Takes a look at all sockets into account.
    package mutating func add(_ sample: PortSample) {
        looks.append(Look(sample, after: latest, looks.last))
        latest = sample
        add(sample.tick)
        looks.removeAll { sample.taken - $0.taken > Self.longest }
        while looks.count > Self.fewestLooks, sample.taken - looks[1].taken >= Self.longWindow { looks.removeFirst() }
        soonest = outlooks.filter { $0.state == .filling }.compactMap(\.secondsLeft).min()
    }

    /// Takes the kernel's counters between two looks into account.
    package mutating func add(_ tick: PortTick) {
        ticks.append(tick)
        while ticks.count > 2, tick.taken - ticks[1].taken >= Self.window { ticks.removeFirst() }
    }

    /// The latest of the cheap looks, or of all.
    package var latestTick: PortTick? { ticks.last }

    /// The looks of the last seconds.
    var recentLooks: ArraySlice<Look> {
        let last = looks.last
        let recent = looks.lastIndex { look in last.map { $0.taken - look.taken >= Self.window } ?? false } ?? 0
        return looks[min(recent, max(0, looks.count - Self.fewestLooks))...]
    }

    /// What the next sample may go by.
    func knowledge() -> PortUse.Knowledge {
        var knowledge = PortUse.Knowledge()
        guard let latest else { return knowledge }
        for row in latest.use.rows where row.choice != .unknown { knowledge.choices[row.pair] = row.choice }
        knowledge.reusing = looks.last?.reusing ?? []
        return knowledge
    }

    /// connect() calls a second that found a port, in all the namespace; nil after one look. TcpActiveOpens
    package var connectsPerSecond: Double? {
        guard let first = ticks.first, let last = ticks.last, last.taken > first.taken else { return nil }
        return Double(last.connects - first.connects) / (last.taken - first.taken).inSeconds
    }

    /// How old the latest sample is.
    package func age(at now: MonotonicInstant) -> Duration? { latest.map { now - $0.taken } }

    /// Whether something goes on that the latest look does not show: dials where there were none, many more or fewer
    /// than there were, or ports that must be about used up by now.
    package var isSurprised: Bool {
        guard let latest, let tick = ticks.last, tick.taken > latest.taken else { return false }
        let seconds = (tick.taken - latest.taken).inSeconds
        let since = Double(tick.connects - latest.tick.connects)
        let expected = (connectsBeforeLook ?? 0) * seconds
        if abs(since - expected) > max(10, min(since, expected)) { return true }
        return soonest.map { $0 - seconds < Self.soon } ?? false
    }

    /// connect() calls a second between the last two looks.
    private var connectsBeforeLook: Double? {
        guard let last = looks.last, let first = looks.dropLast().last, last.taken > first.taken else { return nil }
        return Double(last.connects - first.connects) / (last.taken - first.taken).inSeconds
    }
}

extension PortTrend.Look {
    init(_ sample: PortSample, after earlier: PortSample?, _ look: PortTrend.Look?) {
        taken = sample.taken
        connects = sample.tick.connects
        begun = sample.use.all.open + sample.tick.timeWaits
        let use = sample.use
        let seconds = earlier.map { (sample.taken - $0.taken).inSeconds } ?? 0
        /// Goes on with a sum. What was not there before counts from the look before on, or from its oldest trace.
        func sum(_ pool: PortPool, taken: Int, before: PortPool?, _ sum: PortTrend.Sum?, hold: Double) -> PortTrend.Sum
        {
            guard let earlier else { return PortTrend.Sum(taken: taken, since: sample.taken) }
            var result = sum ?? PortTrend.Sum(since: earlier.taken)
            if sum == nil, let age = pool.span, age < seconds, pool.timeWait > pool.open {
                result.since = MonotonicInstant(nanoseconds: sample.taken.nanoseconds - UInt64(age * 1e9))
            }
            // Where ports are taken again soon after, what closed before that has left no trace.
            let seen = min(seconds, hold)
            let closed = seen > 0 ? pool.closed(within: seen) * seconds / seen : 0
            result.closed += closed
            result.opened += max(0, Double(pool.open - (before?.open ?? 0)) + closed)
            result.taken = taken
            return result
        }
        let before = Dictionary(uniqueKeysWithValues: (earlier?.use.rows ?? []).map { ($0.pair, $0.pool) })
        let sketches = Dictionary(uniqueKeysWithValues: (earlier?.use.rows ?? []).map { ($0.pair, $0.sketch) })
        // A row that was too small to be kept is no new one.
        let isWhole = earlier.map { $0.use.pairCount <= $0.use.rows.count } ?? false
        pairs = [:]
        for row in use.rows {
            let pool = before[row.pair] ?? (isWhole ? nil : row.pool)
            pairs[row.pair] = sum(
                row.pool,
                taken: row.capacity - row.free,
                before: pool,
                look?.pairs[row.pair],
                hold: row.reuse.hold.inSeconds
            )
        }
        for row in use.rows {
            guard let earlier = sketches[row.pair], row.sketch.isMostlyNew(since: earlier) else { continue }
            let counted = (pairs[row.pair]?.opened ?? 0) - (look?.pairs[row.pair]?.opened ?? 0)
            if counted * 4 < Double(row.open) { pairs[row.pair]?.untraced += 1 }
        }
        for row in use.rows {
            guard let earlier = before[row.pair] else { continue }
            let opened = Double(row.open - earlier.open) + row.pool.closed(within: seconds)
            let back = earlier.closed(within: 60) - earlier.closed(within: max(0, 60 - seconds))
            if opened - Double(row.inUse - earlier.held) - back > max(3, opened / 10) { reusing.insert(row.pair) }
        }
        sources = [:]
        for (address, pool) in use.sources {
            let earlierPool = earlier?.use.sources[address] ?? (isWhole ? nil : pool)
            sources[address] = sum(pool, taken: pool.held, before: earlierPool, look?.sources[address], hold: 60)
        }
        bound = sum(use.bound, taken: use.bound.held, before: earlier?.use.bound, look?.bound, hold: 60)
        all = sum(use.all, taken: use.all.held, before: earlier?.use.all, look?.all, hold: 60)
    }
}
