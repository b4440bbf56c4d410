import KernelProbe
import LoadGenerator
import PostRecords
import Results
import Testing
import Text

@testable import Cures

/// What a cure is judged by, and what becomes of expectations.
@Suite("Cure verdicts")
struct CureVerdictTests {
    private static let incident = CureFigures(
        asked: 8000,
        found: 1000,
        smallAsked: 100,
        smallFound: 20,
        dials: 8000,
        othersFailed: 90,
        endedWithoutTimeWait: 0
    )

    private static func figures(_ change: (inout CureFigures) -> Void) -> CureFigures {
        var figures = incident
        change(&figures)
        return figures
    }

    private static func whole(_ change: (inout CureFigures) -> Void = { _ in }) -> CureFigures {
        figures {
            ($0.found, $0.smallFound, $0.othersFailed) = (8000, 100, 0)
            change(&$0)
        }
    }

    @Test(
        "a verdict is the first rule that applies",
        arguments: [
            (incident, CureVerdict.nothing),
            (whole(), .cures),
            (whole { $0.dials = 50_000 }, .cures),
            (whole { $0.othersFailed = 1 }, .harms),
            (whole { $0.endedWithoutTimeWait = 0.5 }, .harms),
            (whole { $0.smallFound = 99 }, .helps),
            (whole { $0.found = 7999 }, .helps),
            (figures { $0.found = 1500 }, .helps),
            (figures { $0.found = 1499 }, .nothing),
            (figures { $0.othersFailed = 0 }, .helps), (figures { $0.othersFailed = nil }, .nothing),
            (figures { ($0.found, $0.smallFound) = (0, 100) }, .helps),
            (figures { ($0.found, $0.dials) = (1400, 12_000) }, .worse),
            (figures { ($0.found, $0.dials) = (1500, 12_000) }, .helps),
            (figures { $0.found = 600 }, .worse),
            (figures { $0.found = 700 }, .nothing),
        ]
    )
    func rules(figures: CureFigures, verdict: CureVerdict) {
        #expect(CureVerdict(figures, incident: Self.incident) == verdict)
    }

    @Test("every cure has a name of its own, settings the server takes, a reason, a cost and a source")
    func entries() throws {
        #expect(Set(Cure.all.map(\.name)).count == Cure.all.count)
        #expect(Cure.all.first?.name == Cure.incidentName)
        for cure in Cure.all {
            var settings = CuresPlan([], ports: 128, repetitions: 1, seed: 1).settings
            settings.apply(try cure.changes(range: PortRange(lowestPort: 40_000, highestPort: 40_127)))
            #expect(settings.conflict(among: Set(cure.settings.map(\.name))) == nil, "\(cure.name)")
            #expect(!cure.why.isEmpty && !cure.cost.isEmpty && !cure.source.isEmpty, "\(cure.name)")
            #expect(cure.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "\(cure.name)")
        }
    }

    @Test("the incident is always played, first, and each repetition is a pass through all")
    func plan() {
        let plan = CuresPlan(["limit", "late-bind"], ports: 256, repetitions: 2, seed: 1)
        #expect(plan.cures == ["nothing", "late-bind", "limit"])
        #expect(plan.cells.map(\.cure) == plan.cures + plan.cures)
        #expect(plan.cells.map(\.repetition) == [1, 1, 1, 2, 2, 2])
        #expect((plan.uris, plan.batchesPerRound) == (1024, 1))
        let full = CuresPlan([], ports: nil, repetitions: 1, seed: 1)
        #expect((full.ports, full.uris, full.batchesPerRound) == (28_232, 18_000, 2))
        // All ports of a machine, as many times the range as they are of a default kernel's.
        #expect(full.range(.unchanged).lowestPort == 32_768 && full.range(.unchanged).highestPort == 60_999)
        #expect(full.range(.all).lowestPort == 1024 && full.range(.all).highestPort == 65_535)
        #expect(full.range(.doubled).ports == 56_464)
        #expect(plan.range(.all).ports == 584)
    }

    /// A measurement as if taken: of each batch so many URIs found of 100.
    private func measurement(found: [Int], errors: [String: Int], othersFailed: Int) -> CureMeasurement {
        var others = CureMeasurement.Others()
        (others.ok, others.failed) = (50, othersFailed)
        return CureMeasurement(
            settings: SettingsDocument(Settings()),
            sysctls: [:],
            portsCapacity: 64,
            batches: found.enumerated().map {
                .init(round: $0 + 1, uris: 100, found: $1, errors: [:], milliseconds: 3)
            },
            dials: .init(ok: 64, failed: errors.values.reduce(0, +), errorsByCall: errors, countedByMemcached: 64),
            timeWaitPeak: 64,
            memcachedTimeWaitPeak: 0,
            portsInUsePeak: 64,
            inFlightPeak: 100,
            others: others,
            clients: [],
            cpuSeconds: .init(server: 0.1, memcached: 0.1),
            rssPeakBytes: 1,
            memcachedRSSPeakBytes: nil,
            timeWaitOverflows: 0,
            resets: 0,
            refusals: [:],
            roomMilliseconds: 40
        )
    }

    private func result(_ cures: [String], _ runs: [CuresResult.Run]) -> CuresResult {
        var result = CuresResult(CuresPlan(cures, ports: 64, repetitions: 1, seed: 1))
        let incident = measurement(found: [20, 0], errors: ["bind EADDRINUSE": 180], othersFailed: 40)
        result.runs =
            [.init(cell: .init(cure: Cure.incidentName, repetition: 1), measurement: incident)] + runs
        result.judge()
        return result
    }

    private func run(_ cure: String, _ repetition: Int = 1, found: [Int], errors: [String: Int] = [:], others: Int = 0)
        -> CuresResult.Run
    {
        .init(
            cell: .init(cure: cure, repetition: repetition),
            measurement: measurement(found: found, errors: errors, othersFailed: others)
        )
    }

    @Test("a row that differs from what is expected fails with both values, in verdict and in errno")
    func expectations() throws {
        let asExpected = result(["rotate-source"], [run("rotate-source", found: [100, 100])])
        #expect(asExpected.failures == [])
        #expect(asExpected.cures.map(\.name) == ["rotate-source", "nothing"], "the best first")
        let differs = result(
            ["tw-reuse-1"],
            [
                run(
                    "tw-reuse-1",
                    found: [90, 90],
                    errors: ["connect EADDRNOTAVAIL": 20, "bind EADDRINUSE": 3],
                    others: 40
                )
            ]
        )
        #expect(
            differs.failures == [
                "tw-reuse-1: expected: does nothing (observed helps)",
                "tw-reuse-1: expected: bind EADDRINUSE (observed connect EADDRNOTAVAIL)",
            ]
        )
    }

    @Test("what this machine cannot play says why and fails nothing; what broke off fails")
    func unavailable() throws {
        let missing = result(
            ["tw-reuse-delay"],
            [
                .init(
                    cell: .init(cure: "tw-reuse-delay", repetition: 1),
                    unavailable: "this kernel has no net.ipv4.tcp_tw_reuse_delay"
                )
            ]
        )
        let row = try #require(missing.cures.last)
        #expect(row.verdict == .unavailable && row.because.contains("tcp_tw_reuse_delay") && row.expectations.isEmpty)
        #expect(row.dials == nil && row.timeWaitPeak == nil, "absent is not zero")
        #expect(missing.failures == [])
        let broken = result(
            ["limit"],
            [.init(cell: .init(cure: "limit", repetition: 1), error: "spiral-server ended (signal 9)")]
        )
        #expect(broken.failures == ["limit: spiral-server ended (signal 9)"])
    }

    @Test("where the incident takes longer than TIME_WAIT no row is held against what is expected, and it says so")
    func slow() throws {
        var slow = result(["rotate-source"], [run("rotate-source", found: [50, 50])])
        #expect(slow.failures.count == 1 && slow.unjudged == nil)
        slow.runs[0].measurement?.batches[0].milliseconds = 70_000
        slow.judge()
        #expect(slow.failures.isEmpty && slow.unjudged?.contains("70") == true)
    }

    @Test("of several measurements the verdict is that of most, the least favourable where they are even")
    func repetitions() throws {
        func row(_ found: [Int]) throws -> CureRow {
            let runs = found.enumerated().map { run("limit", $0 + 1, found: [$1, $1]) }
            return try #require(result(["limit"], runs).cures.first { $0.name == "limit" })
        }
        #expect(try row([100, 100, 50]).verdict == .cures)
        #expect(try row([100, 100, 50]).verdicts?.count == 3)
        #expect(try row([100, 50]).verdict == .helps)
        #expect(try row([100, 100, 100]).verdicts == nil)
    }

    @Test("a result is read back and judged anew, and one of another schema is refused")
    func file() throws {
        let written = result(["rotate-source"], [run("rotate-source", found: [100, 100])])
        let read = try CuresResult(json: JSONText.encode(written))
        #expect(read.plan == written.plan && read.cures.map(\.verdict) == [.cures, .nothing])
        #expect(JSONText.encode(read) == JSONText.encode(written))
        for text in [
            "", "{}", #"{"schema":"spiral-cures/9"}"#, #"{"schema":"spiral-cures/1"}"#, #"{"schema":"spiral-run/2"}"#,
        ] {
            #expect(throws: RunResult.FormatError.self) { try CuresResult(json: Array(text.utf8)) }
        }
    }

    @Test("a cure with numbers of its own is not held against what is expected where ports are as few as those")
    func fewPorts() throws {
        for (ports, expectations) in [(128, 0), (512, 1)] {
            var result = CuresResult(CuresPlan(["limit"], ports: ports, repetitions: 1, seed: 1))
            result.runs = [
                .init(
                    cell: .init(cure: Cure.incidentName, repetition: 1),
                    measurement: measurement(found: [20, 0], errors: ["bind EADDRINUSE": 180], othersFailed: 40)
                ), run("limit", found: [100, 60]),
            ]
            result.judge()
            let row = try #require(result.cures.first { $0.name == "limit" })
            #expect(row.verdict == .helps && row.expectations.count == expectations)
            #expect(result.failures.count == expectations)
        }
    }

    @Test(
        "a result with numbers at the limits of their types, or of cures that there are not, is damaged",
        arguments: [
            ("\"found\" : 100", "\"found\" : 9223372036854775807", "its found of 9223372036854775807 is no figure"),
            ("\"uris\" : 100", "\"uris\" : -9223372036854775808", "its uris of -9223372036854775808 is no figure"),
            ("\"timeWaitPeak\" : ", "\"timeWaitPeak\" : 1e308", "its timeWaitPeak of 1e308"),
            ("\"repetitions\" : 1", "\"repetitions\" : 999999999999", "nobody measures a cure so often"),
            ("\"rotate-source\"", "\"nothing\"", "it names cures that there are not, or one twice"),
            ("\"rotate-source\"", "\"prayer\"", "it names cures that there are not, or one twice"),
        ]
    )
    func damaged(figure: String, other: String, problem: String) throws {
        let written = result(["rotate-source"], [run("rotate-source", found: [100, 100])])
        let text = String(decoding: JSONText.encode(written), as: UTF8.self)
        let damaged = text.replacing(figure, with: other)
        try #require(damaged != text)
        let error = #expect(throws: RunResult.FormatError.self) { try CuresResult(json: Array(damaged.utf8)) }
        #expect(error?.description.contains(problem) == true, "\(error as Any)")
    }
}
