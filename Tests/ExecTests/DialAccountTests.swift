import POSIX
import Testing
import Units

@testable import Exec

@Suite("Dial accounting")
struct DialAccountTests {
    @Test("the busiest second is found wherever it lies")
    func peak() {
        var rate = PeakRate()
        for tenth in 0..<5 {
            for _ in 0..<10 { rate.add(at: MonotonicInstant(nanoseconds: UInt64(950 + tenth * 100) * 1_000_000)) }
        }
        #expect(rate.peak == 50)
        // Two seconds later the old ones no longer count.
        rate.add(at: MonotonicInstant(nanoseconds: 9_000_000_000))
        #expect(rate.peak == 50)
    }

    @Test("a dial in progress is counted once, as what it comes to")
    func progress() {
        let server = IPEndpoint(IPAddress(.loopback), port: 80)
        var account = DialAccount()
        account.begin(at: MonotonicInstant(nanoseconds: 1))
        account.progress(from: nil, to: server)
        #expect(account.total.inProgress == 1)
        account.conclude(.failed(.connect, errno: 111), from: nil, to: server)
        #expect(account.total == account.destinations[server])
        #expect(account.total.failed == 1 && account.total.inProgress == 0)
        #expect(account.failures(.connect, "ECONNREFUSED") == 1)
    }

    @Test(
        "what a load comes to on a default machine",
        arguments: [
            // 600 a second, each holding a port for 60 s.
            (6001, 10.0, 6001, 6001, "runs out after 47.1 s"),
            // 100 a second, half of which leave a port.
            (1001, 10.0, 1001, 500, "uses 10.6% of"),
        ] as [(Int, Double, Int, Int, String)]
    )
    func outlook(dials: Int, seconds: Double, ok: Int, held: Int, text: String) throws {
        let outlook = try #require(Outlook(dials: dials, seconds: seconds, ok: ok, held: held))
        #expect(outlook.sentence.contains(text), "\(outlook.sentence)")
    }

    @Test("too few dials, and too short a time, tell nothing")
    func noOutlook() {
        #expect(Outlook(dials: 19, seconds: 10, ok: 19, held: 19) == nil)
        #expect(Outlook(dials: 100, seconds: 0.1, ok: 100, held: 100) == nil)
    }

    @Test("a mapped address is the IPv4 address, and is told apart from IPv6")
    func addresses() {
        let plain = RawSocketAddress(.loopback, port: 80, family: 2)
        let mapped = RawSocketAddress(.loopback, port: 80, family: 10)
        #expect(plain.endpoint == mapped.endpoint)
        #expect("\(mapped.endpoint)" == "127.0.0.1:80")
        #expect("\(IPEndpoint(IPAddress(high: 0, low: 1), port: 80))" == "[::1]:80")
        #expect(IPAddress(high: 0, low: 1).isLoopback)
    }

    @Test("a dialer has a route for loopback, and leaves other dials as they are")
    func routes() throws {
        var generator = SplitMix64(seed: 1)
        let local = IPEndpoint(IPAddress(.loopback), port: 80)
        let far = IPEndpoint(IPAddress(IPv4Address(value: 0x0a01_0203)), port: 80)
        let six = IPEndpoint(IPAddress(high: 0, low: 1), port: 80)
        var policy = DialPolicy()
        try policy.set("dialer", to: "bind:127.32.0.1")
        let fixed = policy.route(to: local, from: IPEndpoint(IPAddress(high: 0, low: 0), port: 0), using: &generator)
        #expect(fixed.source == IPv4Address(value: 0x7f20_0001))
        let unbound = IPEndpoint(IPAddress(high: 0, low: 0), port: 0)
        try policy.set("dialer", to: "rotate:127.5.0.0/16")
        let drawn = policy.route(to: local, from: unbound, using: &generator)
        #expect(drawn.isApplied && drawn.source.map { $0.value >> 16 } == 0x7f05)
        let own = IPEndpoint(IPAddress(IPv4Address(value: 0x7f05_0909)), port: 40_000)
        #expect(policy.route(to: local, from: own, using: &generator) == DialPolicy.Route())
        #expect(policy.route(to: local, from: local, using: &generator) == DialPolicy.Route(isApplied: false))
        #expect(
            policy.replacement(forBindTo: IPEndpoint(far.address, port: 0), reusesAddress: false, using: &generator)
                == nil
        )
        for dialer in ["bind:127.32.0.1", "rotate", "rotate:127.5.0.0/16", "rotate-destination"] {
            try policy.set("dialer", to: dialer)
            for destination in [far, six] {
                let route = policy.route(
                    to: destination,
                    from: IPEndpoint(IPAddress(high: 0, low: 0), port: 0),
                    using: &generator
                )
                #expect(route == DialPolicy.Route(isApplied: false))
            }
        }
    }

    @Test("settings have one text form, and none takes them back")
    func settings() throws {
        var policy = DialPolicy()
        try policy.set("fail", to: "connect:ECONNREFUSED@5%,bind:EADDRINUSE@0.5%")
        #expect(policy.faults.map(\.share) == [0.05, 0.005])
        try policy.set("fail", to: "none")
        #expect(policy.faults.isEmpty)
        try policy.set("max-dialling", to: "10")
        #expect(policy.maxDialling == 10)
        try policy.set("max-dialling", to: "none")
        #expect(policy.maxDialling == nil)
        #expect(throws: UnitTextError.self) { try policy.set("speed", to: "1") }
    }
}
