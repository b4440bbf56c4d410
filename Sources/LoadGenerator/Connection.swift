internal import HTTP
internal import POSIX

/// One connection of a client, kept alive as long as the server keeps it. It belongs to the sender's thread.
final class Connection {
    let socket: Socket
    /// Where it leads.
    let address: SocketAddress
    let client: Int
    /// What its events are told by.
    let token: UInt64
    /// The batch that is in flight on it; nil while it is idle.
    var batch: BatchTable.ID?
    var parser: ResponseParser
    /// Bytes of the request that are out.
    var sent = 0
    /// Whether an earlier batch was answered on it.
    var isReused = false
    /// Whether the server sends no more on it after what has come.
    var isEnded = false
    /// When bytes last went or came.
    var lastProgress: MonotonicInstant

    init(
        _ socket: consuming Socket,
        to address: SocketAddress,
        client: Int,
        token: UInt64,
        parser: ResponseParser,
        now: MonotonicInstant
    ) {
        self.socket = socket
        self.address = address
        self.client = client
        self.token = token
        self.parser = parser
        lastProgress = now
    }
}

/// The connections of a load by the tokens of their events. A token names one connection for good: an event that comes
/// late does not reach another with the same descriptor.
struct ConnectionTable {
    private var slots: [Connection?] = []
    private var free: [Int] = []
    private var opened: UInt64 = 0

    /// A token for the next connection.
    mutating func nextToken() -> UInt64 {
        opened += 1
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        // Up to 16 million at once, and tokens of their own for 10^12.
        return opened << 24 | UInt64(slot)
    }

    subscript(token: UInt64) -> Connection? {
        let slot = Int(token & 0xff_ffff)
        guard slot < slots.count, let connection = slots[slot], connection.token == token else { return nil }
        return connection
    }

    mutating func insert(_ connection: Connection) {
        slots[Int(connection.token & 0xff_ffff)] = connection
    }

    /// Gives back a token, with the connection if there is one.
    mutating func remove(_ token: UInt64) {
        slots[Int(token & 0xff_ffff)] = nil
        free.append(Int(token & 0xff_ffff))
    }

    var all: some Sequence<Connection> { slots.lazy.compactMap { $0 } }
}
