internal import Memcached
internal import POSIX
internal import Units

/// How a lane closes connections that nobody keeps.
extension Lane {
    /// Lets go of a connection, which closes it; under `close: server` once memcached has.
    func close(_ connection: Connection) {
        refreshSettings()
        // Asked for at the end of the turn: answers go first.
        if settings.close == .server { surplus.append(connection) }
    }

    /// Connections that are asked for in one turn, so that lookups have theirs between.
    private static let mostAskedInTurn = 256

    /// Asks memcached to close some of what is left over.
    func askToClose() {
        guard !surplus.isEmpty else { return }
        let deadline = MonotonicInstant.now + settings.lookupTimeout
        let some = surplus.suffix(Self.mostAskedInTurn)
        surplus.removeLast(some.count)
        for connection in some where connection.askToClose() {
            do {
                try watch(closing: connection)
                closing.add(connection, until: deadline)
            } catch {
                // It is closed here then, as with `close: client`.
                continue
            }
        }
    }

    /// What memcached has not closed by now is closed here.
    func closeAll() {
        surplus = []
        closing.removeAll()
    }

    private func watch(closing connection: Connection) throws(SystemCallError) {
        let token = ConnectionUsers.token(of: connection)
        if connection.owner == index { return try poller.rearm(connection.descriptor, .readable, token: token) }
        if let lane = connection.owner { try lanes[lane].poller.remove(connection.descriptor) }
        try poller.add(connection.descriptor, .readable, token: token)
        connection.owner = index
    }
}
