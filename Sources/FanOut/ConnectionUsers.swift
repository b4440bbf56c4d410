internal import Memcached

/// Which operation uses each connection that a lane's poller watches, by descriptor.
struct ConnectionUsers {
    private struct Entry {
        var mark: UInt64 = 0
        var operation: Operation?
        /// Whether something came while nobody used the connection.
        var wasDisturbed = false
    }

    private var entries: [Entry] = []

    /// What the poller reports for a connection; never an ``OperationToken``. Of the connection's number it
    /// has the last 31 bits: an event does not outlive two thousand million dials.
    static func token(of connection: Connection) -> UInt64 {
        (connection.identifier & 0x7fff_ffff) << 32 | UInt64(connection.descriptor)
    }

    /// The user of the connection that a poller's token stands for: nil while it is idle, which is remembered, and nil
    /// when the descriptor has become another connection's since.
    mutating func user(_ token: UInt64) -> Operation? {
        let descriptor = Int(token & 0xffff_ffff)
        guard descriptor < entries.count, entries[descriptor].mark == token >> 32 else { return nil }
        if entries[descriptor].operation == nil { entries[descriptor].wasDisturbed = true }
        return entries[descriptor].operation
    }

    /// Whether the poller has told of anything on a watched connection while it was idle. It may have been the end of its
    /// last reply, told late.
    func wasDisturbed(_ connection: Connection) -> Bool {
        let token = Self.token(of: connection)
        let entry = entries[Int(connection.descriptor)]
        return entry.mark != token >> 32 || entry.wasDisturbed
    }

    mutating func set(_ operation: Operation, for connection: Connection) {
        let token = Self.token(of: connection)
        let descriptor = Int(connection.descriptor)
        while entries.count <= descriptor { entries.append(Entry()) }
        entries[descriptor] = Entry(mark: token >> 32, operation: operation)
    }

    mutating func remove(_ connection: Connection) {
        let descriptor = Int(connection.descriptor)
        if descriptor < entries.count { entries[descriptor].operation = nil }
    }
}
