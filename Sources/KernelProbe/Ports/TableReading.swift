internal import POSIX

/// The steps from a table to a model of it. Each takes time in proportion to the sockets, however many pairs or sources
/// they make.
struct TableReading {
    /// Ports held by sockets that are not connected.
    private struct Held {
        var ports = PortSet()
        var counts = RangeParts.Counts()
        var list: [UInt16] = []

        mutating func insert(_ port: UInt16, _ parts: RangeParts) {
            guard ports.insert(port) else { return }
            parts.count(port, in: &counts)
            list.append(port)
        }
    }

    let grouped: GroupedSockets
    let settings: NamespaceSettings
    let taken: MonotonicInstant
    let knowledge: PortUse.Knowledge
    let parts: RangeParts
    /// Ports held at the wildcard address of each family, and at single addresses, by sockets that are not connected.
    private var wildcard: [IPAddress.Family: Held] = [:]
    private var heldAt: [IPAddress: Held] = [:]
    private var holds: PortHolds

    /// Of each pair: whose source it is, who chose its ports, and how many it holds that count against the range.
    private(set) var sourceOfPair: [UInt32]
    private var choices: [PortChoice]
    private var held: [Int]
    private var reusable: [Int]
    private var blocked: [Int]
    private var perhapsBlocked: [Int]
    /// Of each source: ports it cannot bind.
    private(set) var sourceInUse: [Int]
    private var bound = PortSet()
    /// Ports of pairs of which nothing is known, which bind() may have chosen.
    private(set) var perhapsBound = PortSet()
    private(set) var boundPool = PortPool()
    private(set) var boundOdd = 0
    private var unconnected = Held()
    /// Sources of which two pairs have a port.
    private var sharing: Set<UInt32> = []

    init(
        _ table: SocketTable,
        _ settings: NamespaceSettings,
        _ taken: MonotonicInstant,
        _ knowledge: PortUse.Knowledge
    ) {
        self.knowledge = knowledge
        let sockets = GroupedSockets(table, in: settings.range)
        let formerListeners = sockets.formerListeners
        grouped =
            formerListeners.isEmpty
            ? sockets : GroupedSockets(table, in: settings.range, notAt: formerListeners)
        self.settings = settings
        self.taken = taken
        parts = RangeParts(settings.range)
        holds = PortHolds(settings.range)
        let pairs = grouped.pairs.count
        sourceOfPair = [UInt32](repeating: 0, count: pairs)
        choices = [PortChoice](repeating: .unknown, count: pairs)
        held = [Int](repeating: 0, count: pairs)
        reusable = held
        blocked = held
        perhapsBlocked = held
        sourceInUse = [Int](repeating: 0, count: grouped.sourceCount)
        for (endpoint, isBothFamilies) in table.holders where settings.range.usable.contains(endpoint.port) {
            unconnected.insert(endpoint.port, parts)
            if endpoint.address.isWildcard {
                wildcard[endpoint.address.family, default: Held()].insert(endpoint.port, parts)
                if isBothFamilies { wildcard[.ipv4, default: Held()].insert(endpoint.port, parts) }
            } else {
                heldAt[endpoint.address, default: Held()].insert(endpoint.port, parts)
            }
        }
        // What was accepted there keeps its port as its listener did.
        for endpoint in formerListeners {
            unconnected.insert(endpoint.port, parts)
            heldAt[endpoint.address, default: Held()].insert(endpoint.port, parts)
        }
        for (address, _) in heldAt {
            for port in wildcard[address.family]?.list ?? [] { heldAt[address]?.insert(port, parts) }
        }
    }

    func address(ofSource source: Int) -> IPAddress { grouped.pairs[grouped.pairs(ofSource: source).lowerBound].source }

    /// Ports of a source address that sockets without a connection hold.
    private func heldUnconnected(at address: IPAddress) -> Held? { heldAt[address] ?? wildcard[address.family] }

    /// What each source holds, and what the parity of each pair's ports says of who chose them.
    mutating func surveySources() {
        for source in 0..<grouped.sourceCount {
            let pairs = grouped.pairs(ofSource: source)
            holds.clear()
            for socket in grouped.sockets(ofPairs: pairs) { holds.add(socket) }
            let others = heldUnconnected(at: address(ofSource: source))
            var ofSource = others?.counts ?? RangeParts.Counts()
            for port in holds.ports where !(others?.ports.contains(port) ?? false) { parts.count(port, in: &ofSource) }
            sourceInUse[source] = ofSource.even + ofSource.odd
            if settings.autobindReuse == true, holds.ports.contains(where: { holds.isShared($0) }) {
                sharing.insert(UInt32(source))
            }
            for pair in pairs {
                sourceOfPair[pair] = UInt32(source)
                choices[pair] = parts.choice(
                    chosen: chosenOfLate(pair),
                    held: count(pair),
                    source: ofSource,
                    blockedEven: 0,
                    isShared: settings.autobindReuse != true
                        && grouped.sockets(ofPair: pair).contains { holds.isShared($0.port) }
                )
                if choices[pair] == .unknown { choices[pair] = choiceOfFull(pair) }
            }
        }
    }

    private func count(_ pair: Int, _ counts: (SocketHold) -> Bool = { _ in true }) -> RangeParts.Counts {
        var result = RangeParts.Counts()
        for socket in grouped.sockets(ofPair: pair) where counts(socket.hold) { parts.count(socket.port, in: &result) }
        return result
    }

    /// Those of a pair's ports that were chosen when about the same ones were to be had as now. Of others, what kept the
    /// chooser from its first choice may be gone.
    private func chosenOfLate(_ pair: Int) -> RangeParts.Counts {
        switch knowledge.choices[grouped.pairs[pair]] {
        case .both: count(pair)
        case .bind, .connect: count(pair) { $0.age.map { $0 < Self.late } ?? false }
        // How old an open connection is does not show.
        case .unknown, nil: count(pair) { $0.age.map { $0 < Self.late } ?? true }
        }
    }

    /// Milliseconds since a connection closed, within which few others come back.
    private static let late = 2000

    /// Who chose where ports tell nothing: those of both parities are full, or all are old.
    private func choiceOfFull(_ pair: Int) -> PortChoice {
        let ends = grouped.pairs[pair]
        if settings.autobindReuse == true, let known = knowledge.choices[ends] { return known }
        if knowledge.reusing?.contains(ends) ?? false { return .connect }
        if let known = knowledge.choices[ends] { return known }
        let first = firstIsOdd(pair)
        // Where connect() may take ports again, the first ones are soon the youngest, and a pair that takes none may have
        // nobody who dials. But who has a source that no route gives has bound it, and as a rule without
        // IP_BIND_ADDRESS_NO_PORT: with it, ports would be taken again.
        if reuse(ofPair: pair) != .never {
            if first == false { return .connect }
            return knowledge.reusing != nil && ends.source.isBoundLoopback ? .bind : .unknown
        }
        return switch first {
        case true: .bind
        case false: .connect
        case nil: .unknown
        }
    }

    /// Whether the odd ports were taken before the even ones, as far as it is to be seen: the first choice is older, as
    /// long as none has come back yet after 60 s. Those of one burst may have closed in any order.
    private func firstIsOdd(_ pair: Int) -> Bool? {
        var closed = ParityOrder()
        var open = ParityOrder()
        for socket in grouped.sockets(ofPair: pair) {
            let isOdd = parts.isOdd(socket.port)
            if let left = socket.hold.left {
                if left < Self.soonBack { return nil }
                closed.add(Double(left), isOdd: isOdd)
            } else {
                open.add(Double(socket.inode), isOdd: isOdd)
            }
        }
        return closed.firstIsOdd(byMoreThan: Self.burst) ?? open.firstIsOdd(byMoreThan: 0)
    }

    /// Milliseconds left in TIME_WAIT that tell that others may have come back already.
    private static let soonBack = 5000
    /// Milliseconds in which connections of one burst close.
    private static let burst = 1000.0

    /// Which ports bind() chose. A pair that seems to have both kinds may be one of connect() alone, driven to
    /// the other parity by ports that others bound.
    mutating func settleBound() {
        let parts = parts
        bound = unconnected.ports
        for pair in choices.indices where choices[pair] == .bind { bind(pair) { _ in true } }
        var boundCounts = RangeParts.Counts()
        for range in bound.ranges { for port in range { parts.count(port, in: &boundCounts) } }
        for pair in choices.indices where choices[pair] == .both {
            let own = count(pair)
            let overlap = grouped.sockets(ofPair: pair).count { !parts.isOdd($0.port) && bound.contains($0.port) }
            choices[pair] = parts.choice(
                chosen: chosenOfLate(pair),
                held: own,
                source: .init(),
                blockedEven: boundCounts.even - overlap,
                isShared: true
            )
        }
        for pair in choices.indices where choices[pair] == .both { bind(pair) { parts.isOdd($0) } }
        for pair in choices.indices where choices[pair] == .unknown {
            for socket in grouped.sockets(ofPair: pair) { perhapsBound.insert(socket.port) }
        }
        perhapsBound = perhapsBound.subtracting(bound)
        holds.clear()
        for port in unconnected.list { holds.add(port) }
        for pair in choices.indices where choices[pair] == .bind || choices[pair] == .both {
            for socket in grouped.sockets(ofPair: pair) where bound.contains(socket.port) { holds.add(socket) }
        }
        boundOdd = holds.ports.count { parts.isOdd($0) }
        boundPool = holds.pool
    }

    private mutating func bind(_ pair: Int, _ counts: (UInt16) -> Bool) {
        for socket in grouped.sockets(ofPair: pair) where counts(socket.port) { bound.insert(socket.port) }
    }

    /// What each pair holds, and what stands in its way.
    mutating func measurePairs() {
        let boundCount = bound.count
        let perhapsCount = perhapsBound.count
        for pair in choices.indices {
            let reuse = reuse(ofPair: pair)
            var overlap = 0
            var perhapsOverlap = 0
            var again = 0
            for socket in grouped.sockets(ofPair: pair) {
                if bound.contains(socket.port) {
                    overlap += 1
                } else if socket.hold.isTimeWait, let age = socket.hold.age, reuse.allows(age: age, at: taken) {
                    again += 1
                } else if perhapsBound.contains(socket.port) {
                    perhapsOverlap += 1
                }
            }
            perhapsBlocked[pair] = perhapsCount - perhapsOverlap
            blocked[pair] = boundCount - overlap
            reusable[pair] = again
            held[pair] =
                choices[pair] == .connect ? grouped.count(ofPair: pair) : sourceInUse[Int(sourceOfPair[pair])]
        }
    }

    private func reuse(ofPair pair: Int) -> TimeWaitReuse {
        let ends = grouped.pairs[pair]
        return settings.reuse(from: ends.source, to: ends.destination.address)
    }

    /// Indices of the pairs with connections, those that hold most first, at most `count`, and not all of one source.
    func kept(_ count: Int) -> [Int] {
        // Sorted by counting: there can be as many pairs as sockets.
        var byHeld: [[Int]] = Array(repeating: [], count: (held.max() ?? 0) + 1)
        for pair in held.indices where grouped.count(ofPair: pair) > 0 { byHeld[held[pair]].append(pair) }
        var ofSource: [UInt32: Int] = [:]
        var kept: [Int] = []
        for pairs in byHeld.reversed() {
            // Where many are alike, any of them will do.
            let some = pairs.count > 4 * count ? pairs : pairs.sorted { precedes($0, $1) }
            for pair in some {
                guard kept.count < count else { return kept }
                let source = sourceOfPair[pair]
                if ofSource[source, default: 0] >= PortUse.maxRowsOfSource { continue }
                ofSource[source, default: 0] += 1
                kept.append(pair)
            }
        }
        return kept
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        let (leftCount, rightCount) = (grouped.count(ofPair: left), grouped.count(ofPair: right))
        return leftCount == rightCount ? grouped.pairs[left] < grouped.pairs[right] : leftCount > rightCount
    }

    func row(_ pair: Int) -> PortRow {
        var pool = PortPool()
        var sketch = OpenSketch()
        for socket in grouped.sockets(ofPair: pair) {
            pool.add(socket.hold)
            if socket.hold.isOpen { sketch.add(socket.port, socket.inode) }
        }
        return PortRow(
            pair: grouped.pairs[pair],
            capacity: settings.range.ports,
            pool: pool,
            sourceInUse: sourceInUse[Int(sourceOfPair[pair])],
            choice: choices[pair],
            blocked: blocked[pair],
            perhapsBlocked: perhapsBlocked[pair],
            reusable: reusable[pair],
            reuse: reuse(ofPair: pair),
            sketch: sketch,
            rebinds: rebinding(pair)
        )
    }

    private func rebinding(_ pair: Int) -> PortRow.Rebinding {
        guard settings.autobindReuse == true, choices[pair] == .bind else { return .no }
        return sharing.contains(sourceOfPair[pair]) || knowledge.reusing?.contains(grouped.pairs[pair]) ?? false
            ? .yes : .perhaps
    }

    mutating func pool(ofSource source: Int) -> PortPool {
        holds.clear()
        for socket in grouped.sockets(ofPairs: grouped.pairs(ofSource: source)) { holds.add(socket) }
        for port in heldUnconnected(at: address(ofSource: source))?.list ?? [] {
            holds.add(port)
        }
        return holds.pool
    }
}
