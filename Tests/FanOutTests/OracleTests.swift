import FanOut
import KernelProbe
import Limits
import LoadGenerator
import Memcached
import POSIX
import PostRecords
import Telemetry
import TestSupport
import Testing

/// Our figures beside memcached's and the kernel's own.
@Suite("Oracles", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct OracleTests {
    @Test(
        "hits, misses and dials are what memcached counted, and TIME_WAIT is every dial that is not open",
        .slow,
        arguments: ["none", "request:64", "process:64"],
        ["per-uri", "multiget:500"]
    )
    func figuresAgree(limit: String, fanout: String) throws {
        let policy = try LimitPolicy(text: limit)
        let fanoutPolicy = try FanoutPolicy(text: fanout)
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let present = Workload(seed: 7, count: 3000)
            try Preload.run(present, into: ServerList([memcached.address]))
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.limit = policy
                $0.fanout = fanoutPolicy
                $0.dialer = .rotate
            }
            defer { engine.stop() }
            let resetsBefore = try resetsSent()
            let restingBefore = try SocketDiagnostics.survey(towardsPort: 11211).timeWait
            let before = try ["get_hits", "get_misses", "total_connections"].map { try memcached.statistic($0) }
            let outcomes = engine.lookUpAndWait(present.uris + postURIs(2000, seed: 8))
            #expect(engine.counters.inFlight.value == 0)

            #expect(outcomes.hits == 3000)
            #expect(outcomes.missing == 2000)
            #expect(engine.counters.hits.value == 3000)
            #expect(engine.counters.misses.value == 2000)
            #expect(try memcached.statistic("get_hits") - before[0] == 3000)
            #expect(try memcached.statistic("get_misses") - before[1] == 2000)
            let dials = engine.counters.dials.total
            #expect(dials > 0)
            // Each reading of a statistic is a connection: two for the readings before, three since.
            #expect(try memcached.statistic("total_connections") - before[2] - 3 == dials)

            let idle = engine.idleConnections
            let settled = try eventually {
                let counts = try SocketDiagnostics.survey(towardsPort: 11211)
                // Six readings of statistics rest in TIME_WAIT as well.
                let resets = try resetsSent() - resetsBefore
                return counts.established == idle && counts.timeWait + resets - restingBefore - 6 == dials - idle
            }
            #expect(settled, "TIME_WAIT is not dials minus open connections")
        }
    }

    @Test("every outcome is the record of its own URI")
    func recordsKeepTheirPlaces() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let present = Workload(seed: 7, count: 400)
            try Preload.run(present, into: ServerList([memcached.address]))
            // Hits, misses and repeats in one batch.
            let uris = (0..<1000).map { present.uris[($0 * 7) % 400] } + postURIs(200, seed: 9)
            for fanout in [FanoutPolicy.perURI, .multiget(chunk: 64)] {
                let engine = try FanOutEngine.make([memcached.address]) { $0.fanout = fanout }
                defer { engine.stop() }
                for (uri, outcome) in zip(uris, engine.lookUpAndWait(uris)) {
                    switch outcome {
                    case .hit(let value): #expect(value == SyntheticPost.cacheValue(for: uri))
                    default: #expect(!present.uris.contains(uri))
                    }
                }
            }
        }
    }

    @Test("a miss is read from the store, set back, and found the next time")
    func writeBack() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let store = RecordStore(latency: .milliseconds(1), concurrency: 100)
            let engine = try FanOutEngine.make([memcached.address], store: store) { $0.dialer = .rotate }
            defer { engine.stop() }
            let uris = postURIs(1000)
            let first = engine.lookUpAndWait(uris)
            #expect(first.stored == 1000)
            #expect(engine.counters.writeBacks.value == 1000)
            #expect(try memcached.statistic("cmd_set") == 1000)
            #expect(try memcached.statistic("curr_items") == 1000)
            #expect(engine.lookUpAndWait(uris).hits == 1000)
        }
    }

    @Test("keys are spread over several servers, and each is looked up where it was stored")
    func ketama() throws {
        try inNetworkNamespace {
            let nodes = try (0..<3).map { try RealMemcached(port: 11211 + UInt16($0)) }
            let workload = Workload(seed: 3, count: 3000)
            try Preload.run(workload, into: ServerList(nodes.map(\.address)))
            let engine = try FanOutEngine.make(nodes.map(\.address)) { $0.dialer = .rotate }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(workload.uris).hits == 3000)
            for node in nodes { #expect(try node.statistic("get_hits") > 300) }
            #expect(try nodes.reduce(0) { $0 + (try $1.statistic("get_hits")) } == 3000)
            #expect(try nodes.allSatisfy { try $0.statistic("get_misses") == 0 })
        }
    }
}
