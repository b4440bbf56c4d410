import FanOut
import KernelProbe
import Limits
import LoadGenerator
import Memcached
import POSIX
import PostRecords
import Synchronization
import Telemetry
import TestSupport
import Testing
import Units

/// Replies that no memcached sends, or that break off: one lookup's error by its right name, and nobody else's.
@Suite("Rude peers", .requiresNamespaces, .timeLimit(.minutes(2)))
struct RudePeerTests {
    /// What a stand-in does with the `get` of a key, and how that has to be counted.
    private struct Rudeness: Sendable {
        var name: String
        var error: String
        var answer: @Sendable (StandIn.Caller, _ key: String) throws -> Void

        init(_ name: String, _ error: String, _ answer: @escaping @Sendable (StandIn.Caller, String) throws -> Void) {
            self.name = name
            self.error = error
            self.answer = answer
        }

        /// One that sends a text, in which `K` stands for the key, and waits for the connection to be closed.
        init(_ name: String, _ error: String, _ text: String) {
            self.init(name, error) { caller, key in
                try caller.send(text.split(separator: "K", omittingEmptySubsequences: false).joined(separator: key))
                try caller.stall()
            }
        }
    }

    private static func value(of key: String) -> String { "VALUE \(key) 0 \(key.utf8.count)\r\n\(key)\r\n" }

    /// Answers as memcached does, each key being its own value.
    private static func answer(_ caller: StandIn.Caller, _ keys: some Sequence<String>) throws {
        try caller.send(keys.map { value(of: $0) }.joined() + "END\r\n")
    }

    private static let rudenesses: [Rudeness] = [
        Rudeness("nothing", "ETIMEDOUT", ""),
        Rudeness("one byte", "ETIMEDOUT", "V"),
        Rudeness("a line cut", "ETIMEDOUT", "VALUE K 0 1"),
        Rudeness("a value cut", "ETIMEDOUT", "VALUE K 0 9\r\n123"),
        Rudeness("a value without END", "ETIMEDOUT", "VALUE K 0 1\r\n1\r\n"),
        Rudeness("END cut", "ETIMEDOUT", "VALUE K 0 1\r\n1\r\nEN"),
        Rudeness("a miss cut", "ETIMEDOUT", "END\r"),
        Rudeness("an error cut", "ETIMEDOUT", "SERVER_ERR"),
        Rudeness("a byte at a time, too late", "ETIMEDOUT") { caller, _ in
            while true {
                try caller.send("V")
                sleepThread(for: .milliseconds(300))
            }
        },
        Rudeness("closed", "EOF") { _, _ in },
        Rudeness("closed in a value", "EOF") { caller, key in try caller.send("VALUE \(key) 0 9\r\n123") },
        Rudeness("closed before END", "EOF") { caller, key in try caller.send("VALUE \(key) 0 1\r\n1\r\n") },
        Rudeness("reset in a value", "ECONNRESET") { caller, key in
            caller.reset()
            try caller.send("VALUE \(key) 0 9\r\n123")
        },
        Rudeness("another key", "MEMCACHED_PROTOCOL_ERROR", "VALUE other 0 1\r\n1\r\nEND\r\n"),
        Rudeness("a longer key", "MEMCACHED_PROTOCOL_ERROR", "VALUE Kx 0 1\r\n1\r\nEND\r\n"),
        Rudeness("a key without end", "MEMCACHED_PROTOCOL_ERROR", "VALUE " + String(repeating: "x", count: 100_000)),
        Rudeness("a negative length", "MEMCACHED_PROTOCOL_ERROR", "VALUE K 0 -1\r\n1\r\nEND\r\n"),
        Rudeness("2^64 - 6 bytes", "MEMCACHED_E2BIG", "VALUE K 0 18446744073709551610\r\n1\r\nEND\r\n"),
        Rudeness("2^32 - 1 bytes", "MEMCACHED_E2BIG", "VALUE K 0 4294967295\r\n1\r\nEND\r\n"),
        Rudeness(
            "longer than said",
            "MEMCACHED_PROTOCOL_ERROR",
            "VALUE K 0 10\r\n\(String(repeating: "x", count: 300))"
        ),
        Rudeness("shorter than said", "MEMCACHED_PROTOCOL_ERROR", "VALUE K 0 10\r\n1\r\nEND\r\nEND\r\n"),
        Rudeness("the value twice", "MEMCACHED_PROTOCOL_ERROR", "VALUE K 0 1\r\n1\r\nVALUE K 0 1\r\n1\r\nEND\r\n"),
        Rudeness("END twice", "MEMCACHED_PROTOCOL_ERROR", "VALUE K 0 1\r\n1\r\nEND\r\nEND\r\n"),
        Rudeness("another's reply first", "MEMCACHED_PROTOCOL_ERROR", "END\r\nVALUE K 0 1\r\n1\r\nEND\r\n"),
        Rudeness("binary", "MEMCACHED_PROTOCOL_ERROR", "\u{1}\u{0}\u{0}"),
        Rudeness("HTTP", "MEMCACHED_PROTOCOL_ERROR", "HTTP/1.1 400 Bad Request\r\n\r\n"),
        Rudeness("without end", "MEMCACHED_PROTOCOL_ERROR") { caller, _ in while true { try caller.send("xxxxxxxx") } },
        Rudeness("lines without end", "MEMCACHED_ERROR") { caller, _ in while true { try caller.send("ERROR\r\n") } },
        Rudeness("an error", "MEMCACHED_ERROR", "ERROR\r\n"),
        Rudeness("out of connections", "MEMCACHED_ERROR") { caller, _ in
            try caller.send("ERROR Too many open connections\r\n")
        },
        Rudeness("a client's error", "MEMCACHED_CLIENT_ERROR", "CLIENT_ERROR line format\r\n"),
        Rudeness("a server's error", "MEMCACHED_SERVER_ERROR", "SERVER_ERROR out of memory writing get response\r\n"),
        Rudeness(
            "a server's error after the value",
            "MEMCACHED_SERVER_ERROR",
            "VALUE K 0 1\r\n1\r\nSERVER_ERROR x\r\n"
        ),
    ]

    /// A memcached but for keys called rude and a number: those are answered by that rudeness.
    private static func standIn(counting rude: RudeConnections) throws -> StandIn {
        try StandIn { caller in
            while true {
                let keys = try caller.request().dropFirst()
                guard let key = keys.first(where: { $0.hasPrefix("rude") }), let number = Int(key.dropFirst(4)) else {
                    try answer(caller, keys)
                    continue
                }
                rude.count.add(1, ordering: .relaxed)
                if let before = keys.firstIndex(of: key), before > keys.startIndex {
                    try caller.send(keys[..<before].map { value(of: $0) }.joined())
                }
                return try rudenesses[number].answer(caller, key)
            }
        }
    }

    private final class RudeConnections: Sendable {
        let count = Atomic<Int>(0)
    }

    @Test(
        "each fails one lookup by its right name, and the rest of the batch and the next batch are unharmed",
        .slow,
        arguments: LogMode.allCases.map { ($0, "none") } + [(.metrics, "request:8")]
    )
    func oneOfMany(mode: LogMode, limit: String) throws {
        let policy = try LimitPolicy(text: limit)
        let output = try TemporaryFile()
        try inNetworkNamespace {
            let rude = RudeConnections()
            let standIn = try Self.standIn(counting: rude)
            let log = try ErrorLog(mode: mode, sink: .file(path: output.path))
            let engine = try FanOutEngine.make([standIn.address], lanes: 2, log: log) {
                $0.limit = policy
                $0.maxIdle = 4
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(1)
            }
            defer { engine.stop() }
            let honest = (0..<200).map { "key\($0)" }
            let keys = honest + Self.rudenesses.indices.map { "rude\($0)" }
            let outcomes = engine.lookUpAndWait(keys)
            #expect(outcomes.hits == honest.count)
            for (rudeness, outcome) in zip(Self.rudenesses, outcomes[honest.count...]) {
                guard case .failed(let error) = outcome else {
                    Issue.record("\(rudeness.name): \(outcome)")
                    continue
                }
                #expect(error.name == rudeness.error, "\(rudeness.name): \(error)")
            }
            let names = Self.rudenesses.reduce(into: [:]) { $0[$1.error, default: 0] += 1 }
            #expect(engine.errorsByName == names)
            #expect(engine.counters.hits.value == honest.count)
            #expect(engine.counters.misses.value == 0)
            #expect(engine.counters.inFlight.value == 0)
            // Nothing of it is left on any connection.
            for (key, outcome) in zip(honest, engine.lookUpAndWait(honest)) {
                guard case .hit(let value) = outcome, value == Array(key.utf8) else {
                    Issue.record("\(key): \(outcome)")
                    continue
                }
            }
            #expect(rude.count.load(ordering: .relaxed) == Self.rudenesses.count)
        }
    }

    @Test("of a multiget, what came whole is found, and the rest fails by its right name")
    func multiget() throws {
        try inNetworkNamespace {
            let rude = RudeConnections()
            let standIn = try Self.standIn(counting: rude)
            let engine = try FanOutEngine.make([standIn.address], lanes: 2) {
                $0.fanout = .multiget(chunk: 10)
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(1)
            }
            defer { engine.stop() }
            // In each chunk of ten the sixth key is a rude one.
            let keys = Self.rudenesses.indices.flatMap { number in
                (0..<5).map { "before\(number)-\($0)" } + ["rude\(number)"] + (0..<4).map { "after\(number)-\($0)" }
            }
            let outcomes = engine.lookUpAndWait(keys)
            for (number, rudeness) in Self.rudenesses.enumerated() {
                for (index, outcome) in outcomes[number * 10..<number * 10 + 10].enumerated() {
                    switch outcome {
                    case .hit(let value): #expect(value == Array(keys[number * 10 + index].utf8) || index == 5)
                    case .failed(let error):
                        #expect(index >= 5)
                        #expect(error.name == rudeness.error, "\(rudeness.name): \(error)")
                    case .missing, .unreadable, .stored: Issue.record("\(rudeness.name): \(outcome)")
                    }
                }
            }
            #expect(engine.counters.hits.value == outcomes.hits)
            #expect(engine.errorsByName.values.reduce(0, +) == outcomes.failed)
            #expect(engine.counters.inFlight.value == 0)
            #expect(rude.count.load(ordering: .relaxed) == Self.rudenesses.count)
        }
    }

    @Test("lookups whose values stall end together, one timeout after they were sent", .slow)
    func stalledTogether() throws {
        try inNetworkNamespace {
            let standIn = try StandIn { caller in
                let key = try caller.request()[1]
                try caller.send("VALUE \(key) 0 9\r\n123")
                try caller.stall()
            }
            for fanout in [FanoutPolicy.perURI, .multiget(chunk: 2)] {
                let engine = try FanOutEngine.make([standIn.address], lanes: 1) {
                    $0.fanout = fanout
                    $0.dialer = .kernel
                    $0.lookupTimeout = .seconds(2)
                }
                defer { engine.stop() }
                let batch = engine.start((0..<20).map { "key\($0)" })
                // One after another would be 20 or 40 s.
                #expect(batch.isDone(within: .seconds(15)))
                #expect(batch.wait().failed == 20)
                #expect(engine.errorsByName == ["ETIMEDOUT": 20])
            }
        }
    }

    @Test("while a value stalls, others on the same lane are answered")
    func neighbours() throws {
        try inNetworkNamespace {
            let standIn = try StandIn { caller in
                while true {
                    let keys = try caller.request().dropFirst()
                    if keys.contains("stalled") {
                        try caller.send("VALUE stalled 0 9\r\n123")
                        try caller.stall()
                    }
                    try Self.answer(caller, keys)
                }
            }
            let engine = try FanOutEngine.make([standIn.address], lanes: 1) {
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(60)
            }
            defer { engine.stop() }
            let stalled = engine.start(["stalled"])
            for number in 0..<50 { #expect(engine.lookUpAndWait(["key\(number)"]).hits == 1) }
            #expect(!stalled.isDone)
            #expect(engine.counters.inFlight.value == 1)
        }
    }

    /// How often a reply was read, and how often something was said after it.
    private final class Turns: Sendable {
        let read = Atomic<Int>(0)
        let said = Atomic<Int>(0)
    }

    @Test("what comes after a reply is over, while its connection is idle, is not taken for the next answer")
    func leftOver() throws {
        try inNetworkNamespace {
            let turns = Turns()
            let standIn = try StandIn { caller in
                while true {
                    try Self.answer(caller, try caller.request().dropFirst())
                    let turn = turns.said.load(ordering: .acquiring)
                    guard eventually({ turns.read.load(ordering: .acquiring) > turn }) else { return }
                    // Once the reply has been read, more comes: a miss for whoever asks next.
                    try caller.send("END\r\n")
                    turns.said.add(1, ordering: .releasing)
                }
            }
            let engine = try FanOutEngine.make([standIn.address], lanes: 1) {
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(20)
            }
            defer { engine.stop() }
            for number in 0..<10 {
                let outcomes = engine.lookUpAndWait(["key\(number)"])
                #expect(outcomes.hits == 1, "\(outcomes)")
                #expect(standIn.connections == number + 1)
                turns.read.add(1, ordering: .releasing)
                // Until it is there; the engine has no part in it.
                #expect(eventually { turns.said.load(ordering: .acquiring) == number + 1 })
            }
        }
    }

    @Test("values of several MiB are found, in whatever pieces", .slow, arguments: [1000, 65_536, 1 << 20])
    func large(piece: Int) throws {
        let value = (0..<5 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try inNetworkNamespace {
            let standIn = try StandIn { caller in
                while true {
                    let keys = try caller.request().dropFirst()
                    var reply = keys.flatMap {
                        Array("VALUE \($0) 0 \(value.count)\r\n".utf8) + value + Array("\r\n".utf8)
                    }
                    reply += Array("END\r\n".utf8)
                    for start in stride(from: 0, to: reply.count, by: piece) {
                        try caller.send(reply[start..<min(start + piece, reply.count)])
                    }
                }
            }
            let engine = try FanOutEngine.make([standIn.address], lanes: 1) {
                $0.fanout = .multiget(chunk: 2)
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(60)
            }
            defer { engine.stop() }
            for outcome in engine.lookUpAndWait(["a", "b", "c"]) {
                guard case .hit(let found) = outcome, found == value else {
                    Issue.record("\(outcome)")
                    continue
                }
            }
        }
    }

    @Test(
        "a write-back that is answered rudely fails by its right name, and the record is answered all the same",
        .slow,
        arguments: [
            ("", "ETIMEDOUT"), ("STORED", "ETIMEDOUT"), ("STORED\r", "ETIMEDOUT"),
            ("STORED\r\nSTORED\r\n", "MEMCACHED_PROTOCOL_ERROR"), ("END\r\n", "MEMCACHED_PROTOCOL_ERROR"),
            ("VALUE a 0 1\r\n1\r\nEND\r\n", "MEMCACHED_PROTOCOL_ERROR"),
            ("HTTP/1.1 400\r\n", "MEMCACHED_PROTOCOL_ERROR"),
            ("NOT_STORED\r\n", "MEMCACHED_NOTSTORED"), ("ERROR\r\n", "MEMCACHED_ERROR"),
            ("SERVER_ERROR object too large for cache\r\n", "MEMCACHED_SERVER_ERROR"),
        ]
    )
    func writeBack(answer: String, error: String) throws {
        try inNetworkNamespace {
            let standIn = try StandIn { caller in
                while true {
                    let request = try caller.request()
                    guard request[0] == "set" else {
                        try caller.send("END\r\n")
                        continue
                    }
                    try caller.send(answer)
                    try caller.stall()
                }
            }
            let store = RecordStore(latency: .zero, concurrency: 8)
            let engine = try FanOutEngine.make([standIn.address], lanes: 1, store: store) {
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(1)
            }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(postURIs(8)).stored == 8)
            #expect(engine.counters.misses.value == 8)
            #expect(engine.counters.writeBacks.value == 0)
            #expect(engine.counters.writeBackErrors.values.map { ($0.key.name) } == [error])
            #expect(engine.counters.writeBackErrors.total == 8)
        }
    }

    @Test(
        "behind a relay that slices replies and delays some, hits and misses are what memcached counted",
        .requiresMemcached,
        arguments: ["per-uri", "multiget:7", "multiget:200"],
        ["none", "request:16"]
    )
    func sliced(fanout: String, limit: String) throws {
        let fanout = try FanoutPolicy(text: fanout)
        let limit = try LimitPolicy(text: limit)
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let present = Workload(seed: 7, count: 400)
            try Preload.run(present, into: ServerList([memcached.address]))
            let slicer = try StandIn.slicer(of: memcached.address, port: 11311, seed: 1)
            let store = RecordStore(latency: .zero, concurrency: 8)
            let engine = try FanOutEngine.make([slicer.address], lanes: 2, store: store) {
                $0.fanout = fanout
                $0.limit = limit
                $0.maxIdle = 16
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(30)
            }
            defer { engine.stop() }
            let absent = postURIs(100, seed: 8)
            let before = try ["get_hits", "get_misses", "cmd_set"].map { try memcached.statistic($0) }
            let outcomes = engine.lookUpAndWait(present.uris + absent)
            #expect(engine.errorsByName.isEmpty)
            #expect(outcomes.hits == 400)
            #expect(outcomes.stored == 100)
            for (uri, outcome) in zip(present.uris, outcomes) {
                guard case .hit(let value) = outcome, value == SyntheticPost.cacheValue(for: uri) else {
                    Issue.record("\(uri): \(outcome)")
                    continue
                }
            }
            #expect(try memcached.statistic("get_hits") - before[0] == 400)
            #expect(try memcached.statistic("get_misses") - before[1] == 100)
            #expect(try memcached.statistic("cmd_set") - before[2] == 100)
            #expect(engine.counters.writeBacks.value == 100)
        }
    }
}
