import FanOut
import KernelProbe
import LoadGenerator
import Memcached
import POSIX
import PostRecords
import Telemetry
import TestSupport
import Testing
import Units

@testable import Forecast

/// The port budget's arithmetic: by hand, and against a real kernel.
@Suite("Forecasts")
struct ForecastTests {
    private func question(
        ports: Int = 28_232,
        _ settings: [String: String] = [:],
        _ clients: [String],
        duration: Duration = .seconds(600)
    ) throws -> PortForecast.Question {
        var parsed = Settings()
        for (name, text) in settings { try parsed.set(name, to: text) }
        var question = PortForecast.Question(
            budget: PortRange(lowestPort: 1, highestPort: ports),
            settings: parsed,
            clients: try clients.map { try ClientSpec(text: $0) }
        )
        question.duration = duration
        return question
    }

    @Test("48 dials a batch, 100 batches a second: the 28,232 ports last 5.88 s, and 11 addresses are needed")
    func byHand() throws {
        let forecast = try PortForecast(question([:], ["feed:uris=50,rate=100/s"]))
        #expect(forecast.sustainableDialsPerSecond.rounded() == 471)
        // The batch with number 588 dials from 2 + 588 x 48 = 28,226 on, and finds 6 ports.
        #expect(forecast.exhaustedAfter == 5.88)
        #expect((forecast.dialsPerSecond - 4800).magnitude < 0.01)
        // 60 s x 4,800 = 288,000 resting, 10.2 times the ports of one address.
        #expect(forecast.restingPorts == 288_000)
        #expect(forecast.addressesNeeded == 11)
        #expect(forecast.hostsNeeded == 11)
        #expect(forecast.failure == "bind: EADDRINUSE")
    }

    @Test("a rate that one address sustains never exhausts it, one dial a second more does")
    func sustainable() throws {
        // 470 x 60 = 28,200 resting; with the two idle connections below 28,232.
        let below = try PortForecast(question([:], ["a:uris=472,rate=1/s"]))
        #expect(below.exhaustedAfter == nil)
        #expect(below.portsPeak == 60 * 470 + 2)
        let above = try PortForecast(question([:], ["a:uris=473,rate=1/s"]))
        // 471 x 60 = 28,260 are more than there are, and are reached with the batch after 59 others.
        #expect(above.exhaustedAfter == 59)
    }

    @Test("what the kernel may take again after a second, it does: connect() on loopback, but not bind()")
    func reuse() throws {
        var question = try question(["dialer": "kernel"], ["a:uris=20000,rate=0.5/s"])
        #expect(try PortForecast(question).restSeconds == 1)
        question.isLoopback = false
        #expect(try PortForecast(question).restSeconds == 60)
        question.isLoopback = true
        question.twReuse = 0
        let without = try PortForecast(question)
        #expect(without.exhaustedAfter == 2)
        #expect(without.failure == "connect: EADDRNOTAVAIL")
        #expect(try PortForecast(self.question([:], ["a:uris=20000,rate=0.5/s"])).restSeconds == 60)
    }

    @Test("a limit that the idle connections carry dials once and never again; beyond them arithmetic says so")
    func limits() throws {
        let kept = try PortForecast(question(["limit": "request:64", "max-idle": "64"], ["a:uris=20000,rate=0.5/s"]))
        #expect(kept.dials == 64)
        #expect(kept.exhaustedAfter == nil)
        #expect(throws: PortForecast.Problem.self) {
            try PortForecast(question(["limit": "request:64"], ["a:uris=20000,rate=0.5/s"]))
        }
        let multiget = try PortForecast(
            question(["fanout": "multiget:500"], ["a:uris=20000,rate=0.5/s"], duration: .seconds(2))
        )
        // One batch of 40 gets.
        #expect(multiget.dials == 40)
    }

    @Test("a fleet shares the batches; where one batch is too much for a host, more hosts do not help")
    func fleets() throws {
        var question = try question([:], ["a:uris=52,rate=1000/s"], duration: .seconds(120))
        question.hosts = 100
        let forecast = try PortForecast(question)
        // Each host gets 10 batches of 50 dials a second: 500, above 470.
        #expect((forecast.dialsPerSecond - 500).magnitude < 1)
        #expect(forecast.exhaustedAfter != nil)
        #expect(try #require(forecast.hostsNeeded) > 100)
        #expect(try #require(forecast.hostsNeeded) <= 107)
        #expect(try PortForecast(self.question([:], ["a:uris=40000,rate=0.1/s"])).hostsNeeded == nil)
    }
}

/// The same against memcached and the kernel.
@Suite("Forecasts and what happens", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(1)))
struct MeasuredForecastTests {
    private struct Configuration: Sendable, CustomTestStringConvertible {
        var ports: Int
        var settings: [String: String]
        var clients: [String]
        var testDescription: String { "\(ports) ports, \(settings), \(clients)" }
    }

    /// Three ways for ports to run out: one caller and bind(), two callers that share the idle connections, and
    /// connect() where the kernel may not take ports again.
    private static let configurations = [
        Configuration(ports: 1024, settings: ["max-idle": "2"], clients: ["a:uris=50,rate=5/s"]),
        Configuration(ports: 600, settings: ["max-idle": "8"], clients: ["a:uris=20,rate=8/s", "b:uris=100,rate=1/s"]),
        Configuration(ports: 500, settings: ["max-idle": "4", "dialer": "kernel"], clients: ["a:uris=30,rate=6/s"]),
    ]

    @Test("the first dial without a port comes within 10% of when it was predicted", .slow, arguments: configurations)
    private func exhaustion(configuration: Configuration) throws {
        var settings = Settings()
        for (name, text) in configuration.settings { try settings.set(name, to: text) }
        let clients = try configuration.clients.map { try ClientSpec(text: $0) }
        var question = PortForecast.Question(
            budget: PortRange(lowestPort: 1, highestPort: configuration.ports),
            settings: settings,
            clients: clients
        )
        question.twReuse = 0
        question.duration = .seconds(20)
        let forecast = try PortForecast(question)
        let predicted = try #require(forecast.exhaustedAfter)

        let (measured, dials) = try inNetworkNamespace(ports: configuration.ports) {
            try Sysctl.write("net.ipv4.tcp_tw_reuse", "0")
            let memcached = try RealMemcached()
            // What looking whether it is up has left there counts too.
            let resting = try SocketDiagnostics.survey(towardsPort: 11211, from: nil).timeWait
            let engine = try FanOutEngine.make([memcached.address]) { $0 = settings.fanOut }
            defer { engine.stop() }
            let due = clients.flatMap { client in
                client.schedule.starts(within: .seconds(20)).map { (at: $0, uris: client.uris.lowerBound) }
            }.sorted { $0.at < $1.at }
            let begin = MonotonicInstant.now
            for batch in due {
                sleepThread(until: begin + batch.at)
                _ = engine.lookUpAndWait(postURIs(batch.uris))
                if engine.counters.dialErrors.total > 0 { break }
            }
            #expect(resting < 10)
            return ((MonotonicInstant.now - begin).inSeconds, engine.counters.dials.total)
        }
        #expect((measured - predicted).magnitude <= 0.1 * predicted, "\(measured) s, predicted \(predicted) s")
        // The ports are what there is, but for those of probing, which the kernel dialer competes with.
        #expect((configuration.ports - 10...configuration.ports).contains(dials), "\(dials) dials")
    }
}
