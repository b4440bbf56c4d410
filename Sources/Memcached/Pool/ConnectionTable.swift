internal import Synchronization

/// What a ``Pool`` and the connections out of it share: which are idle, how many there are, and who waits for one.
///
/// Connections keep it and not the pool, which its own idle ones would keep alive.
final class ConnectionTable: Sendable {
    struct Server {
        // Safe to hand between threads: a connection here belongs to nobody.
        var idle: [Connection] = []
        /// Connections that are open or being dialled.
        var open = 0
        var waiting = WaitingLine<Waiter>()
    }

    struct Waiter {
        let user: any ConnectionUser
        let token: UInt64
    }

    struct State {
        var bounds: Pool.Bounds
        var servers: [Server]

        var mostOpen: Int { bounds.maxOpen ?? .max }

        /// The turns of those that may dial now; each counts as open from here on.
        mutating func turnsToDial(_ server: Int) -> [Delivery] {
            var turns: [Delivery] = []
            while servers[server].open < mostOpen, let waiter = servers[server].waiting.next() {
                servers[server].open += 1
                turns.append(Delivery(waiter, server: server, connection: nil))
            }
            return turns
        }
    }

    let state: Mutex<State>

    init(servers: Int, bounds: Pool.Bounds) {
        state = Mutex(State(bounds: bounds, servers: Array(repeating: Server(), count: servers)))
    }

    /// A connection is closed, or was not made: whoever waits may dial in its stead.
    fileprivate func free(_ server: Int) {
        let turns = state.withLock { state in
            state.servers[server].open -= 1
            return state.turnsToDial(server)
        }
        for turn in turns { turn.send() }
    }
}

/// What stands for one connection, from before its dial to after it was closed.
package struct ConnectionSlot: ~Copyable {
    private let table: ConnectionTable
    private let server: Int

    /// For one that the table counts already.
    init(_ table: ConnectionTable, server: Int) {
        self.table = table
        self.server = server
    }

    deinit {
        table.free(server)
    }
}

/// Who waits for connections: it is told on the thread of whoever gives one back.
package protocol ConnectionUser: AnyObject, Sendable {
    func receive(_ turn: ConnectionTurn)
}

/// What somebody has waited for: a connection to use, or leave to dial one. It has to be taken up, or given back to the pool.
///
/// Unchecked, as the compiler cannot see that a connection leaves one owner before it reaches the next. Safe: who gives it
/// away does not use it after.
package struct ConnectionTurn: @unchecked Sendable {
    package let token: UInt64
    package let server: Int
    /// Nil where it is to be dialled.
    package let connection: Connection?
}

/// A turn on its way to who has waited for it.
package struct Delivery: Sendable {
    package let user: any ConnectionUser
    package let turn: ConnectionTurn

    init(_ waiter: ConnectionTable.Waiter, server: Int, connection: Connection?) {
        user = waiter.user
        turn = ConnectionTurn(token: waiter.token, server: server, connection: connection)
    }

    func send() { user.receive(turn) }
}
