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

/// What limits do to batches that share the engine.
@Suite("Limits in service", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct LimitsInServiceTests {
    private func withEngine(
        _ limit: String,
        lanes: Int = 4,
        store: (any BackingStore)? = nil,
        _ body: (RealMemcached, FanOutEngine) throws -> Void
    ) throws {
        let policy = try LimitPolicy(text: limit)
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address], lanes: lanes, store: store) {
                $0.limit = policy
                $0.maxIdle = 300
                $0.dialer = .rotate
                $0.lookupTimeout = .seconds(5)
            }
            defer { engine.stop() }
            try body(memcached, engine)
        }
    }

    @Test(
        "under a fair limit a small batch is answered while a heavy one is under way; served in order it waits for all of it",
        .slow
    )
    func fairness() throws {
        /// How many lookups of the heavy batch were answered before the small one was.
        func waitedFor(_ limit: String) throws -> Int {
            var answered = 0
            try withEngine(limit) { _, engine in
                let heavy = engine.start(postURIs(60_000), as: "heavy")
                let small = engine.start(postURIs(10, seed: 3), as: "small")
                #expect(small.wait().count == 10)
                answered = engine.counters.misses.value - 10
                #expect(heavy.wait().missing == 60_000)
                #expect(engine.counters.inFlight.peak <= 16)
            }
            return answered
        }
        #expect(try waitedFor("fair:16") < 30_000)
        #expect(try waitedFor("process:16") > 60_000 - 64)
    }

    @Test("a full queue refuses at once, a long wait refuses in time, and who got a permit is served")
    func queue() throws {
        try withEngine("process:4,queue=2,wait=300ms") { memcached, engine in
            memcached.send(SIGSTOP)
            let first = engine.start(postURIs(100, seed: 1))
            let holds = eventually { engine.counters.inFlight.value == 4 }
            #expect(holds)
            let waiting = (0..<2).map { engine.start(postURIs(10, seed: UInt64($0) + 2)) }
            let refused = engine.start(postURIs(10, seed: 9))
            guard case .failure(let full) = refused.waitForResult() else {
                Issue.record("the third batch was not refused")
                return
            }
            #expect(full.reason == .queueFull)
            for batch in waiting {
                guard case .failure(let late) = batch.waitForResult() else {
                    Issue.record("a batch that waited was not refused")
                    return
                }
                #expect(late.reason == .queueWait)
            }
            #expect(engine.counters.refusals.values == [.queueFull: 1, .queueWait: 2])
            memcached.send(SIGCONT)
            #expect(first.wait().missing == 100)
            // Nothing is left of those that were refused.
            #expect(engine.start(postURIs(10, seed: 4)).wait().missing == 10)
            #expect(engine.counters.misses.value == 110)
        }
    }

    @Test(
        "records the cache does not have are read and set back without waiting for anything else",
        .slow,
        arguments: ["none", "request:1", "request:16", "process:16", "fair:16", "vegas"],
        [FanoutPolicy.perURI, .multiget(chunk: 7)]
    )
    func coldCache(limit: String, fanout: FanoutPolicy) throws {
        try withEngine(limit, store: RecordStore(latency: .milliseconds(1), concurrency: 8)) { _, engine in
            var settings = engine.settings
            settings.fanout = fanout
            // Were a lane to sleep until something is due, it would be this.
            settings.lookupTimeout = .seconds(60)
            engine.settings = settings
            for (round, count) in [1, 2, 17, 64, 500, 3000].enumerated() {
                let cold = engine.start(postURIs(count, seed: UInt64(round)))
                try #require(cold.isDone(within: .seconds(20)), "\(count) cold")
                #expect(cold.wait().stored == count)
                let warm = engine.start(postURIs(count, seed: UInt64(round)))
                try #require(warm.isDone(within: .seconds(20)), "\(count) warm")
                #expect(warm.wait().hits == count)
            }
        }
    }

    @Test(
        "no batch sleeps through the permit it waits for, at whatever moment that is given back",
        .slow,
        arguments: ["process:1", "fair:1", "aimd:start=1,min=1,max=1", "process:3"]
    )
    func permitsAreSeen(limit: String) throws {
        try withEngine(limit) { _, engine in
            var settings = engine.settings
            // A lane asleep would stay so, and not be woken by what is long over.
            settings.lookupTimeout = .seconds(60)
            engine.settings = settings
            // Two at a time and then none: whom the last release does not wake, nobody else does.
            for round in 0..<5000 {
                let batches = (0..<2).map { engine.start(postURIs(1, seed: UInt64(round)), as: "caller \($0)") }
                for batch in batches { try #require(batch.isDone(within: .seconds(10)), "round \(round)") }
            }
        }
    }

    @Test(
        "no permit is lost between many lanes: whatever is waiting, all batches end",
        .slow,
        arguments: ["process:3", "fair:3", "request:2", "aimd:start=3,min=3,max=5"],
        [FanoutPolicy.perURI, .multiget(chunk: 5)]
    )
    func manyLanes(limit: String, fanout: FanoutPolicy) throws {
        try withEngine(limit, lanes: 7, store: RecordStore(latency: .zero, concurrency: 8)) { _, engine in
            var settings = engine.settings
            settings.fanout = fanout
            settings.lookupTimeout = .seconds(60)
            engine.settings = settings
            // Batches of all sizes, on one lane to all of them, most of them there before the first permit is given back.
            for round in 0..<3 {
                let batches = (0..<150).map {
                    engine.start(postURIs(1 + $0 * 7 % 120, seed: UInt64($0 % 50)), as: "caller \($0 % 3)")
                }
                for batch in batches { try #require(batch.isDone(within: .seconds(30)), "round \(round)") }
            }
            #expect(engine.counters.inFlight.value == 0)
            #expect(engine.counters.refusals.total == 0)
            // All permits are there again.
            let last = engine.start(postURIs(100, seed: 99))
            #expect(last.isDone(within: .seconds(20)))
        }
    }

    @Test("a batch that was refused after a wait leaves all lanes, and its permits to others")
    func refusedOnAllLanes() throws {
        try withEngine("process:2,queue=50,wait=200ms") { memcached, engine in
            memcached.send(SIGSTOP)
            let first = engine.start(postURIs(400, seed: 1))
            let holds = eventually { engine.counters.inFlight.value == 2 }
            #expect(holds)
            // Parts on all lanes.
            let waiting = (0..<50).map { engine.start(postURIs(200, seed: UInt64($0) + 2)) }
            for batch in waiting {
                guard case .failure(let overload) = batch.waitForResult() else {
                    Issue.record("a batch that waited was not refused")
                    return
                }
                #expect(overload.reason == .queueWait)
            }
            // The queue is empty again.
            let next = (0..<50).map { engine.start(postURIs(20, seed: UInt64($0) + 60)) }
            #expect(engine.counters.refusals.values == [.queueWait: 50])
            memcached.send(SIGCONT)
            #expect(first.wait().missing == 400)
            for batch in next { _ = batch.waitForResult() }
            #expect(engine.counters.refusals.values[.queueFull] == nil)
            #expect(engine.start(postURIs(10, seed: 4)).wait().missing == 10)
        }
    }

    @Test("what was submitted before an engine is stopped is looked up")
    func submittedBeforeStop() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            for round in 0..<200 {
                let engine = try FanOutEngine.make([memcached.address], lanes: 2) { $0.dialer = .rotate }
                let batch = engine.start(postURIs(40, seed: UInt64(round)))
                engine.stop()
                try #require(batch.isDone(within: .seconds(20)), "round \(round)")
            }
        }
    }

    @Test("who gets a permit at once does not queue, however short the queue is")
    func noQueue() throws {
        try withEngine("process:64,queue=1") { _, engine in
            for round in 0..<50 {
                let batches = (0..<20).map { engine.start(postURIs(1, seed: UInt64(round * 20 + $0))) }
                for batch in batches { #expect(batch.wait().missing == 1) }
            }
            #expect(engine.counters.refusals.total == 0)
        }
    }

    @Test(
        "an adaptive limit moves with what it sees, and never beyond what it may",
        .slow,
        arguments: ["aimd", "vegas", "gradient2"]
    )
    func adaptive(limit: String) throws {
        try withEngine(limit) { memcached, engine in
            #expect(engine.currentBound == 20)
            #expect(engine.lookUpAndWait(postURIs(20_000)).missing == 20_000)
            // What round trips on a busy machine make of the others is theirs to say.
            let grown = try #require(engine.currentBound)
            if limit == "aimd" { #expect(grown == 200) }
            #expect(engine.counters.inFlight.peak <= engine.settings.limit.bound!)
            // A pause that times lookups out brings it down.
            var settings = engine.settings
            settings.lookupTimeout = .milliseconds(50)
            engine.settings = settings
            memcached.send(SIGSTOP)
            #expect(engine.lookUpAndWait(postURIs(100)).failed == 100)
            memcached.send(SIGCONT)
            #expect(try #require(engine.currentBound) <= 20)
        }
    }
}
