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

    /// Asks memcached to close what is left over.
    func askToClose() {
        guard !surplus.isEmpty else { return }
        let deadline = MonotonicInstant.now + settings.lookupTimeout
        for connection in surplus where connection.askToClose() {
            do {
                try watch(closing: connection)
                closing.add(connection, until: deadline)
            } catch {
                // It is closed here then, as with `close: client`.
                continue
            }
        }
        surplus = []
    }

    private func watch(closing connection: Connection) throws(SystemCallError) {
        let token = ConnectionUsers.token(of: connection)
        if connection.owner == index { return try poller.rearm(connection.descriptor, .readable, token: token) }
        if let lane = connection.owner { try lanes[lane].poller.remove(connection.descriptor) }
        try poller.add(connection.descriptor, .readable, token: token)
        connection.owner = index
    }
}
