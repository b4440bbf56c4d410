import Limits
import LoadGenerator
import POSIX
import PostRecords
import Results
import TestSupport
import Testing
import Units

@testable import Forecast

/// Dials a phase should make: where the rules of pool and ports decide them.
@Suite("Dials expected")
struct DialForecastTests {
    private func forecast(
        _ groups: [[Int]],
        maxIdle: Int = 2,
        limit: LimitPolicy = .none,
        idle: Int = 0,
        ports: DialForecast.Ports = .ample,
        failed: Int = 0
    ) -> DialForecast.Outcome {
        DialForecast(
            batches: .init(groups),
            maxIdle: maxIdle,
            limit: limit,
            idle: idle,
            ports: ports,
            failedLookups: failed
        ).outcome
    }

    private func dials(_ outcome: DialForecast.Outcome) -> Int? {
        if case .expected(let dials, _) = outcome { dials } else { nil }
    }

    @Test(
        "batches one after the other take what is idle and dial the rest, whatever their order",
        arguments: [
            ([[40], [200], [40]], 64, 0, 40 + 160 + 0), ([[200], [40]], 64, 0, 200),
            ([[5], [3], [5]], 2, 0, 5 + 1 + 3),
            ([[5]], 2, 2, 3), ([[1], [1]], 2, 0, 1), ([[5], [5]], 0, 0, 10), ([], 2, 0, 0),
        ]
    )
    func alone(groups: [[Int]], maxIdle: Int, idle: Int, expected: Int) {
        #expect(dials(forecast(groups, maxIdle: maxIdle, idle: idle)) == expected)
    }

    @Test("batches that met may have found nothing idle, or what another put back: there is no number")
    func meeting() {
        let outcome = forecast([[40, 200], [40], [40, 40]], maxIdle: 64)
        #expect(outcome == .unpredictable(reason: "batches were under way at the same time"))
        // Two that find the connections of both idle do not dial, whoever takes which.
        #expect(dials(forecast([[40, 20]], maxIdle: 64, idle: 60)) == 0)
    }

    @Test("where a few small ones met a very large one, the number is known closely enough")
    func closeEnough() throws {
        let number = try #require(dials(forecast([[20_000, 5, 7], [20_000, 9]])))
        // 20,000, of which the first finds none and the second 2; all others dial, or take what is put back.
        #expect((39_998...39_998 + 21).contains(number))
        #expect(dials(forecast([[20_000, 5000]])) == nil)
    }

    @Test("more lookups at once than free ports take them all, met or not")
    func exhausted() {
        #expect(
            dials(forecast([[20_000, 5, 7], [9]], idle: 2, ports: .exactly(948, mayReturn: false), failed: 19_000))
                == 948
        )
        #expect(dials(forecast([[500, 500]], ports: .exactly(800, mayReturn: false), failed: 200)) == nil)
        #expect(dials(forecast([[500], [500]], ports: .exactly(800, mayReturn: false), failed: 198)) == 800)
        #expect(dials(forecast([[500]], ports: .exactly(800, mayReturn: true))) == 500)
        // What was closed a minute ago is free again.
        #expect(dials(forecast([[500], [500]], ports: .exactly(800, mayReturn: true), failed: 198)) == nil)
    }

    @Test("connect() may take ports again: there is a number only while each dial finds one that is free")
    func reusedPorts() {
        #expect(dials(forecast([[500], [300]], ports: .atLeast(800))) == 798)
        #expect(dials(forecast([[500], [400]], ports: .atLeast(800))) == nil)
    }

    @Test("dials that failed are not taken off what is expected: they show as the difference")
    func failuresShow() {
        // As the rotating dialer with too few descriptors has them.
        #expect(dials(forecast([[20_000], [20_000]], failed: 60)) == 39_998)
        // So many lost connections leave open how many were there to be used again.
        #expect(dials(forecast([[200], [200]], failed: 60)) == nil)
    }

    @Test("a limit dials nothing when as many are idle as can be in flight, and otherwise depends on timing")
    func limits() {
        let heavyAndSmall = [[20_000, 10], [10]]
        #expect(dials(forecast(heavyAndSmall, maxIdle: 128, limit: .request(64), idle: 74)) == 0)
        #expect(dials(forecast(heavyAndSmall, maxIdle: 128, limit: .request(64), idle: 73)) == nil)
        // Under request:N each batch has N of its own; under process:N all together.
        #expect(dials(forecast([[200, 200, 200]], maxIdle: 128, limit: .request(64), idle: 128)) == nil)
        #expect(dials(forecast([[200, 200, 200]], maxIdle: 128, limit: .process(64, .init()), idle: 64)) == 0)
        #expect(dials(forecast([[200]], maxIdle: 64, limit: .request(64), idle: 0)) == nil)
        #expect(dials(forecast([[200]], maxIdle: 64, limit: .request(64), idle: 64, failed: 1)) == nil)
        #expect(dials(forecast([[200]], maxIdle: 2, limit: .request(64), idle: 2)) == nil)
        #expect(dials(forecast([[2]], maxIdle: 2, limit: .request(64), idle: 2)) == 0)
    }
}

/// The same against memcached and the kernel, and what becomes of claims about it.
@Suite("Dials expected and made", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct DialVerdictTests {
    private func play(_ yaml: String) throws -> (exit: ProcessExit?, result: RunResult, text: String) {
        let file = try TemporaryFile()
        let json = try TemporaryFile()
        _ = try Descriptor.creating(file.path).writeAll(Array(yaml.utf8))
        let program = try Program("spiral", ["run", file.path, "--quiet", "--json", json.path])
        let exit = program.wait(within: .seconds(60))
        let text = try program.text
        return (exit, try RunResult(json: Array(try json.contents.utf8)), text)
    }

    @Test(
        "two clients whose batches are due together get no number, or one that is right; one alone gets its own",
        .slow,
        arguments: ["dialer: rotate, max-idle: 64", "dialer: kernel, max-idle: 16", "max-idle: 64"]
    )
    func meeting(settings: String) throws {
        let (_, result, text) = try play(
            """
            scenario: meeting
            environment: {ports: 4096, posts: 3000}
            settings: {log-mode: "off", \(settings)}
            clients: {a: "uris=40,rate=5/s", b: "uris=200,rate=1/s"}
            phases:
              - {name: both, duration: 2s, clients: [a, b], expect: [dials.ok within 1% of dials.expected]}
              - {name: alone, duration: 2s, clients: [b]}
            """
        )
        let (both, alone) = (result.phases[0], result.phases[1])
        #expect(
            both.dials.expected.map { Double((both.dials.ok - $0).magnitude) <= 0.01 * Double($0) } ?? true,
            "\(text)"
        )
        #expect(both.expectations[0].pass == (both.dials.expected != nil))
        if both.dials.expected == nil {
            #expect(both.dials.reasoning == "batches were under way at the same time")
            #expect(both.expectations[0].observed == "\(both.dials.ok) against not measured")
            #expect(
                text.contains("dials.expected is not predicted: batches were under way at the same time"),
                "\(text)"
            )
        }
        // A batch that took longer than a second has met the next one.
        #expect(alone.dials.expected == nil || alone.dials.expected == alone.dials.ok, "\(text)")
    }

    @Test("where a guard refused every batch nothing holds that was not measured, though all of it was asked for")
    func refused() throws {
        let (exit, result, text) = try play(
            """
            scenario: nothing-answered
            environment: {ports: 512, posts: 1000}
            clients: {a: "uris=5,rate=5/s,slo=50ms"}
            phases:
              - name: one
                duration: 1s
                clients: [a]
                settings: {max-batch: 2}
                expect:
                  - clients.a.ok == 0
                  - refusals == clients.a.batches
                  - clients.a.latencyMs.p99 < 50
                  - lookups.errors.EADDRINUSE == 0
                  - clients.a.slo.percent == 0
            """
        )
        #expect(exit == .status(1), "\(text)")
        let phase = result.phases[0]
        #expect(phase.expectations.map(\.pass) == [true, true, false, false, true])
        #expect(phase.expectations.map(\.observed) == ["0", "5 against 5", "not measured", "not measured", "0"])
        #expect(phase.dials.expected == nil)
        #expect(phase.dials.reasoning == "max-batch 2 refuses batches of 5 URIs")
        #expect(result.verdict.text == "FAIL: 2 of 5 expectations failed")
        #expect(text.contains("FAIL one: clients.a.latencyMs.p99 < 50 (observed not measured)"), "\(text)")
    }
}
