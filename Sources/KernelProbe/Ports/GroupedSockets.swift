internal import POSIX

/// A table's connections sorted by source address, then by pair, without those that were accepted and those whose port
/// does not count.
struct GroupedSockets {
    struct Socket {
        var port: UInt16
        var hold: SocketHold
        var inode: UInt32
    }

    let range: PortRange
    let sockets: [Socket]
    /// The pairs in the order their sockets have.
    let pairs: [AddressPair]
    /// Where the sockets of each pair begin, and the end.
    private let starts: [Int]
    /// Where the pairs of each source address begin, and the end.
    private let sourceStarts: [Int]

    /// - Parameter accepting: further ends at which connections were accepted, though nobody listens there now.
    init(_ table: SocketTable, in range: PortRange, notAt accepting: Set<IPEndpoint> = []) {
        let (order, sourceStarts) = Self.bySource(table.pairs)
        var sizes = [Int](repeating: 0, count: table.pairs.count)
        let listeners = table.listeners
        let pairs = table.pairs
        func counts(_ entry: SocketTable.Entry) -> Bool {
            guard range.usable.contains(entry.port) else { return false }
            if listeners.ports.contains(entry.port) || !accepting.isEmpty {
                let end = IPEndpoint(pairs[Int(entry.pair)].source, port: entry.port)
                return !listeners.accept(at: end) && !accepting.contains(end)
            }
            return true
        }
        var isCounted = [Bool](repeating: false, count: table.entries.count)
        for (index, entry) in table.entries.enumerated() where counts(entry) {
            isCounted[index] = true
            sizes[Int(entry.pair)] += 1
        }
        var starts: [Int] = []
        starts.reserveCapacity(order.count + 1)
        // Of each pair as the table numbers them: where its next socket goes.
        var next = [Int](repeating: 0, count: sizes.count)
        var total = 0
        for pair in order {
            starts.append(total)
            next[pair] = total
            total += sizes[pair]
        }
        starts.append(total)
        var sockets = [Socket](repeating: Socket(port: 0, hold: .unconnected, inode: 0), count: total)
        for (index, entry) in table.entries.enumerated() where isCounted[index] {
            let pair = Int(entry.pair)
            sockets[next[pair]] = Socket(port: entry.port, hold: entry.hold, inode: entry.inode)
            next[pair] += 1
        }
        self.range = range
        self.sockets = sockets
        self.starts = starts
        self.sourceStarts = sourceStarts
        self.pairs = order.map { pairs[$0] }
    }

    /// The pairs' indices with those of one source next to each other, and where each source begins.
    private static func bySource(_ pairs: [AddressPair]) -> (order: [Int], starts: [Int]) {
        var numbers = NumberedSet<IPAddress>()
        let sources = pairs.map { Int(numbers.number(of: $0.source)) }
        var sizes = [Int](repeating: 0, count: numbers.values.count)
        for source in sources { sizes[source] += 1 }
        var starts: [Int] = []
        starts.reserveCapacity(sizes.count + 1)
        var total = 0
        for size in sizes {
            starts.append(total)
            total += size
        }
        starts.append(total)
        var next = starts
        var order = [Int](repeating: 0, count: pairs.count)
        for (pair, source) in sources.enumerated() {
            order[next[source]] = pair
            next[source] += 1
        }
        return (order, starts)
    }

    var sourceCount: Int { sourceStarts.count - 1 }

    func pairs(ofSource source: Int) -> Range<Int> { sourceStarts[source]..<sourceStarts[source + 1] }

    func sockets(ofPair pair: Int) -> ArraySlice<Socket> { sockets[starts[pair]..<starts[pair + 1]] }

    func sockets(ofPairs pairs: Range<Int>) -> ArraySlice<Socket> {
        sockets[starts[pairs.lowerBound]..<starts[pairs.upperBound]]
    }

    /// Sums of the pairs towards each destination port.
    var destinations: [UInt16: DestinationTotals] {
        var totals: [UInt16: DestinationTotals] = [:]
        // The last source address seen of each port, as pairs of one source follow each other.
        var last: [UInt16: Int] = [:]
        for source in 0..<sourceCount {
            for pair in pairs(ofSource: source) where count(ofPair: pair) > 0 {
                let port = pairs[pair].destination.port
                for socket in sockets(ofPair: pair) {
                    totals[port, default: DestinationTotals()].states[Int(socket.hold.state)] += 1
                }
                if last.updateValue(source, forKey: port) != source { totals[port]?.sources += 1 }
            }
        }
        return totals
    }

    func count(ofPair pair: Int) -> Int { starts[pair + 1] - starts[pair] }
}

/// For each port of a set, the longest any of its sockets still holds it: a pool with every port counted once.
struct PortHolds {
    private struct Entry {
        var hold = SocketHold.unconnected
        /// Which set it is of, so that nothing need be cleared between two.
        var stamp: UInt32 = 0
        var isShared = false
    }

    private let lowestPort: Int
    private var entries: [Entry]
    private var stamp: UInt32 = 0
    private(set) var ports: [UInt16] = []

    init(_ range: PortRange) {
        lowestPort = range.lowestPort
        entries = [Entry](repeating: Entry(), count: range.highestPort - range.lowestPort + 1)
    }

    /// Begins a new set.
    mutating func clear() {
        stamp += 1
        ports.removeAll(keepingCapacity: true)
    }

    mutating func add(_ socket: GroupedSockets.Socket) { add(socket.port, socket.hold) }

    /// Adds a port that a socket without a connection holds.
    mutating func add(_ port: UInt16) { add(port, .unconnected) }

    private mutating func add(_ port: UInt16, _ hold: SocketHold) {
        let index = Int(port) - lowestPort
        if entries[index].stamp != stamp {
            entries[index] = Entry(hold: hold, stamp: stamp, isShared: false)
            ports.append(port)
        } else {
            entries[index].isShared = true
            entries[index].hold = max(entries[index].hold, hold)
        }
    }

    /// Whether two sockets of the set have a port.
    func isShared(_ port: UInt16) -> Bool {
        let entry = entries[Int(port) - lowestPort]
        return entry.isShared && entry.stamp == stamp
    }

    var pool: PortPool {
        var pool = PortPool()
        for port in ports { pool.add(entries[Int(port) - lowestPort].hold) }
        return pool
    }
}
