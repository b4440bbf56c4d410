import FanOut
import Glibc
import KernelProbe
import Limits
import Memcached
import POSIX
import PostRecords
import Telemetry
import TestSupport
import Testing
import Units

/// How many lookups are on their way at once, and what becomes of them when memcached does not answer.
@Suite("In flight", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct InFlightTests {
    @Test("without a limit a whole batch of 20,000 is in flight, but for what nofile denies")
    func wholeBatch() throws {
        let limit = DescriptorLimit.raise()
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let threadsBefore = try ProcessStatus.read().threads
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.dialer = .rotate
                $0.lookupTimeout = .seconds(5)
            }
            defer { engine.stop() }
            let threads = try ProcessStatus.read().threads
            let outcomes = engine.lookUpAndWait(postURIs(20_000))
            #expect(threads - threadsBefore == 4)

            let peak = engine.counters.inFlight.peak
            let room = min(20_000, limit.soft - 400)
            #expect(peak >= room, "\(peak) in flight, \(limit.soft) descriptors")
            // Who got no descriptor failed by that name, and nobody for any other reason of ours.
            let errors = engine.errorsByName
            #expect(Set(errors.keys).isSubset(of: ["EMFILE", "MEMCACHED_ERROR"]), "\(errors)")
            #expect(outcomes.missing + outcomes.failed == 20_000)
            #expect(outcomes.failed <= 20_000 - room)
        }
    }

    @Test(
        "a limit holds over all lanes",
        arguments: ["request:1", "request:3", "request:64", "process:1", "process:50"]
    )
    func limitHolds(text: String) throws {
        let policy = try LimitPolicy(text: text)
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.limit = policy
                $0.maxIdle = 64
                $0.dialer = .rotate
            }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(postURIs(2000)).missing == 2000)
            #expect(engine.counters.inFlight.peak <= policy.bound!)
            #expect(engine.counters.inFlight.peak >= min(policy.bound!, 16))
        }
    }

    @Test(
        "while memcached is stopped, what is seen in flight is the limit, and a connection each: no less is told",
        arguments: ["request:1", "request:3", "request:64", "process:50", "fair:50", "none"]
    )
    func limitIsFilled(text: String) throws {
        let policy = try LimitPolicy(text: text)
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.limit = policy
                $0.maxIdle = 100
                $0.dialer = .rotate
                $0.lookupTimeout = .seconds(30)
            }
            defer { engine.stop() }
            memcached.send(SIGSTOP)
            let batch = engine.start(postURIs(500))
            let expected = policy.bound ?? 500
            let isFull = eventually { engine.counters.inFlight.value == expected }
            #expect(isFull, "\(engine.counters.inFlight.value) of \(expected)")
            // Each holds a connection, as the kernel sees it.
            let open = try SocketDiagnostics.survey(towardsPort: 11211).established
            #expect(open == expected)
            memcached.send(SIGCONT)
            #expect(batch.wait().missing == 500)
            #expect(engine.counters.inFlight.peak == expected)
            #expect(engine.counters.inFlight.value == 0)
        }
    }

    @Test("a limit on the process holds over several batches, and all of them end")
    func processLimit() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make(
                [memcached.address],
                store: RecordStore(latency: .milliseconds(1), concurrency: 8)
            ) {
                $0.limit = .process(10, .init())
                $0.dialer = .rotate
            }
            defer { engine.stop() }
            let batches = (0..<20).map { engine.start(postURIs($0 * 13 + 1, seed: UInt64($0))) }
            for (index, batch) in batches.enumerated() { #expect(batch.wait().stored == index * 13 + 1) }
            #expect(engine.counters.inFlight.peak <= 10)
        }
    }

    @Test("a memcached that was told to stop has stopped, with every thread it has")
    func stopIsComplete() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let folder = "/proc/\(memcached.identifier)/task"
            let threads = try ChildProcess.output(of: "/bin/ls", [folder]).split(separator: "\n")
            #expect(threads.count > 4)
            for _ in 0..<20 {
                memcached.send(SIGSTOP)
                for thread in threads {
                    let state = try KernelFile.read("\(folder)/\(thread)/stat")
                    #expect(state.contains(") T "))
                }
                memcached.send(SIGCONT)
            }
        }
    }

    @Test("with memcached stopped, lookups in flight time out together, one timeout after they were issued", .slow)
    func stoppedMemcached() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            // The timeout leaves room to stop memcached while a batch is on its way on a slow machine.
            let timeout = Duration.seconds(2)
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.dialer = .rotate
                $0.lookupTimeout = timeout
            }
            defer { engine.stop() }
            memcached.send(SIGSTOP)
            let beginning = MonotonicInstant.now
            let outcomes = engine.lookUpAndWait(postURIs(5000))
            let elapsed = MonotonicInstant.now - beginning
            memcached.send(SIGCONT)
            #expect(outcomes.failed == 5000)
            #expect(engine.errorsByName == ["ETIMEDOUT": 5000])
            // Not a measurement: one after another would take hours, and one lane's worth minutes.
            #expect(elapsed >= timeout)
            #expect(elapsed < timeout * 4)
        }
    }

    @Test("with memcached stopped and its accept queue full, dials wait without holding up a lane")
    func fullAcceptQueue() throws {
        try inNetworkNamespace {
            try Sysctl.write("net.core.somaxconn", "64")
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) { $0.dialer = .rotate }
            defer { engine.stop() }
            memcached.send(SIGSTOP)
            let beginning = MonotonicInstant.now
            #expect(engine.lookUpAndWait(postURIs(100)).failed == 100)
            #expect(MonotonicInstant.now - beginning < .seconds(10), "one after another would take minutes")
            let steps = Set(engine.counters.errors.values.keys.map(\.step))
            #expect(steps == [.timeout, .connect])
            memcached.send(SIGCONT)
            // The queue empties, and nothing of ours has to be restarted.
            let healed = eventually { engine.lookUpAndWait(postURIs(20)).failed == 0 }
            #expect(healed)
        }
    }

    @Test("memcached killed and started again: errors while it is down, none after, with no restart of ours")
    func restart() throws {
        try inNetworkNamespace {
            let engine: FanOutEngine
            do {
                let first = try RealMemcached()
                engine = try FanOutEngine.make([first.address]) {
                    $0.dialer = .rotate
                    $0.maxIdle = 32
                }
                #expect(engine.lookUpAndWait(postURIs(500)).failed == 0)
                first.terminate()
            }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(postURIs(500)).failed == 500)
            let errors = engine.errorsByName
            #expect(errors["ECONNREFUSED"] ?? 0 > 0, "\(errors)")
            #expect(engine.idleConnections == 0)

            let second = try RealMemcached()
            let before = try second.statistic("get_misses")
            #expect(engine.lookUpAndWait(postURIs(500)).failed == 0)
            #expect(try second.statistic("get_misses") - before == 500)
        }
    }

    @Test("'Too many open connections' is an error and never a miss")
    func connectionLimit() throws {
        try inNetworkNamespace {
            let limit = 100
            let memcached = try RealMemcached(connections: limit)
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.dialer = .rotate
                $0.lookupTimeout = .seconds(5)
            }
            defer { engine.stop() }
            let outcomes = engine.lookUpAndWait(postURIs(1000))
            #expect(outcomes.failed > 0)
            #expect(outcomes.missing == (try memcached.statistic("get_misses")))
            #expect(outcomes.failed == engine.errorsByName.values.reduce(0, +))
            #expect(engine.errorsByName["MEMCACHED_ERROR"] ?? 0 > 0, "\(engine.errorsByName)")
        }
    }

    @Test("on-error store answers a failed lookup from the store, and logs that the set failed as well")
    func onErrorStore() throws {
        try inNetworkNamespace {
            let nobody = SocketAddress.ipv4(.loopback, port: 11211)
            let store = RecordStore(latency: .zero, concurrency: 10)
            let engine = try FanOutEngine.make([nobody], store: store, errorPolicy: .store)
            defer { engine.stop() }
            let uris = postURIs(50)
            let outcomes = engine.lookUpAndWait(uris)
            #expect(outcomes.stored == 50)
            #expect(engine.errorsByName == ["ECONNREFUSED": 50])
            #expect(engine.counters.writeBackErrors.values.values.reduce(0, +) == 50)
        }
    }
}
