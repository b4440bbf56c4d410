package import POSIX

extension PortUse {
    /// What is known beforehand of who chooses ports, where the table alone does not show it.
    package struct Knowledge: Sendable {
        /// Who did, when it was to be seen.
        package var choices: [AddressPair: PortChoice] = [:]
        /// Pairs with more new connections since the look before than there were ports free or coming back: connect()
        /// took some again. Nil before the first look.
        package var reusing: Set<AddressPair>?

        package init() {}
    }

    /// - Parameters:
    ///   - taken: when the table was listed.
    ///   - knowledge: from looks before this one.
    package init(
        _ table: SocketTable,
        _ settings: NamespaceSettings,
        taken: MonotonicInstant,
        knowledge: Knowledge = Knowledge()
    ) {
        self.taken = taken
        self.settings = settings
        var reading = TableReading(table, settings, taken, knowledge)
        reading.surveySources()
        reading.settleBound()
        reading.measurePairs()
        bound = reading.boundPool
        boundOdd = reading.boundOdd
        oddPorts = reading.parts.sizes.odd
        perhapsBound = reading.perhapsBound.count
        for source in 0..<reading.grouped.sourceCount {
            let pairs = reading.grouped.pairs(ofSource: source)
            if !reading.grouped.sockets(ofPairs: pairs).isEmpty { sourceCount += 1 }
        }
        destinations = reading.grouped.destinations
        pairCount = reading.grouped.pairs.indices.count { reading.grouped.count(ofPair: $0) > 0 }
        for socket in reading.grouped.sockets { all.add(socket.hold) }
        let kept = reading.kept(Self.maxRows)
        rows = kept.map { reading.row($0) }
        for source in Set(kept.map { Int(reading.sourceOfPair[$0]) }) {
            sources[reading.address(ofSource: source)] = reading.pool(ofSource: source)
        }
    }
}
