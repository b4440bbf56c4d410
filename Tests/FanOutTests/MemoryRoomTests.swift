import FanOut
import Memcached
import POSIX
import Synchronization
import Telemetry
import TestSupport
import Testing
import Units

/// What memcached sends is bounded for all lookups together, however many there are and whatever it says.
@Suite("Memory for values", .requiresNamespaces, .timeLimit(.minutes(1)))
struct MemoryRoomTests {
    /// Room for so many bytes.
    private final class Room: MemoryRoom {
        let left: Atomic<Int>
        let taken = Atomic<Int>(0)

        init(_ bytes: Int) { left = Atomic(bytes) }

        func take(_ bytes: Int) -> Bool {
            if left.subtract(bytes, ordering: .relaxed).newValue < 0 {
                left.add(bytes, ordering: .relaxed)
                return false
            }
            taken.add(bytes, ordering: .relaxed)
            return true
        }

        func giveBack(_ bytes: Int) {
            taken.subtract(bytes, ordering: .relaxed)
            left.add(bytes, ordering: .relaxed)
        }
    }

    private let keys = (0..<20).map { "key\($0)" }

    @Test("values beyond the room are ENOBUFS, the others are found, and small ones take none", arguments: [1, 20])
    func wholeValues(chunk: Int) throws {
        try inNetworkNamespace {
            let standIn = try StandIn { caller in
                while true {
                    for key in try caller.request().dropFirst() {
                        let value = String(repeating: "x", count: key.hasPrefix("small") ? 1000 : 100_000)
                        try caller.send("VALUE \(key) 0 \(value.utf8.count)\r\n\(value)\r\n")
                    }
                    try caller.send("END\r\n")
                }
            }
            let engine = try FanOutEngine.make([standIn.address], lanes: 2) {
                $0.fanout = chunk == 1 ? .perURI : .multiget(chunk: chunk)
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(20)
            }
            defer { engine.stop() }
            // Each takes twice its size: itself, and the answer made of it. Parts of replies take some for a moment, too.
            for (bytes, most) in [(10_000_000, 20), (1_150_000, 5)] {
                let room = Room(bytes)
                let failedBefore = engine.errorsByName["ENOBUFS", default: 0]
                let outcomes = engine.start(keys + (0..<20).map { "small\($0)" }, room: room).wait()
                let hits = Array(outcomes[..<20]).hits
                #expect(most == 20 ? hits == 20 : hits <= most)
                #expect(Array(outcomes[20...]).hits == 20)
                #expect(engine.errorsByName["ENOBUFS", default: 0] - failedBefore == 20 - hits)
                #expect(engine.counters.inFlight.value == 0)
                #expect(room.taken.load(ordering: .relaxed) == 200_000 * hits)
            }
        }
    }

    @Test("parts of values that stall take room, fail at once where there is none, and give it back", .slow)
    func stalledParts() throws {
        try inNetworkNamespace {
            let standIn = try StandIn { caller in
                let key = try caller.request()[1]
                try caller.send("VALUE \(key) 0 1000000\r\n" + String(repeating: "x", count: 100_000))
                try caller.stall()
            }
            let engine = try FanOutEngine.make([standIn.address], lanes: 2) {
                $0.dialer = .kernel
                $0.lookupTimeout = .seconds(3)
            }
            defer { engine.stop() }
            let room = Room(550_000)
            let outcomes = engine.start(keys, room: room).wait()
            #expect(outcomes.failed == 20)
            let errors = engine.errorsByName
            #expect(errors["ENOBUFS", default: 0] >= 15)
            #expect(errors["ENOBUFS", default: 0] + errors["ETIMEDOUT", default: 0] == 20)
            #expect(room.taken.load(ordering: .relaxed) == 0)
        }
    }

    @Test("what a value is answered for again takes room as well, and where there is none nothing is asked again")
    func duplicates() throws {
        try inNetworkNamespace {
            let standIn = try StandIn { caller in
                while true {
                    for key in try caller.request().dropFirst() {
                        let value = String(repeating: "x", count: key == "large" ? 2_000_000 : 100_000)
                        try caller.send("VALUE \(key) 0 \(value.utf8.count)\r\n\(value)\r\nEND\r\n")
                    }
                }
            }
            let engine = try FanOutEngine.make([standIn.address], lanes: 2) {
                $0.dialer = .kernel
                $0.dedupe = true
                $0.retries = 3
                $0.lookupTimeout = .seconds(20)
            }
            defer { engine.stop() }
            // Twice its size the first time, and once for each more.
            let outcomes = engine.start(Array(repeating: "a", count: 20), room: Room(1_000_000)).wait()
            #expect(outcomes.hits == 9 && outcomes.failed == 11)
            #expect(engine.counters.hits.value == 1 && engine.counters.duplicates.value == 19)
            #expect(engine.start(["large"], room: Room(1_000_000)).wait().failed == 1)
            #expect(engine.errorsByName == ["ENOBUFS": 1])
            #expect(engine.counters.retries.value == 0)
            #expect(engine.counters.dials.total <= 2)
        }
    }

    @Test(
        "where there is no room a lookup is not tried again, and of a reply that broke off only what is not settled is",
        arguments: [0, 3]
    )
    func retries(retries: Int) throws {
        try inNetworkNamespace {
            let asked = Mutex<[Int]>([])
            // Every connection answers half of what it is asked, each value too large for the room but the last, and ends.
            let standIn = try StandIn { caller in
                let keys = try caller.request().dropFirst()
                asked.withLock { $0.append(keys.count) }
                for key in keys.prefix((keys.count + 1) / 2) {
                    let value = String(repeating: "x", count: key == "key9" ? 500 : 100_000)
                    try caller.send("VALUE \(key) 0 \(value.utf8.count)\r\n\(value)\r\n")
                }
                if keys.count == 1 { try caller.send("END\r\n") }
            }
            let engine = try FanOutEngine.make([standIn.address], lanes: 1) {
                $0.fanout = .multiget(chunk: 20)
                $0.dialer = .kernel
                $0.retries = retries
                $0.lookupTimeout = .seconds(20)
            }
            defer { engine.stop() }
            let room = Room(350_000)
            let outcomes = engine.start(keys, room: room).wait()
            let errors = engine.errorsByName
            #expect(outcomes.hits + outcomes.failed == 20 && engine.counters.hits.value == outcomes.hits)
            #expect(errors.values.reduce(0, +) == outcomes.failed)
            // 20 keys, then the 10 of which nothing had come, and so on.
            #expect(asked.withLock { $0 } == (retries == 0 ? [20] : [20, 10, 5, 2]))
            #expect(errors["EOF", default: 0] == (retries == 0 ? 10 : 1))
            #expect(engine.counters.retries.value == retries)
            #expect(engine.counters.inFlight.value == 0)
            #expect(room.taken.load(ordering: .relaxed) == 200_000 * (outcomes.hits - 1))
        }
    }
}
