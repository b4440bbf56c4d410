internal import Memcached
internal import POSIX

/// Connections that memcached has been asked to close, until it has: under the setting `close: server`.
struct ClosingConnections {
    private var connections: [CInt: Connection] = [:]
    /// By descriptor.
    private var deadlines = DeadlineQueue()

    var isEmpty: Bool { connections.isEmpty }

    /// When one of them is waited for no longer.
    var next: MonotonicInstant? { deadlines.next }

    mutating func add(_ connection: Connection, until deadline: MonotonicInstant) {
        connections[connection.descriptor] = connection
        deadlines.set(Int(connection.descriptor), at: deadline)
    }

    /// Something has come on a connection, by the poller's token: lets go of it, unless memcached has yet to close.
    mutating func look(at token: UInt64) {
        let descriptor = CInt(truncatingIfNeeded: token & 0xffff_ffff)
        guard let connection = connections[descriptor], ConnectionUsers.token(of: connection) == token,
            connection.arrived != .nothing
        else { return }
        remove(descriptor)
    }

    /// Closes those that have been waited for long enough.
    mutating func expire(at now: MonotonicInstant) {
        while let descriptor = deadlines.takeDue(at: now) { remove(CInt(descriptor)) }
    }

    mutating func removeAll() {
        for descriptor in Array(connections.keys) { remove(descriptor) }
    }

    private mutating func remove(_ descriptor: CInt) {
        deadlines.remove(Int(descriptor))
        connections[descriptor] = nil
    }
}
