internal import POSIX

/// A table's connections sorted by source address, then by pair, without those that were accepted and those whose port
/// does not count.
struct GroupedSockets {
    struct Socket {
        var port: UInt16
        var timeWaitLeft: UInt16
        var inode: UInt32
    }

    let sockets: [Socket]
    /// The pairs in the order their sockets have.
    let pairs: [AddressPair]
    /// Where the sockets of each pair begin, and the end.
    private let starts: [Int]
    /// Where the pairs of each source address begin, and the end.
    private let sourceStarts: [Int]

    init(_ table: SocketTable, in range: PortRange) {
        let (order, sourceStarts) = Self.bySource(table.pairs)
        var sizes = [Int](repeating: 0, count: table.pairs.count)
        let listeners = table.listeners
        let pairs = table.pairs
        func counts(_ entry: SocketTable.Entry) -> Bool {
            range.usable.contains(entry.port)
                && !(listeners.ports.contains(entry.port)
                    && listeners.accept(at: IPEndpoint(pairs[Int(entry.pair)].source, port: entry.port)))
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
        var sockets = [Socket](repeating: Socket(port: 0, timeWaitLeft: 0, inode: 0), count: total)
        for (index, entry) in table.entries.enumerated() where isCounted[index] {
            let pair = Int(entry.pair)
            sockets[next[pair]] = Socket(port: entry.port, timeWaitLeft: entry.timeWaitLeft, inode: entry.inode)
            next[pair] += 1
        }
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

    func count(ofPair pair: Int) -> Int { starts[pair + 1] - starts[pair] }
}

/// For each port of a set, the longest any of its sockets still holds it: a pool with every port counted once.
struct PortHolds {
    private var left = [UInt16](repeating: 0, count: 65_536)
    /// Which set a port's entry is of, so that nothing need be cleared between two.
    private var stamps = [UInt32](repeating: 0, count: 65_536)
    private var stamp: UInt32 = 0
    private var isSeenTwice = [Bool](repeating: false, count: 65_536)
    private(set) var ports: [UInt16] = []

    /// Begins a new set.
    mutating func clear() {
        stamp += 1
        ports.removeAll(keepingCapacity: true)
    }

    mutating func add(_ socket: GroupedSockets.Socket) { add(socket.port, socket.timeWaitLeft) }

    /// Adds a port that a socket without a connection holds.
    mutating func add(_ port: UInt16) { add(port, SocketTable.Entry.open) }

    private mutating func add(_ number: UInt16, _ timeWaitLeft: UInt16) {
        let port = Int(number)
        if stamps[port] != stamp {
            stamps[port] = stamp
            isSeenTwice[port] = false
            left[port] = timeWaitLeft
            ports.append(number)
        } else {
            isSeenTwice[port] = true
            left[port] = max(left[port], timeWaitLeft)
        }
    }

    /// Whether two sockets of the set have a port.
    func isShared(_ port: UInt16) -> Bool { isSeenTwice[Int(port)] && stamps[Int(port)] == stamp }

    var pool: PortPool {
        var pool = PortPool()
        for port in ports { pool.add(timeWaitLeft: left[Int(port)]) }
        return pool
    }
}
