import KernelProbe
import LoadGenerator
import POSIX
import PostRecords
import TestSupport
import Testing
import Units

@testable import Forecast

/// Connections at an even rate: by hand, against the simulation, and TIME_WAIT's reuse against the kernel.
@Suite("Forecasts for any service")
struct ConnectionForecastTests {
    @Test("600 connections a second last 47.1 s on 28,232 ports, and 100 use 21.3% of them with headroom 4.71x")
    func byHand() {
        let fast = ConnectionForecast(.init(perSecond: 600, ports: 28_232))
        #expect(fast.exhaustedAfter.map { ($0 * 10).rounded() / 10 } == 47.1)
        #expect(fast.addressesNeeded == 2)
        #expect(fast.dials + fast.failedDials == 360_000)
        #expect(fast.dials == 282_320)
        let slow = ConnectionForecast(.init(perSecond: 100, ports: 28_232))
        #expect(slow.exhaustedAfter == nil)
        #expect(slow.portsPeak == 6000)
        #expect(slow.lines.last == "uses         21.3% of the ports, 6,000 at most, headroom 4.71x")
    }

    @Test("what limits TIME_WAIT is reckoned with: reuse, open time, sets of addresses, tcp_max_tw_buckets, bind()")
    func limits() {
        var question = ConnectionForecast.Question(perSecond: 600, ports: 28_232)
        question.reuse = .after(.seconds(1))
        #expect(ConnectionForecast(question).portsPeak == 600)
        question.isBound = true
        #expect(ConnectionForecast(question).exhaustedAfter != nil)
        #expect(ConnectionForecast(question).failure == "bind: EADDRINUSE")
        question.sets = 2
        #expect(ConnectionForecast(question).exhaustedAfter == nil)
        question.open = 40
        #expect(ConnectionForecast(question).heldSeconds == 100)
        #expect(ConnectionForecast(question).exhaustedAfter != nil)
        var few = ConnectionForecast.Question(perSecond: 600, ports: 28_232)
        few.maxTimeWait = 4096
        #expect(ConnectionForecast(few).exhaustedAfter == nil)
        #expect(ConnectionForecast(few).portsPeak == 4096)
    }

    @Test("it agrees with the simulation of a client that asks for one URI a batch", arguments: [3.0, 10, 20])
    func agrees(perSecond: Double) throws {
        var settings = Settings()
        try settings.set("dialer", to: "kernel")
        try settings.set("max-idle", to: "0")
        var question = PortForecast.Question(
            budget: PortRange(lowestPort: 1, highestPort: 400),
            settings: settings,
            clients: [try ClientSpec(text: "x:uris=1,rate=\(Int(perSecond))/s")]
        )
        question.isLoopback = false
        question.duration = .seconds(150)
        let simulated = try PortForecast(question)
        let arithmetic = ConnectionForecast(try question.connections(perSecond: perSecond))
        #expect(abs((simulated.exhaustedAfter ?? -1) - (arithmetic.exhaustedAfter ?? -1)) <= 1 / perSecond)
        #expect(abs(simulated.failedDials - arithmetic.failedDials) <= 1 + Int(perSecond))
        #expect(abs(simulated.utilisation - arithmetic.utilisation) < 0.01)
        #expect(simulated.headroom.map { ($0 * 100).rounded() } == arithmetic.headroom.map { ($0 * 100).rounded() })
    }

    @Test("lines of a forecast without exhaustion say what is used and the headroom")
    func utilisation() throws {
        let clients = [try ClientSpec(text: "x:uris=1,rate=100/s")]
        var settings = Settings()
        try settings.set("max-idle", to: "0")
        let question = PortForecast.Question(
            budget: PortRange(lowestPort: 1, highestPort: 28_232),
            settings: settings,
            clients: clients
        )
        let forecast = try PortForecast(question)
        #expect(forecast.lines.last == "uses         21.3% of the ports at most, headroom 4.71x")
    }
}

/// Dials that fail, as the simulation says and as the kernel does.
@Suite("Reuse of TIME_WAIT ports", .requiresNamespaces, .timeLimit(.minutes(1)))
struct ReuseForecastTests {
    private static let ports = 200
    private static let size = 150
    private static let period = Duration.milliseconds(500)
    /// Between one period and two, so that a little earlier or later makes no difference.
    private static let delay = Duration.milliseconds(750)
    private static let batches = 8

    private static let margin = Duration.milliseconds(150)

    /// Dials that failed, how late a batch was over at the most, and the kernel's delay before it reuses a port.
    private func playedRound(
        _ port: PlainSocket.Port,
        _ twReuse: Int
    ) throws -> (failed: Int, latest: Duration, delay: Duration?) {
        try inNetworkNamespace(ports: Self.ports) {
            try Sysctl.write("net.ipv4.tcp_tw_reuse", "\(twReuse)")
            try? Sysctl.write("net.ipv4.tcp_tw_reuse_delay", "\(Int(Self.delay.inMilliseconds))")
            let destination = IPEndpoint(IPAddress(.loopback), port: 4000)
            let listener = try PlainSocket.listening(on: destination)
            let begin = MonotonicInstant.now
            var (failed, latest) = (0, Duration.zero)
            for batch in 0..<Self.batches {
                sleepThread(until: begin + Self.period * batch)
                let open = (0..<Self.size).compactMap { _ in try? PlainConnection(destination, at: listener, port) }
                failed += Self.size - open.count
                for connection in open { connection.close() }
                latest = max(latest, MonotonicInstant.now - (begin + Self.period * batch))
            }
            return (failed, latest, try NamespaceSettings.current().twReuseDelay)
        }
    }

    @Test(
        "failed dials are those of the kernel, for each way to choose ports and each tcp_tw_reuse",
        .slow,
        arguments: [
            PlainSocket.Port.unbound, .late(IPAddress(text: "127.32.0.1")!), .bound(IPAddress(text: "127.32.0.1")!),
        ],
        0...2
    )
    func reuse(port: PlainSocket.Port, twReuse: Int) throws {
        // A batch that is later than the margin finds other ports back: such a round says nothing, and is played again.
        var round = try playedRound(port, twReuse)
        for _ in 0..<4 where round.latest > Self.margin { round = try playedRound(port, twReuse) }
        let (failed, delay) = (round.failed, round.delay)
        // Before Linux 6.14 the whole seconds of the kernel's clock decide, and where they begin is anybody's guess.
        guard let delay else { return }
        var settings = Settings()
        try settings.set("max-idle", to: "0")
        switch port {
        case .unbound: try settings.set("dialer", to: "kernel")
        case .late: try settings.set("late-bind", to: "true")
        case .bound, .reusing: break
        }
        var question = PortForecast.Question(
            budget: PortRange(lowestPort: 1, highestPort: Self.ports),
            settings: settings,
            clients: [try ClientSpec(text: "a:uris=\(Self.size),rate=2/s")]
        )
        question.twReuse = twReuse
        question.twReuseDelay = delay
        question.duration = Self.period * Self.batches
        let predicted = try PortForecast(question).failedDials
        #expect(predicted > 0)
        #expect(abs(Double(failed - predicted)) <= 0.1 * Double(predicted), "\(failed) failed, \(predicted) predicted")
    }
}
