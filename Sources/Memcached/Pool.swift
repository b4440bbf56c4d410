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

    /// The connection that was put back last, or nil when none is idle.
    package func take(server: Int) -> Connection? {
        let taken = state.withLock { state in
            Handover(connection: state.idle[server].popLast())
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
