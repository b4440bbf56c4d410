internal import Memcached

/// Which operation uses each connection that a lane's poller watches, by descriptor.
struct ConnectionUsers {
    private var entries: [(mark: UInt64, operation: Operation?)] = []

    /// What the poller reports for a connection; never an ``OperationToken``. Of the connection's number it
    /// has the last 31 bits: an event does not outlive two thousand million dials.
    static func token(of connection: Connection) -> UInt64 {
        (connection.identifier & 0x7fff_ffff) << 32 | UInt64(connection.descriptor)
    }

    /// The user of the connection a poller's token stands for: nil while it is idle, and nil when
    /// the descriptor has become another connection's since.
    subscript(token: UInt64) -> Operation? {
        let descriptor = Int(token & 0xffff_ffff)
        guard descriptor < entries.count, entries[descriptor].mark == token >> 32 else { return nil }
        return entries[descriptor].operation
    }

    mutating func set(_ operation: Operation, for connection: Connection) {
        let token = Self.token(of: connection)
        let descriptor = Int(connection.descriptor)
        while entries.count <= descriptor { entries.append((0, nil)) }
        entries[descriptor] = (token >> 32, operation)
    }

    mutating func remove(_ connection: Connection) {
        let descriptor = Int(connection.descriptor)
        if descriptor < entries.count { entries[descriptor].operation = nil }
    }
}
