import Dispatch
import FanOut
import Glibc
import Memcached
import POSIX
import Synchronization
import Telemetry
import TestSupport
import Testing
import Units

/// Lookups that are tried again, and keys that are asked for once.
@Suite("Retries and duplicates", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct RetryTests {
    @Test(
        "where no port is left, each lookup dials once more for each retry, and still has one outcome",
        arguments: [1, 3]
    )
    func amplification(retries: Int) throws {
        let ports = 64
        try inNetworkNamespace(ports: ports) {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) { $0.retries = retries }
            defer { engine.stop() }
            let before = try memcached.statistic("total_connections")
            let outcomes = engine.lookUpAndWait(postURIs(300))
            let failed = outcomes.failed
            #expect(failed > 0)
            #expect(outcomes.missing + failed == 300)
            #expect(engine.errorsByName == ["EADDRINUSE": failed])
            #expect(engine.counters.dials.total == ports)
            #expect(try memcached.statistic("total_connections") - before - 1 == ports)
            // A lookup that failed has used all its attempts; others may have used some.
            let attempts = engine.counters.dialErrors.total
            #expect(attempts == engine.counters.retries.value + failed)
            #expect(engine.counters.retries.value >= retries * failed)
            #expect(engine.counters.inFlight.value == 0)
        }
    }

    @Test(
        "a lookup whose connection had ended is answered over another, once it may be tried again",
        arguments: [0, 1]
    )
    func brokenConnection(retries: Int) throws {
        try inNetworkNamespace {
            let accepted = Atomic<Int>(0)
            // The first connection is over once it has answered.
            let server = try StandIn { caller in
                let isFirst = accepted.add(1, ordering: .relaxed).oldValue == 0
                repeat {
                    _ = try caller.request()
                    try caller.send("END\r\n")
                } while !isFirst
            }
            let engine = try FanOutEngine.make([server.address], lanes: 1) {
                $0.retries = retries
                $0.dialer = .kernel
            }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(["k"]).missing == 1)
            let hasEnded = eventually { server.ended == 1 }
            #expect(hasEnded)
            #expect(engine.idleConnections == 1)
            #expect(engine.lookUpAndWait(["k"]).missing == retries)
            #expect(engine.counters.retries.value == retries)
            #expect(engine.counters.dials.total == 1 + retries)
            #expect(engine.errorsByName.values.reduce(0, +) == 1 - retries)
        }
    }

    @Test("of a multiget that broke off, what has come counts once and only the rest is asked for again")
    func partialMultiget() throws {
        try inNetworkNamespace {
            let asked = Mutex<[[String]]>([])
            // The first connection answers half and ends; later ones answer whole.
            let server = try StandIn { caller in
                while true {
                    let words = try caller.request()
                    let isFirst = asked.withLock { asked in
                        asked.append(words)
                        return asked.count == 1
                    }
                    let values = words.dropFirst().map { "VALUE \($0) 0 1\r\nx\r\n" }
                    if isFirst { return try caller.send(values.prefix(2).joined() + "VALUE") }
                    try caller.send(values.joined() + "END\r\n")
                }
            }
            let engine = try FanOutEngine.make([server.address], lanes: 1) {
                $0.retries = 1
                $0.fanout = .multiget(chunk: 100)
                $0.dialer = .kernel
            }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(["a", "b", "c", "d"]).hits == 4)
            #expect(engine.counters.hits.value == 4)
            #expect(engine.counters.retries.value == 1)
            #expect(engine.errorsByName == [:])
            #expect(engine.counters.inFlight.value == 0)
            #expect(asked.withLock { $0 } == [["get", "a", "b", "c", "d"], ["get", "c", "d"]])
        }
    }

    @Test("a timeout is not tried again: memcached would not answer the next either")
    func timeout() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.retries = 3
                $0.dialer = .kernel
                $0.lookupTimeout = .milliseconds(30)
            }
            defer { engine.stop() }
            memcached.send(SIGSTOP)
            #expect(engine.lookUpAndWait(postURIs(5)).failed == 5)
            memcached.send(SIGCONT)
            #expect(engine.errorsByName == ["ETIMEDOUT": 5])
            #expect(engine.counters.retries.value == 0)
        }
    }

    @Test("a key that a batch has several times is asked for once, and answered as often as it was asked for")
    func dedupe() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            var plain = try TextConnection(to: memcached.address)
            try plain.set([("a", Array("1".utf8)), ("b", Array("2".utf8))])
            let engine = try FanOutEngine.make([memcached.address]) { $0.dialer = .kernel }
            defer { engine.stop() }
            let keys = ["a", "b", "a", "none", "a", "none", "b"]
            func values(_ outcomes: [Outcome]) -> [String] {
                outcomes.map { if case .hit(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { "-" } }
            }
            let expected = ["1", "2", "1", "-", "1", "-", "2"]
            #expect(values(engine.lookUpAndWait(keys)) == expected)
            #expect(try memcached.statistic("cmd_get") == 7)
            engine.settings.dedupe = true
            #expect(values(engine.lookUpAndWait(keys)) == expected)
            #expect(try memcached.statistic("cmd_get") == 7 + 3)
            let counters = engine.counters
            #expect(counters.duplicates.value == 4)
            // Of both batches: what was looked up and what was not are all that was asked for.
            #expect(counters.lookups + counters.duplicates.value == 14)
            // Without duplicates nothing changes.
            #expect(values(engine.lookUpAndWait(["b", "a"])) == ["2", "1"])
            #expect(counters.duplicates.value == 4)
        }
    }

    @Test("an account is told of each of a caller's keys that failed, asked for or not")
    func failedDuplicates() throws {
        try inNetworkNamespace {
            let engine = try FanOutEngine.make([.ipv4(.loopback, port: 11211)]) {
                $0.dedupe = true
                $0.dialer = .kernel
            }
            defer { engine.stop() }
            let account = ClientAccount("caller")
            let done = DispatchSemaphore(value: 0)
            engine.lookUp(KeyList(["a", "a", "b"]), for: account) { result in
                #expect((try? result.get().failed) == 3)
                done.signal()
            }
            done.wait()
            #expect(engine.errorsByName == ["ECONNREFUSED": 2])
            #expect(account.totals.errors == ["ECONNREFUSED": 3])
        }
    }
}
