import POSIX
import TestSupport
import Testing
import Units

@testable import KernelProbe

@Suite("Port trend")
struct PortTrendTests {
    private func settings(ports: Int, twReuse: Int = 0) -> NamespaceSettings {
        var settings = NamespaceSettings(range: PortRange(lowestPort: 32768, highestPort: 32767 + ports))
        settings.twReuse = twReuse
        settings.twReuseDelay = .seconds(1)
        return settings
    }

    /// Looks at a simulation each `distance` seconds, with a cheap look each second between.
    private func watch(
        _ simulation: inout SimulatedPorts,
        for seconds: Double,
        distance: Double = 1,
        _ check: (Double, PortTrend) throws -> Void
    ) rethrows {
        var trend = PortTrend()
        var time = 0.0
        var due = 0.0
        while time <= seconds {
            simulation.run(to: time)
            if time >= due {
                trend.add(simulation.sample(at: time, after: trend))
                due = time + distance
            } else {
                trend.add(simulation.tick(at: time))
            }
            try check(time, trend)
            time += 1
        }
    }

    /// When a simulation's first dialler finds no port; nil when it always does.
    private func exhaustion(_ simulation: SimulatedPorts, within seconds: Double) -> Double? {
        var simulation = simulation
        for second in 0...Int(seconds) where simulation.exhausted[0] == nil { simulation.run(to: Double(second)) }
        return simulation.exhausted[0]
    }

    private func isClose(_ said: Double?, _ real: Double?) -> Bool {
        guard let said, let real else { return said == nil && real == nil }
        return abs(said - real) <= max(1, real / 10)
    }

    @Test("one look knows no rate, and nothing of the future")
    func firstLook() throws {
        var simulation = SimulatedPorts(settings(ports: 1024), [.init(perSecond: 60)])
        try watch(&simulation, for: 1) { time, trend in
            let outlook = try #require(trend.outlooks.first)
            if time == 0 {
                #expect(outlook.connectsPerSecond == nil)
                #expect(outlook.secondsLeft == nil)
                #expect(outlook.state == .unknown)
            } else {
                #expect(abs((outlook.connectsPerSecond ?? 0) - 60) < 3)
                #expect(outlook.state == .filling)
            }
        }
    }

    @Test(
        "ports that come back after 60 s are reckoned with: what a range sustains is no alarm, what it does not is one",
        arguments: [(3.0, 1.0), (3, 7), (4, 1), (4, 7), (3.2, 1), (10, 3)]
    )
    func comesBack(perSecond: Double, distance: Double) {
        let start = SimulatedPorts(settings(ports: 200), [.init(perSecond: perSecond)])
        let end = exhaustion(start, within: 130)
        #expect((end == nil) == (perSecond * 60 <= 200))
        var simulation = start
        watch(&simulation, for: 100, distance: distance) { time, trend in
            guard time > distance, time < end ?? .infinity, let outlook = trend.outlooks.first else { return }
            #expect(
                isClose(outlook.secondsLeft, end.map { $0 - time }),
                "at \(time) s: \(outlook.secondsLeft ?? -1), really \(end.map { $0 - time } ?? -1)"
            )
            #expect(outlook.state != .exhausted)
        }
        if end != nil { #expect(simulation.exhausted[0] != nil) }
    }

    @Test("connections that never close run out however slowly, and the time is what is left by their rate")
    func leak() {
        let start = SimulatedPorts(settings(ports: 500), [.init(isBound: false, perSecond: 4, open: nil)])
        let end = exhaustion(start, within: 200) ?? 0
        var simulation = start
        watch(&simulation, for: 120) { time, trend in
            guard time > 3 else { return }
            #expect(isClose(trend.outlooks.first?.secondsLeft, end - time), "at \(time) s")
        }
    }

    @Test("a rate is the row's own, and a row that rests is steady")
    func rates() {
        let other = IPEndpoint(text: "127.0.0.1:9000")!
        var simulation = SimulatedPorts(
            settings(ports: 2000),
            [
                .init(isBound: false, perSecond: 50),
                .init(destination: other, isBound: false, perSecond: 5),
                .init(
                    destination: IPEndpoint(text: "127.0.0.1:9001")!,
                    isBound: false,
                    perSecond: 100,
                    open: nil,
                    until: 1
                ),
            ]
        )
        watch(&simulation, for: 20) { time, trend in
            guard time > 7 else { return }
            func rate(_ port: UInt16) -> Double {
                trend.outlooks.first { $0.row.pair.destination.port == port }?.connectsPerSecond ?? -1
            }
            #expect(abs(rate(11211) - 50) < 1)
            #expect(abs(rate(9000) - 5) < 1)
            #expect(rate(9001) == 0)
            #expect(trend.outlooks.first { $0.row.pair.destination.port == 9001 }?.state == .steady)
            #expect(trend.outlooks.first { $0.row.pair.destination.port == 9001 }?.secondsLeft == nil)
        }
    }

    @Test(
        "connections that the other end closes leave no trace to count: their rate is not known, and never 0",
        arguments: [(20.0, 1.5), (3, 1), (200, 0.5)]
    )
    func untraced(perSecond: Double, open: Double) {
        let kept = IPEndpoint(text: "127.0.0.1:9000")!
        var simulation = SimulatedPorts(
            settings(ports: 2000),
            [
                .init(isBound: false, perSecond: perSecond, open: open, isClosedByPeer: true),
                .init(destination: kept, isBound: false, perSecond: 20, open: nil, until: 2),
            ]
        )
        watch(&simulation, for: 20) { time, trend in
            guard time > 12 else { return }
            let row = trend.outlooks.first { $0.row.pair.destination.port == 11211 }
            #expect(row != nil && row?.connectsPerSecond == nil, "at \(time) s: \(row?.connectsPerSecond ?? -1)")
            #expect(row?.secondsLeft == nil && row?.state == .steady)
            // Those that stay open are the same ones at each look.
            #expect(trend.outlooks.first { $0.row.pair.destination == kept }?.connectsPerSecond != nil)
        }
    }

    @Test("when dials end, ports drain, and nothing runs out")
    func drains() {
        var simulation = SimulatedPorts(settings(ports: 2000), [.init(perSecond: 100, until: 10)])
        watch(&simulation, for: 68) { time, trend in
            guard let outlook = trend.outlooks.first, time > 17 else { return }
            #expect(outlook.secondsLeft == nil, "at \(time) s")
            #expect(outlook.state == (time < 61 ? .steady : .draining), "at \(time) s")
        }
    }

    @Test(
        "where TIME_WAIT ports are taken again after a second, a full range is none",
        arguments: [(150.0, false), (350, true)]
    )
    func reuse(perSecond: Double, isExhausted: Bool) {
        let dialler = SimulatedPorts.Dialler(
            source: IPAddress(.loopback),
            isBound: false,
            perSecond: perSecond
        )
        var simulation = SimulatedPorts(settings(ports: 256, twReuse: 2), [dialler])
        watch(&simulation, for: 12) { time, trend in
            guard let outlook = trend.outlooks.first, time > 2 else { return }
            #expect((outlook.state == .exhausted || outlook.secondsLeft != nil) == isExhausted, "at \(time) s")
        }
        #expect((simulation.exhausted[0] != nil) == isExhausted)
    }

    @Test(
        "a full range whose dials stopped is no exhausted one where the next dial takes a port again",
        arguments: ["127.0.0.1", "::1"]
    )
    func idle(source: String) {
        let address = IPAddress(text: source)!
        var simulation = SimulatedPorts(
            settings(ports: 256, twReuse: 2),
            [
                .init(
                    source: address,
                    destination: IPEndpoint(address, port: 11211),
                    isBound: false,
                    perSecond: 2000,
                    from: 1.5,
                    until: 1.628
                )
            ]
        )
        watch(&simulation, for: 20) { time, trend in
            guard let outlook = trend.outlooks.first, time > 3 else { return }
            #expect(outlook.inUse == 256)
            #expect(outlook.state == .unknown, "at \(time) s")
            #expect(outlook.secondsLeft == nil)
            #expect(trend.newPair?.state == .unknown)
        }
    }

    @Test("a bound address that is full at once is exhausted, though connect() could take its ports again", .slow)
    func burst() {
        var simulation = SimulatedPorts(settings(ports: 256, twReuse: 2), [.init(perSecond: 2000, from: 1.5)])
        watch(&simulation, for: 20) { time, trend in
            guard let outlook = trend.outlooks.first else { return }
            #expect(outlook.state == .exhausted, "at \(time) s")
            #expect(outlook.secondsLeft == 0)
            #expect(outlook.row.choice == .bind)
        }
    }

    @Test("where the kernel keeps fewer TIME_WAIT sockets than there are ports, none runs out")
    func buckets() {
        var settings = settings(ports: 2000)
        settings.maxTimeWaitBuckets = 500
        var simulation = SimulatedPorts(settings, [.init(perSecond: 40)])
        watch(&simulation, for: 10) { time, trend in
            guard time > 2 else { return }
            #expect(trend.outlooks.first?.secondsLeft == nil)
            #expect(trend.outlooks.first?.state == .filling)
        }
    }

    @Test("ports that a program binds run out for those who bind nothing as well")
    func bystander() {
        let start = SimulatedPorts(
            settings(ports: 1000),
            [
                .init(
                    source: IPAddress(.loopback),
                    destination: IPEndpoint(text: "127.0.0.1:80")!,
                    isBound: false,
                    perSecond: 1,
                    open: nil
                ),
                .init(perSecond: 50, from: 10),
            ]
        )
        let end = exhaustion(start, within: 60) ?? 0
        #expect(end > 25)
        var simulation = start
        watch(&simulation, for: 40) { time, trend in
            let row = trend.outlooks.first { $0.row.pair.destination.port == 80 }
            if time > 16, time < end { #expect(isClose(row?.secondsLeft, end - time), "at \(time) s") }
            if time > end { #expect(row?.state == .exhausted, "at \(time) s") }
            if time > end { #expect(trend.newPair?.state == .exhausted) }
        }
    }

    @Test("between looks far apart the figures go on, and what begins meanwhile brings a look about", .slow)
    func crowded() {
        // A hundred addresses are bound in turn, then one alone; looks cost so much that they are seldom.
        let rotating = (0..<100).map { number in
            SimulatedPorts.Dialler(source: IPAddress(text: "127.1.0.\(number)")!, perSecond: 10, until: 12)
        }
        let settings = settings(ports: 1200)
        let start = SimulatedPorts(settings, [.init(perSecond: 40, from: 12)] + rotating)
        let end = exhaustion(start, within: 60) ?? 0
        #expect(abs(end - 42) < 1)
        var simulation = start
        var schedule = LookSchedule()
        var trend = PortTrend()
        var looks = 0
        for second in stride(from: 0.0, to: end, by: 1) {
            simulation.run(to: second)
            trend.add(simulation.tick(at: second))
            if schedule.isDue(at: SimulatedPorts.instant(second), isUrgent: trend.isSurprised) {
                trend.add(simulation.sample(at: second, after: trend))
                // A look of 70 ms, as 110,000 sockets take: one in ten seconds.
                schedule.add(ended: SimulatedPorts.instant(second), cost: .milliseconds(70))
                looks += 1
            }
            guard second >= 17, let row = trend.outlooks.first else { continue }
            #expect("\(row.row.pair.source)" == "127.32.0.1")
            #expect(
                isClose(row.secondsLeft, end - second),
                "at \(second) s: \(row.secondsLeft ?? -1), really \(end - second)"
            )
            #expect(abs(Double(row.held) - 40 * (second - 12)) <= 40, "at \(second) s")
        }
        #expect(looks <= 10)
    }

    @Test("after looks that are close, bursts are carried on whole until the next one", arguments: [1.7, 1.9, 2.2])
    func bursts(distance: Double) {
        let (size, perSecond) = (600, 950.0)
        var simulation = SimulatedPorts(settings(ports: 28_232), [.init(perSecond: perSecond, burst: size, from: 1)])
        var trend = PortTrend()
        for look in [0, 2.1, 2.1 + distance] {
            simulation.run(to: look)
            trend.add(simulation.sample(at: look, after: trend))
        }
        for time in [6.0, 8, 10, 12] {
            simulation.run(to: time)
            trend.add(simulation.tick(at: time))
            let held = simulation.connects
            let row = trend.outlooks.first
            #expect(abs((row?.inUse ?? 0) - held) <= held / 20, "\(row?.inUse ?? 0) of \(held) at \(time) s")
        }
    }

    @Test(
        "who chose ports past half of the range is still known when the others have come back",
        arguments: [true, false]
    )
    func pastHalf(isBound: Bool) {
        // Both parities are taken, the preferred one first, so the other one is the last to come back.
        var simulation = SimulatedPorts(
            settings(ports: 600),
            [.init(isBound: isBound, perSecond: 10, until: 65)]
        )
        var seen: Set<Double> = []
        watch(&simulation, for: 120) { time, trend in
            guard time > 2, let row = trend.outlooks.first?.row else { return }
            #expect(row.choice == (isBound ? .bind : .connect), "at \(time) s")
            #expect((trend.latest?.use.bound.held ?? 0) == (isBound ? row.inUse : 0), "at \(time) s")
            seen.insert(time)
        }
        #expect(seen.contains(110))
    }

    @Test("somebody who comes when nobody dials any more does not guess who chose the ports that are left")
    func lateComer() {
        var simulation = SimulatedPorts(settings(ports: 600), [.init(perSecond: 10, until: 60)])
        simulation.run(to: 95)
        var trend = PortTrend()
        for time in [95.0, 96] { trend.add(simulation.sample(at: time, after: trend)) }
        #expect(trend.outlooks.first?.row.choice == .unknown)
        #expect(trend.latest?.use.perhapsBound == trend.outlooks.first?.inUse)
    }

    @Test("random programs: the time said is the time it takes", .slow, arguments: 0..<40)
    func random(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let settings = settings(ports: Int.random(in: 60...400, using: &random), twReuse: 0)
        let dialler = SimulatedPorts.Dialler(
            isBound: Bool.random(using: &random),
            perSecond: Double.random(in: 1.5...15, using: &random),
            open: [0, 0.4, 3, nil].randomElement(using: &random)!,
            from: Double(Int.random(in: 0...20, using: &random))
        )
        let distance = [1.0, 2, 5, 9].randomElement(using: &random)!
        let start = SimulatedPorts(settings, [dialler])
        let end = exhaustion(start, within: dialler.open == nil ? 300 : 150)
        // What takes the range about as long to fill as to come back is a matter of single ports.
        let sustained = Double(settings.range.ports) / (60 + (dialler.open ?? 0))
        guard dialler.open == nil || abs(dialler.perSecond / sustained - 1) > 0.1 else { return }
        var simulation = start
        watch(&simulation, for: min(90, (end ?? 90) - 1), distance: distance) { time, trend in
            // It has to be seen dialling, and closing what it opened.
            guard time > dialler.from + 5 + max(5, 2 * distance) + (dialler.open ?? 0) else { return }
            let said = trend.outlooks.first?.secondsLeft
            #expect(
                isClose(said, end.map { $0 - time }),
                "seed \(seed) at \(time) s: \(said ?? -1), really \(end.map { $0 - time } ?? -1), \(dialler), \(settings.range.ports) ports, looks \(distance) s apart"
            )
        }
    }
}
