import KernelProbe
import Memcached
import POSIX
import Synchronization
import TestSupport
import Testing
import Units

@Suite("Pool", .requiresNamespaces, .requiresMemcached)
struct PoolTests {
    /// Who waits for connections, and what he was told.
    private final class User: ConnectionUser {
        let turns = Mutex<[ConnectionTurn]>([])

        func receive(_ turn: ConnectionTurn) { turns.withLock { $0.append(turn) } }
    }

    private let user = User()

    /// Whose turn it is to have a connection that was put back.
    private func handed(_ kept: Pool.Kept) -> Delivery? {
        if case .handed(let delivery) = kept { delivery } else { nil }
    }

    /// An idle connection, or nil where there is none.
    private func idle(_ pool: Pool) -> Connection? {
        guard case .idle(let connection) = pool.take(server: 0, owner: nil, for: user, token: 0) else { return nil }
        return connection
    }

    /// A new connection of the pool's.
    private func dialled(_ pool: Pool, _ memcached: RealMemcached) throws -> Connection {
        guard case .dial(let slot) = pool.take(server: 0, owner: nil, for: user, token: 0) else {
            throw SystemCallError("dial", errno: 11)
        }
        return try connection(memcached, slot)
    }

    private func connection(_ memcached: RealMemcached, _ slot: consuming ConnectionSlot?) throws -> Connection {
        let template = Handle(server: memcached.address, timeout: .seconds(1))
        var generator = SplitMix64(seed: 1)
        let dial = Dial(server: 0, address: memcached.address, dialer: .kernel, lateBind: false, using: &generator)
        let key = Array("k".utf8CString.dropLast())
        let result = dial.start(slot: slot, copying: template) { handle in
            key.withUnsafeBufferPointer { key in
                var keys = [key.baseAddress]
                return handle.sendGet(keys: &keys, lengths: [key.count], count: 1)
            }
        }
        switch consume result {
        case .connected(let connection): return connection
        case .pending: throw SystemCallError("connect", errno: 115)
        case .failed(let error): throw error
        }
    }

    @Test("the connection put back last is taken first")
    func lastInFirstOut() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let pool = Pool(servers: 1, bounds: .init(maxIdle: 3))
            let (first, second) = try (dialled(pool, memcached), dialled(pool, memcached))
            #expect(handed(pool.put(first)) == nil)
            #expect(handed(pool.put(second)) == nil)
            #expect(idle(pool) === second)
            #expect(idle(pool) === first)
            #expect(idle(pool) == nil)
        }
    }

    @Test("put closes when idle reaches max-idle, and nothing bounds how many are open")
    func putCloses() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let pool = Pool(servers: 1, bounds: .init(maxIdle: 2))
            var connections = try (0..<10).map { _ in try dialled(pool, memcached) }
            #expect(pool.openCount == 10)
            #expect(try SocketDiagnostics.survey(towardsPort: 11211).established == 10)
            for connection in connections { #expect(handed(pool.put(connection)) == nil) }
            connections = []
            #expect(pool.idleCount == 2)
            #expect(pool.openCount == 2)
            #expect(try SocketDiagnostics.survey(towardsPort: 11211).established == 2)
        }
    }

    @Test("lowering max-idle closes what is beyond it")
    func lowerMaxIdle() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let pool = Pool(servers: 1, bounds: .init(maxIdle: 5))
            let connections = try (0..<5).map { _ in try dialled(pool, memcached) }
            for connection in connections { #expect(handed(pool.put(connection)) == nil) }
            #expect(pool.idleCount == 5)
            pool.setBounds(.init(maxIdle: 1))
            #expect(pool.idleCount == 1)
            pool.setBounds(.init(maxIdle: 0))
            #expect(idle(pool) == nil)
        }
    }

    @Test("with max-open, who finds none waits, and gets the next that is put back or closed, in the order they came")
    func maxOpen() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let pool = Pool(servers: 1, bounds: .init(maxIdle: 2, maxOpen: 2))
            let first = try dialled(pool, memcached)
            var second: Connection? = try dialled(pool, memcached)
            var tickets: [Int] = []
            for token in 1...4 as ClosedRange<UInt64> {
                guard case .wait(let ticket) = pool.take(server: 0, owner: nil, for: user, token: token) else {
                    Issue.record("nobody may dial")
                    return
                }
                tickets.append(ticket)
            }
            #expect(pool.leave(tickets[1], server: 0))
            #expect(!pool.leave(tickets[1], server: 0), "he has left")
            // Put back: the caller is told whose turn it is.
            let delivery = try #require(handed(pool.put(first)))
            #expect(delivery.turn.token == 1 && delivery.turn.connection === first)
            #expect(!pool.leave(tickets[0], server: 0), "it is his turn")
            // Closed: the next may dial in its stead, and never more are open than may be.
            #expect(second != nil)
            second = nil
            let turns = user.turns.withLock { $0 }
            #expect(turns.map(\.token) == [3] && turns[0].connection == nil)
            #expect(pool.openCount == 2)
            // Nobody overtakes who waits; a dial that fails passes the turn on.
            do { _ = pool.slot(of: turns[0]) }
            #expect(user.turns.withLock { $0.map(\.token) } == [3, 4])
            #expect(pool.waitingCount == 0)
            #expect(pool.openCount == 2)
        }
    }

    @Test("raising max-open lets those dial that wait; lowering it closes the idle ones, and others as they come back")
    func changeMaxOpen() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let pool = Pool(servers: 1, bounds: .init(maxIdle: 4, maxOpen: 1))
            var first: Connection? = try dialled(pool, memcached)
            for token in 1...2 as ClosedRange<UInt64> {
                _ = pool.take(server: 0, owner: nil, for: user, token: token)
            }
            #expect(pool.waitingCount == 2)
            pool.setBounds(.init(maxIdle: 4))
            let turns = user.turns.withLock { $0 }
            #expect(turns.map(\.token) == [1, 2])
            var others = try turns.map { try connection(memcached, pool.slot(of: $0)) }
            #expect(pool.openCount == 3)
            for connection in others { #expect(handed(pool.put(connection)) == nil) }
            others = []
            pool.setBounds(.init(maxIdle: 4, maxOpen: 2))
            #expect(pool.idleCount == 1)
            pool.setBounds(.init(maxIdle: 4, maxOpen: 1))
            #expect(pool.idleCount == 0)
            #expect(handed(pool.put(try #require(first))) == nil)
            first = nil
            #expect(pool.idleCount == 1)
        }
    }
}
