import LoadGenerator
import PostRecords
import Sweeps
import TestSupport
import Testing

@testable import Reports
@testable import Results

/// Two results side by side: what is refused, what is allowed for, and what is said of the rest.
@Suite("Comparison")
struct ComparisonTests {
    private func run(
        lookups: Int,
        failed: Int = 0,
        dials: Int = 0,
        milliseconds: [Double] = [10],
        in environment: Environment = .made(clients: ["a:uris=5,rate=1/s"])
    ) -> RunResult {
        var phase = PhaseResult.played(
            "p",
            lookups: lookups,
            failed: failed,
            dials: dials,
            clients: [.made("a", batches: milliseconds.count, milliseconds: milliseconds)]
        )
        phase.threadsPeak = 10
        return .made([phase], in: environment)
    }

    private func compare(_ before: RunResult, _ after: RunResult) -> Comparison {
        Comparison(("one.json", before), ("two.json", after), tolerance: 0.1)
    }

    @Test("a run of half the length is no regression: shares are compared, and the difference in length is said")
    func length() {
        var long = run(lookups: 120_000, failed: 60_000, dials: 6000)
        var short = run(lookups: 60_000, failed: 30_000, dials: 3000)
        (long.phases[0].timeWaitPeak, short.phases[0].timeWaitPeak) = (6000, 3000)
        for (before, after) in [(long, short), (short, long)] {
            let comparison = compare(before, after)
            #expect(comparison.regressions.isEmpty, "\(comparison.regressions)")
            #expect(comparison.markdown.contains("No figure differs by more than 10%."))
            #expect(comparison.markdown.contains { $0.contains("shares and latencies are compared") })
        }
    }

    @Test("both sides are named, with machine and date")
    func names() {
        let lines = compare(run(lookups: 10), run(lookups: 10)).markdown
        #expect(lines.contains { $0.hasPrefix("- before: one.json, test, 2026-04-06T12:00:00Z, Linux 6.18, 2 cores") })
        #expect(lines.contains { $0.hasPrefix("- after: two.json, ") })
    }

    @Test("builds are named where the files say them, and what a file does not say is left out")
    func builds() throws {
        var old = run(lookups: 10)
        var new = old
        old.build = .init(
            version: "0.4.0",
            commit: "1a2b3c4d5e6f70819203",
            configuration: "release"
        )
        new.build = .init(version: nil, commit: "ffffffffffffffff-changed", configuration: "debug")
        let lines = compare(old, new).markdown
        #expect(lines.contains { $0.hasPrefix("- before: one.json, test, by spiral 0.4.0, commit 1a2b3c4d5e6f, 2026") })
        #expect(
            lines.contains {
                $0.hasPrefix("- after: two.json, test, by commit ffffffffffff-changed, debug build, 2026")
            }
        )
        #expect(
            compare(run(lookups: 10), run(lookups: 10)).markdown.contains {
                $0.hasPrefix("- before: one.json, test, 2026")
            }
        )
        // As a result's file has it.
        let recorded = try RecordedRun.result()
        #expect(recorded.build?.version == "0.5.0" && recorded.build?.commit?.count == 40)
        #expect(Sides(("a", recorded), ("b", recorded)).names.allSatisfy { $0.contains("by spiral 0.5.0, commit ") })
        var measured = try sweep([("request:4", [10])])
        measured.build = old.build
        #expect(Sides(("a", measured), ("b", measured)).names[0].contains("by spiral 0.4.0"))
    }

    @Test("large differences are factors, small ones percent")
    func factors() {
        #expect("\(Difference(before: 10, after: 4550))" == "×455")
        #expect("\(Difference(before: 455, after: 1))" == "÷455")
        #expect("\(Difference(before: 100, after: 120))" == "+20%")
        #expect("\(Difference(before: 100, after: 80))" == "-20%")
        #expect("\(Difference(before: 0, after: 3))" == "new")
        #expect("\(Difference(before: 3, after: 0))" == "gone")
        let comparison = compare(run(lookups: 1000, failed: 10), run(lookups: 1000, failed: 500))
        #expect(comparison.regressions.contains("p: failed, % of lookups 1 → 50 (×50)"))
    }

    @Test("results of other scenarios, loads and port ranges are refused; other machines lose what they decide")
    func ground() {
        let base = run(lookups: 100)
        var other = base
        other.scenario = "other"
        #expect(compare(base, other).obstacles == ["scenario: 'test' before and 'other' after"])
        other = base
        other.environment.clients = ["a:uris=5,rate=2/s"]
        #expect(compare(base, other).obstacles.first?.hasPrefix("callers: ") == true)
        other = base
        other.phases[0].portsCapacity = 28_232
        #expect(
            compare(base, other).obstacles == [
                "ephemeral ports of one source address: '1,024' before and '28,232' after"
            ]
        )
        let elsewhere = compare(
            base,
            run(
                lookups: 100,
                failed: 90,
                milliseconds: [900],
                in: .made(kernel: "6.1", cores: 8, clients: base.environment.clients)
            )
        )
        #expect(elsewhere.obstacles.isEmpty)
        #expect(!elsewhere.regressions.contains { $0.contains("ms") })
        #expect(elsewhere.regressions.contains { $0.contains("failed, % of lookups") })
        #expect(elsewhere.markdown.contains("- kernel: 6.18 before, 6.1 after"))
        #expect(compare(base, run(lookups: 100, milliseconds: [900])).regressions.contains { $0.contains("p99 ms") })
    }

    private func sweep(_ repeats: [(limit: String, milliseconds: [Double])], clients: String = "small:uris=1,rate=1/s")
        throws -> SweepResult
    {
        let plan = try SweepPlan(
            [try Variation(text: "limit=request:4,request:16")],
            fixed: [:],
            clients: [ClientSpec(text: clients), ClientSpec(text: "heavy:uris=2000,rate=1/s")],
            ports: 1024,
            warmUp: .zero,
            duration: .seconds(1),
            repetitions: 3,
            seed: 1
        )
        var sweep = SweepResult(plan)
        sweep.environment = .made()
        for (limit, milliseconds) in repeats {
            for (index, one) in milliseconds.enumerated() {
                let clients: [ClientResult] = [
                    .made("small", milliseconds: [one]), .made("heavy", milliseconds: [300]),
                ]
                let phase = PhaseResult.played("measured", lookups: 1000, clients: clients)
                sweep.runs.append(.init(cell: .init(values: [limit], repetition: index + 1), result: phase))
            }
        }
        sweep.analyze()
        return sweep
    }

    @Test("two sweeps are compared by combination, against the noise of their repeats")
    func sweeps() throws {
        let before = try sweep([("request:4", [10, 11, 12]), ("request:16", [10, 40, 80])])
        let after = try sweep([("request:4", [30, 31, 32]), ("request:16", [30, 60, 110])])
        let comparison = SweepComparison(before, after, tolerance: 0.1)
        let findings = Dictionary(comparison.rows.map { ($0.combination, $0.finding) }, uniquingKeysWith: { $1 })
        #expect(findings["limit=request:4"]?.hasPrefix("×2.8") == true, "\(findings)")
        #expect(findings["limit=request:16"] == "within the noise")
        #expect(comparison.regressions.count == 1)
        #expect(SweepComparison(before, before, tolerance: 0.1).rows.allSatisfy { $0.finding == "same" })
        // Without repeats nothing is known of the noise.
        let once = try sweep([("request:4", [30])])
        let unknown = SweepComparison(try sweep([("request:4", [10])]), once, tolerance: 0.1)
        #expect(unknown.rows[0].finding == "not known: no repeats")
        #expect(unknown.regressions.isEmpty)
        #expect(SweepComparison(before, once, tolerance: 0.1).missing == ["limit=request:16: not measured after"])
        #expect(Sides(("a", before), ("b", try sweep([], clients: "small:uris=2,rate=1/s"))).obstacles.count == 1)
    }
}
