import FanOut
import Glibc
import Limits
import Memcached
import POSIX
import PostRecords
import Telemetry
import TestSupport
import Testing
import Units

/// Batches that nobody waits for any more.
@Suite("Cancellation", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct CancellationTests {
    @Test(
        "what is begun of a cancelled batch goes on, all else ends as cancelled, and permits are there for others",
        arguments: ["request:8", "process:8", "fair:8"]
    )
    func begun(text: String) throws {
        let policy = try LimitPolicy(text: text)
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.limit = policy
                $0.maxIdle = 64
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(10)
            }
            defer { engine.stop() }
            memcached.send(SIGSTOP)
            let batch = engine.start(postURIs(500))
            let isBegun = eventually { engine.counters.inFlight.value == 8 }
            #expect(isBegun)
            batch.cancel()
            batch.cancel()
            #expect(!batch.isDone, "what is begun is waited for")
            memcached.send(SIGCONT)
            let outcomes = batch.wait()
            // Lanes claim some units more than they have permits for.
            #expect((8...80).contains(outcomes.missing), "\(outcomes.missing)")
            #expect(outcomes.missing + outcomes.failed == 500)
            #expect(engine.errorsByName == ["CANCELLED": outcomes.failed])
            #expect(engine.counters.misses.value == outcomes.missing)
            #expect(try memcached.statistic("get_misses") == outcomes.missing)
            #expect(engine.lookUpAndWait(postURIs(100)).missing == 100)
            #expect(engine.counters.inFlight.value == 0)
        }
    }

    @Test("a batch without a limit is begun whole, and so ends as it would have")
    func unlimited() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.dialer = .rotate
                $0.lookupTimeout = .seconds(10)
            }
            defer { engine.stop() }
            memcached.send(SIGSTOP)
            let batch = engine.start(postURIs(300))
            let isBegun = eventually { engine.counters.inFlight.value == 300 }
            #expect(isBegun)
            batch.cancel()
            memcached.send(SIGCONT)
            #expect(batch.wait().missing == 300)
        }
    }

    @Test("one that waits for its first permit ends at once, and leaves its seat in the queue")
    func waiting() throws {
        let policy = try LimitPolicy(text: "process:1,queue=1,wait=1m")
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.limit = policy
                $0.lookupTimeout = .seconds(10)
            }
            defer { engine.stop() }
            memcached.send(SIGSTOP)
            let first = engine.start(postURIs(1))
            let isBegun = eventually { engine.counters.inFlight.value == 1 }
            #expect(isBegun)
            for _ in 0..<3 {
                let second = engine.start(postURIs(200))
                #expect(!second.isDone)
                second.cancel()
                #expect(second.isDone)
                #expect(second.wait().failed == 200)
            }
            memcached.send(SIGCONT)
            #expect(first.wait().missing == 1)
            #expect(engine.lookUpAndWait(postURIs(50)).missing == 50)
            #expect(engine.errorsByName == ["CANCELLED": 600])
        }
    }

    @Test(
        "however a batch is cancelled while lanes work on it, it ends once, and each of its keys too",
        arguments: ["none", "request:16", "process:16", "fair:16"]
    )
    func racing(text: String) throws {
        let policy = try LimitPolicy(text: text)
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.limit = policy
                $0.dialer = .rotate
                $0.maxIdle = 64
                $0.lookupTimeout = .seconds(10)
            }
            defer { engine.stop() }
            var generator = SplitMix64(seed: 12)
            var asked = 0
            var ended = 0
            for _ in 0..<60 {
                let batches = (0..<4).map { _ in engine.start(postURIs(Int(1 + generator.next() % 300))) }
                for batch in batches {
                    sleepThread(for: .microseconds(Int(generator.next() % 300)))
                    batch.cancel()
                }
                for batch in batches {
                    let outcomes = batch.wait()
                    asked += outcomes.count
                    ended += outcomes.missing + outcomes.failed
                }
            }
            #expect(asked == ended)
            #expect(engine.counters.misses.value + (engine.errorsByName["CANCELLED"] ?? 0) == asked)
            // No permit and no seat was lost on the way.
            #expect(engine.lookUpAndWait(postURIs(500)).missing == 500)
            let isEmpty = eventually { engine.counters.inFlight.value == 0 }
            #expect(isEmpty)
        }
    }
}
