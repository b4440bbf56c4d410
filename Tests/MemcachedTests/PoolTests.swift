import KernelProbe
import Memcached
import POSIX
import TestSupport
import Testing
import Units

@Suite("Pool", .requiresNamespaces, .requiresMemcached)
struct PoolTests {
    private func connection(_ memcached: RealMemcached) throws -> Connection {
        let template = Handle(server: memcached.address, timeout: .seconds(1))
        var generator = SplitMix64(seed: 1)
        let dial = Dial(server: 0, address: memcached.address, dialer: .kernel, lateBind: false, using: &generator)
        let key = Array("k".utf8CString.dropLast())
        let result = dial.start(copying: template) { handle in
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
            let pool = Pool(servers: 1, maxIdle: 3)
            let (first, second) = try (connection(memcached), connection(memcached))
            pool.put(first)
            pool.put(second)
            #expect(pool.take(server: 0) === second)
            #expect(pool.take(server: 0) === first)
            #expect(pool.take(server: 0) == nil)
        }
    }

    @Test("put closes when idle reaches max-idle, and nothing bounds how many are open")
    func putCloses() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let pool = Pool(servers: 1, maxIdle: 2)
            var connections = try (0..<10).map { _ in try connection(memcached) }
            #expect(try SocketDiagnostics.survey(towardsPort: 11211).established == 10)
            for connection in connections { pool.put(connection) }
            connections = []
            #expect(pool.idleCount == 2)
            #expect(try SocketDiagnostics.survey(towardsPort: 11211).established == 2)
        }
    }

    @Test("lowering max-idle closes what is beyond it")
    func lowerMaxIdle() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let pool = Pool(servers: 1, maxIdle: 5)
            for _ in 0..<5 { pool.put(try connection(memcached)) }
            #expect(pool.idleCount == 5)
            pool.setMaxIdle(1)
            #expect(pool.idleCount == 1)
            pool.setMaxIdle(0)
            #expect(pool.take(server: 0) == nil)
        }
    }
}
