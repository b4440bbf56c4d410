import LoadGenerator
import PostRecords
import Reports
import TestSupport
import Testing
import Text

@testable import Results
@testable import Sweeps

/// What a sweep may say of combinations that were not answered, or not measured often enough.
@Suite("Sweep verdicts")
struct SweepVerdictTests {
    /// A run as if measured: what the callers' batches took, none where they had no answer.
    private func run(
        _ limit: String,
        _ repetition: Int = 1,
        small: [Double] = [10],
        heavy: [Double] = [300],
        lookups: Int = 50_000,
        errors: Int = 0
    ) -> SweepResult.Run {
        var phase = PhaseResult.full([
            .made("heavy", batches: 1, milliseconds: heavy), .made("small", batches: 1, milliseconds: small),
        ])
        phase.duration = 1
        phase.lookups.hits = lookups
        phase.lookups.errors = errors > 0 ? ["EADDRINUSE": errors] : [:]
        phase.dials = .init(ok: 0, failed: 0, expected: nil, reasoning: "")
        return .init(cell: .init(values: [limit], repetition: repetition), result: phase)
    }

    private func sweep(_ limits: String, repetitions: Int = 1, _ runs: [SweepResult.Run]) throws -> SweepResult {
        let plan = try SweepPlan(
            [try Variation(text: "limit=\(limits)")],
            fixed: [:],
            clients: [ClientSpec(text: "small:uris=1..10,rate=20/s"), ClientSpec(text: "heavy:uris=20000,rate=2/s")],
            ports: 1024,
            warmUp: .zero,
            duration: .seconds(1),
            repetitions: repetitions,
            seed: 3
        )
        var sweep = SweepResult(plan)
        sweep.runs = runs
        sweep.analyze()
        return sweep
    }

    @Test("the JSON names the combination that is recommended, and none where the measurements do not tell")
    func recommended() throws {
        func json(_ sweep: SweepResult) -> String { String(decoding: JSONText.encode(sweep), as: UTF8.self) }
        let sure = try sweep(
            "request:4,request:16",
            repetitions: 3,
            (1...3).flatMap { [run("request:4", $0, small: [10]), run("request:16", $0, small: [90])] }
        )
        #expect(sure.recommended == ["limit": "request:4"])
        #expect(json(sure).contains("\"limit\" : \"request:4\""))
        for unsure in [
            try sweep("request:4", [run("request:4")]), try sweep("request:4", [run("request:4", errors: 5)]),
            try sweep("request:4", []),
        ] {
            #expect(unsure.recommended == nil)
            #expect(json(unsure).contains("\"recommended\" : null"))
        }
        // A file of before has no such key, and is read; what is recommended is found anew.
        let old = json(sure).replacing("\"recommended\"", with: "\"otherwise\"")
        var read = try SweepResult(json: Array(old.utf8))
        #expect(read.recommended == nil)
        read.analyze()
        #expect(read.recommended == ["limit": "request:4"])
    }

    @Test(
        "what has no answers to the small callers or to the heavy one ranks below all that has, and is no knee",
        arguments: [([], [300.0]), ([10.0], [])]
    )
    func unanswered(small: [Double], heavy: [Double]) throws {
        let limits = ["request:4", "request:16", "request:64", "request:256"]
        let runs = limits.map { limit in
            limit == "request:4"
                ? run(limit, small: small, heavy: heavy, lookups: 50_000)
                // The last has errors, but its callers had answers.
                : run(limit, small: [20], heavy: [900], errors: limit == "request:256" ? 5 : 0)
        }
        let result = try sweep(limits.joined(separator: ","), runs)
        #expect(result.ranking.map(\.values) == [["request:16"], ["request:64"], ["request:256"], ["request:4"]])
        #expect(!result.findings[0].contains("request:4"))
        #expect(
            result.findings.contains {
                $0.hasPrefix("request:N: all that is sent is answered at any number; knee at 16,")
            }
        )
        #expect(result.ranking[3].smallP99 == nil || result.ranking[3].heavyP99 == nil)
        let row = try #require(result.summary.first { $0.hasPrefix("limit=request:4") })
        #expect(row.contains(" - "), "\(row)")
        let json = String(decoding: JSONText.encode(result), as: UTF8.self)
        #expect(json.contains("P99\" : null"))
        #expect(try SweepResult(analyzing: Array(json.utf8)).ranking.map(\.values) == result.ranking.map(\.values))
    }

    @Test("one repeat without an answer is not hidden by those with one")
    func oneUnanswered() throws {
        let result = try sweep(
            "request:4,request:16",
            repetitions: 3,
            (1...3).flatMap {
                [run("request:4", $0, small: $0 == 2 ? [] : [1]), run("request:16", $0, small: [50 + Double($0)])]
            }
        )
        #expect(result.ranking.map(\.values) == [["request:16"], ["request:4"]])
        #expect(result.ranking[1].smallP99 == nil)
        #expect(result.findings[0].hasPrefix("Recommended: limit=request:16."))
    }

    @Test("where nothing was answered nothing is recommended, and nothing called best")
    func nothingAnswered() throws {
        let result = try sweep("request:4,request:16", [run("request:4", small: []), run("request:16", small: [])])
        #expect(
            result.findings[0]
                == "No combination of this grid answers everything without failures and sustains its dials."
        )
    }

    @Test("a heavy caller that sent nothing is not replaced by a small one")
    func silentHeavy() throws {
        var run = run("request:4")
        run.result?.clients = [.made("heavy", batches: 0), .made("small"), .made("tiny", milliseconds: [7])]
        let measures = RunMeasures(try #require(run.result), heavy: "heavy")
        #expect(measures.heavyP99 == nil)
        #expect(measures.smallP99.map { $0 > 11 } == true)
    }

    @Test("failing is fast: what fails is no knee, and a cliff is where all beyond it fails")
    func failingIsFast() throws {
        let result = try sweep(
            "request:4,request:16,request:64,request:256",
            [
                run("request:4", heavy: [1], errors: 9), run("request:16", heavy: [900]),
                run("request:64", heavy: [880]),
                run("request:256", heavy: [2], errors: 9),
            ]
        )
        let knee = try #require(result.findings.first { $0.hasPrefix("request:N") })
        #expect(knee.contains("knee at 16,"))
        #expect(knee.contains("Cliff: from request:256 on, 9 failed lookups."))
    }

    @Test("one measurement is not enough to recommend it")
    func once() throws {
        let result = try sweep("request:4,request:16", [run("request:4", small: [10]), run("request:16", small: [90])])
        #expect(
            result.findings[0].hasPrefix(
                "Not enough measurements to recommend one: limit=request:4 is best so far, measured once."
            )
        )
        #expect(result.findings[1].contains("was not measured"))
        #expect(!result.findings.contains { $0.contains("no more than the noise") })
    }

    @Test("the noise is that of the repeats there are: where they differ by five, a single measurement says little")
    func noiseSeen() throws {
        // As a sweep that was interrupted after 8 of 12 runs left it.
        let result = try sweep(
            "request:16,fair:64,vegas,request:64",
            repetitions: 3,
            [
                run("request:16", small: [9]), run("fair:64", 1, small: [10.4]), run("fair:64", 2, small: [58]),
                run("vegas", 1, small: [8.13]), run("vegas", 2, small: [62.1]), run("request:64", 1, small: [400]),
                run("request:64", 2, small: [410]),
            ]
        )
        #expect(result.ranking[0].values == ["request:16"])
        #expect(result.findings[0].hasPrefix("Not enough measurements to recommend one"))
        #expect(result.findings[1].contains("no more than the noise: limit="))
        #expect(result.findings[1].contains("fair:64") && result.findings[1].contains("vegas"))
        #expect(!result.findings[1].contains("request:64"))
        #expect(result.findings[2].hasPrefix("Repeats of one combination differ by a factor of up to 7.64"))
        let last = try #require(result.findings.last)
        #expect(last.hasPrefix("5 of 12 runs were not played; --resume plays them. Missing: limit="), "\(last)")
    }

    @Test("that nothing failed is said only where nothing did in any repeat")
    func rareFailures() throws {
        let result = try sweep(
            "request:4,request:16",
            repetitions: 3,
            (1...3).flatMap {
                [run("request:4", $0, small: [1], errors: $0 == 3 ? 700 : 0), run("request:16", $0, small: [50])]
            }
        )
        #expect(result.findings[0].hasPrefix("Recommended: limit=request:16. No failed lookup;"))
        let alone = try sweep(
            "request:4,request:16",
            repetitions: 3,
            (1...3).map { run("request:4", $0, small: [1], errors: $0 == 3 ? 700 : 0) }
        )
        #expect(alone.findings[0].hasPrefix("Recommended: limit=request:4. Failed lookups 0 (0–700), batches 0;"))
    }

    @Test("a sweep of before is read without its zeros, and one that goes on with what it has")
    func files() throws {
        let result = try sweep("request:4,request:16", [run("request:4", small: []), run("request:16")])
        var old = result
        old.schema = "spiral-sweep/2"
        old.ranking = []
        old.findings = []
        let json = String(decoding: JSONText.encode(old), as: UTF8.self)
            .replacing("\"latencyMs\" : null", with: #""latencyMs": {"p50":0,"p90":0,"p99":0,"p999":0,"max":0}"#)
        #expect(!json.contains("\"latencyMs\" : null"))
        let read = try SweepResult(analyzing: Array(json.utf8))
        #expect(read.ranking.map(\.values) == [["request:16"], ["request:4"]])
        #expect(read.ranking[1].smallP99 == nil)
        #expect(read.schema == SweepResult.currentSchema)
        #expect(read.findings == result.findings)
    }

    @Test(
        "dials that leave no TIME_WAIT at this end are sustained at any rate, those of fewer ports at a lower one",
        arguments: [
            ("close=client,server", 100, [true, false]), ("linger=off,rst", 100, [true, false]),
            ("local-port-range=none,32768-32899", 10, [false, true]), ("close=client,server", 10, [false, false]),
        ]
    )
    func sustained(variation: String, dials: Int, exhausts: [Bool]) throws {
        let variation = try Variation(text: variation)
        let plan = try SweepPlan(
            [variation],
            fixed: [:],
            clients: [ClientSpec(text: "small:uris=1..10,rate=20/s"), ClientSpec(text: "heavy:uris=20000,rate=2/s")],
            ports: 1024,
            warmUp: .zero,
            duration: .seconds(1),
            repetitions: 1,
            seed: 3
        )
        var sweep = SweepResult(plan)
        sweep.environment = .made()
        sweep.runs = variation.values.map { value in
            var played = run(value)
            played.result?.dials.ok = dials
            return played
        }
        sweep.analyze()
        let found = variation.values.map { value in sweep.ranking.first { $0.values == [value] }?.exhaustsPorts }
        #expect(found == exhausts)
    }
}
