package import POSIX

/// The two ends between which connect() chooses a port, if it does the choosing.
package struct AddressPair: Sendable, Hashable, Comparable {
    package var source: IPAddress
    package var destination: IPEndpoint

    package init(source: IPAddress, destination: IPEndpoint) {
        self.source = source
        self.destination = destination
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.destination, left.source) < (right.destination, right.source)
    }
}

/// The sockets of one network namespace that have an ephemeral port, as one dump listed them: twelve bytes a socket.
package struct SocketTable: Sendable {
    /// A dialled connection.
    struct Entry {
        /// Index of its ``pairs``.
        var pair: UInt32
        var port: UInt16
        var hold: SocketHold
        /// Grows with each socket a thread makes; 0 in TIME_WAIT.
        var inode: UInt32
    }

    private var numbers = NumberedSet<AddressPair>()
    private(set) var entries: [Entry] = []
    private(set) var listeners = Listeners()
    /// Ends of listening and of bound but unconnected sockets.
    private(set) var holders: [(endpoint: IPEndpoint, isBothFamilies: Bool)] = []

    package init() {}

    var pairs: [AddressPair] { numbers.values }

    /// Sockets listed, listening ones among them.
    package var count: Int { entries.count + holders.count }

    mutating func add(_ socket: ListedSocket) {
        switch socket.state {
        case TCPState.listen.rawValue:
            listeners.add(socket)
            hold(socket)
        case TCPState.close.rawValue:
            hold(socket)
        default:
            let pair = AddressPair(source: socket.local.address, destination: socket.remote)
            let hold = SocketHold(state: socket.state, timeWaitLeft: socket.timeWaitLeft)
            entries.append(
                Entry(pair: numbers.number(of: pair), port: socket.local.port, hold: hold, inode: socket.inode)
            )
        }
    }

    private mutating func hold(_ socket: ListedSocket) {
        let isBoth = socket.isIPv6Socket && socket.local.address.isWildcard && !socket.isIPv6Only
        holders.append((socket.local, isBoth))
    }
}

extension IPAddress: MixedHashable {
    func mixed(_ seed: UInt64) -> UInt64 {
        (high ^ seed).folded(with: low ^ UInt64(zone) << 32 ^ 0x9e37_79b9_7f4a_7c15)
    }
}

extension AddressPair: MixedHashable {
    func mixed(_ seed: UInt64) -> UInt64 {
        let ends = source.mixed(seed) ^ UInt64(destination.port)
        return ends.folded(with: destination.address.mixed(seed) ^ 0xd6e8_feb8_6659_fd93)
    }
}
