internal import Synchronization

/// Idle connections, kept by gomemcache's rules: a last-in, first-out list for each server;
/// putting back closes when `maxIdle` are idle already; nothing bounds how many are open.
package final class Pool: Sendable {
    private struct State {
        var maxIdle: Int
        // Safe to hand between threads: a connection here belongs to nobody.
        var idle: [[Connection]]
    }

    private let state: Mutex<State>

    /// - Parameter maxIdle: for each server, 0 or more.
    package init(servers: Int, maxIdle: Int) {
        state = Mutex(State(maxIdle: maxIdle, idle: Array(repeating: [], count: servers)))
    }

    /// How many of the connections put back last are looked through for one of the same owner.
    private static let lookback = 16

    /// A connection that was put back last, or nil when none is idle. Among the last few, one that the owner's
    /// poller watches already is taken first: another would have to be moved, at two system calls.
    package func take(server: Int, owner: Int? = nil) -> Connection? {
        let taken = state.withLock { state in
            // Looked at in place: a copy of the list would have to be made whole when it changes.
            let count = state.idle[server].count
            for index in stride(from: count - 1, through: max(0, count - Self.lookback), by: -1)
            where state.idle[server][index].owner == owner {
                return Handover(connection: state.idle[server].remove(at: index))
            }
            return Handover(connection: state.idle[server].popLast())
        }
        return taken.connection
    }

    /// Keeps a healthy connection, or closes it when enough are idle.
    package func put(_ connection: Connection) {
        let handover = Handover(connection: connection)
        state.withLock { state in
            let connection = handover.connection!
            guard state.idle[connection.server].count < state.maxIdle else { return }
            state.idle[connection.server].append(connection)
        }
    }

    /// Changes how many are kept, and closes those beyond it, oldest first.
    package func setMaxIdle(_ maxIdle: Int) {
        let closed = state.withLock { state in
            state.maxIdle = maxIdle
            var surplus: [Connection] = []
            for server in state.idle.indices where state.idle[server].count > maxIdle {
                let extra = state.idle[server].count - maxIdle
                surplus += state.idle[server].prefix(extra)
                state.idle[server].removeFirst(extra)
            }
            return Surplus(connections: surplus)
        }
        _ = closed
    }

    /// Connections idle at this moment, over all servers.
    package var idleCount: Int {
        state.withLock { state in state.idle.reduce(0) { $0 + $1.count } }
    }

    // Unchecked, as the compiler cannot see that a connection leaves one owner before it
    // reaches the next: the pool's lock orders the two.
    private struct Handover: @unchecked Sendable {
        var connection: Connection?
    }

    // As above, for connections that leave the pool to be closed.
    private struct Surplus: @unchecked Sendable {
        var connections: [Connection]
    }
}
