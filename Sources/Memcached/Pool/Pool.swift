internal import Synchronization

/// Idle connections, kept by gomemcache's rules: a last-in, first-out list for each server;
/// putting back closes when `maxIdle` are idle already; nothing bounds how many are open, unless `maxOpen` does.
///
/// With such a bound, who finds neither an idle connection nor room for another waits for one, and they get what is put
/// back in the order they came.
package final class Pool: Sendable {
    /// Of each server.
    package struct Bounds: Sendable, Equatable {
        /// 0 or more.
        package var maxIdle: Int
        /// Connections open or being dialled, 1 or more; nil for any number.
        package var maxOpen: Int?

        package init(maxIdle: Int, maxOpen: Int? = nil) {
            self.maxIdle = maxIdle
            self.maxOpen = maxOpen
        }
    }

    /// What there is for somebody who wants a connection.
    package enum Offer: ~Copyable {
        case idle(Connection)
        case dial(ConnectionSlot)
        /// He is told when it is his turn, unless he leaves before: ``leave(_:server:)``.
        case wait(ticket: Int)
    }

    /// What became of a connection that was put back.
    package enum Kept {
        case idle
        /// Somebody has waited for it: the caller is to see to their turn, ``Delivery/user``.
        case handed(Delivery)
        /// Enough are idle: it is the caller's to close.
        case surplus
    }

    private enum Found {
        case idle(Handover)
        case dial
        case wait(ticket: Int)
    }

    private let table: ConnectionTable

    package init(servers: Int, bounds: Bounds) {
        table = ConnectionTable(servers: servers, bounds: bounds)
    }

    deinit {
        let closed = table.state.withLock { state in
            let idle = state.servers.flatMap(\.idle)
            for server in state.servers.indices { state.servers[server].idle = [] }
            return Surplus(connections: idle)
        }
        _ = closed
    }

    /// How many of the connections put back last are looked through for one of the same owner.
    private static let lookback = 16

    /// A connection that was put back last, or what to do when none is idle. Among the last few, one that the owner's
    /// poller watches already is taken first: another would have to be moved, at two system calls.
    /// - Parameters:
    ///   - user: who waits where there is nothing else to do; nobody waits before him for the same server.
    ///   - token: what he knows this wish by.
    package func take(server: Int, owner: Int?, for user: any ConnectionUser, token: UInt64) -> Offer {
        let found = table.state.withLock { state -> Found in
            // Looked at in place: a copy of the list would have to be made whole when it changes.
            let count = state.servers[server].idle.count
            for index in stride(from: count - 1, through: max(0, count - Self.lookback), by: -1)
            where state.servers[server].idle[index].owner == owner {
                return .idle(Handover(connection: state.servers[server].idle.remove(at: index)))
            }
            if let last = state.servers[server].idle.popLast() { return .idle(Handover(connection: last)) }
            guard state.servers[server].open >= state.mostOpen || state.servers[server].waiting.count > 0 else {
                state.servers[server].open += 1
                return .dial
            }
            return .wait(ticket: state.servers[server].waiting.join(.init(user: user, token: token)))
        }
        return switch found {
        case .idle(let handover): .idle(handover.connection)
        case .dial: .dial(ConnectionSlot(table, server: server))
        case .wait(let ticket): .wait(ticket: ticket)
        }
    }

    /// Keeps a healthy connection, unless enough are idle; where somebody waits for one it is theirs.
    package func put(_ connection: Connection) -> Kept {
        let handover = Handover(connection: connection)
        return table.state.withLock { state in
            let server = handover.connection.server
            // One too many, since the bound was lowered: closing it makes room.
            guard state.servers[server].open <= state.mostOpen else { return .surplus }
            if let waiter = state.servers[server].waiting.next() {
                return .handed(Delivery(waiter, server: server, connection: handover.connection))
            }
            guard state.servers[server].idle.count < state.bounds.maxIdle else { return .surplus }
            state.servers[server].idle.append(handover.connection)
            return .idle
        }
    }

    /// Somebody waits no longer.
    /// - Returns: false when it is his turn already, of which he is being told.
    package func leave(_ ticket: Int, server: Int) -> Bool {
        table.state.withLock { $0.servers[server].waiting.leave(ticket) }
    }

    /// The slot of a turn that is to be dialled.
    package func slot(of turn: ConnectionTurn) -> ConnectionSlot { ConnectionSlot(table, server: turn.server) }

    /// Changes how many are kept and how many there may be.
    /// - Returns: those beyond it that were idle, oldest first, for the caller to close.
    @discardableResult
    package func setBounds(_ bounds: Bounds) -> Surplus {
        let (surplus, turns) = table.state.withLock { state in
            state.bounds = bounds
            var surplus: [Connection] = []
            var turns: [Delivery] = []
            for server in state.servers.indices {
                let idle = state.servers[server].idle.count
                let extra = min(idle, max(idle - bounds.maxIdle, state.servers[server].open - state.mostOpen))
                if extra > 0 {
                    surplus += state.servers[server].idle.prefix(extra)
                    state.servers[server].idle.removeFirst(extra)
                }
                turns += state.turnsToDial(server)
            }
            return (Surplus(connections: surplus), turns)
        }
        for turn in turns { turn.send() }
        return surplus
    }

    /// Connections idle at this moment, over all servers.
    package var idleCount: Int {
        table.state.withLock { state in state.servers.reduce(0) { $0 + $1.idle.count } }
    }

    /// Connections open or being dialled at this moment, over all servers.
    package var openCount: Int {
        table.state.withLock { state in state.servers.reduce(0) { $0 + $1.open } }
    }

    /// Those that wait for a connection at this moment.
    package var waitingCount: Int {
        table.state.withLock { state in state.servers.reduce(0) { $0 + $1.waiting.count } }
    }

    // Unchecked, as the compiler cannot see that a connection leaves one owner before it
    // reaches the next: the pool's lock orders the two.
    private struct Handover: @unchecked Sendable {
        let connection: Connection
    }

    /// Connections that left the pool to be closed.
    ///
    /// Unchecked as above, and safe as nobody else has them any more.
    package struct Surplus: @unchecked Sendable {
        package let connections: [Connection]
    }
}
