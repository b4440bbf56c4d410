import LoadGenerator
import POSIX
import PostRecords
import Reports
import Sweeps
import TestSupport
import Testbed
import Testing
import Text

@testable import Results
@testable import Scenarios

/// What a run says it has shown, and what is read, drawn and compared where nothing was measured.
@Suite("Verdicts")
struct VerdictTests {
    private func phase(_ passes: Bool...) -> PhaseResult {
        var phase = PhaseResult.full([.made("a")])
        phase.expectations = passes.enumerated().map {
            .init(text: "dials.ok > \($0.offset)", observed: "0", pass: $0.element)
        }
        return phase
    }

    private func verdict(_ phases: [PhaseResult], planned: Int) -> RunResult.Verdict {
        .init(phases, planned: planned, shown: "reproduced and healed")
    }

    @Test("a run that was ended early says so, and names no expectation that there was not")
    func endedEarly() {
        let early = verdict([phase(true), phase(true, true)], planned: 3)
        #expect(early.text == "ended early after 2 of 3 phases; all expectations so far held")
        #expect(early.missing.isEmpty)
        #expect(!early.pass, "not all of it was shown")
        #expect(verdict([], planned: 3).text == "ended early after 0 of 3 phases")
        let failed = verdict([phase(true, false)], planned: 3)
        #expect(failed.text == "ended early after 1 of 3 phases; 1 of 2 expectations failed")
        #expect(failed.missing == ["p: expected dials.ok > 1, observed 0"])
    }

    @Test("a run that was played says what it has shown, or how many expectations failed; of none it claims nothing")
    func played() {
        #expect(verdict([phase(true), phase(true)], planned: 2).text == "reproduced and healed")
        #expect(verdict([phase(true), phase(true)], planned: 2).pass)
        #expect(verdict([phase(false), phase(true, false)], planned: 2).text == "FAIL: 2 of 3 expectations failed")
        #expect(verdict([phase(false)], planned: 1).text == "FAIL: 1 of 1 expectation failed")
        #expect(verdict([phase()], planned: 1).text == "nothing was expected")
    }

    private func result(_ phases: PhaseResult...) throws -> RunResult {
        let environment = """
            {"kernel": "", "cores": 2, "memcached": "", "libmemcached": "", "network": "namespace", "portRange": [1, 1024],
             "tcpTwReuse": "2", "nofile": 1, "seed": 1, "clients": [], "spiral": "", "arguments": [], "date": ""}
            """
        return RunResult(
            scenario: "test",
            description: "",
            environment: try JSONText.decode(Environment.self, from: Array(environment.utf8)),
            phases: phases,
            verdict: verdict(phases, planned: phases.count)
        )
    }

    @Test("in the table what was not measured is -, in the JSON null")
    func tableAndJSON() throws {
        let result = try result(.empty([.made("a", batches: 2, milliseconds: [], slo: .milliseconds(50))]))
        for row in ["connections expected", "server threads", "server MiB", "  p50 ms", "  p99 ms"] {
            let line = try #require(result.summary.first { $0.hasPrefix(row) })
            #expect(line.dropFirst(row.count).filter { $0 != " " } == "-", "\(line)")
        }
        #expect(result.summary.contains { $0.hasPrefix("  complete within 50 ms") && $0.hasSuffix(" 0%") })
        let json = String(decoding: JSONText.encode(result), as: UTF8.self)
        for key in ["latencyMs", "serviceMs", "expected", "threadsPeak", "rssPeakBytes"] {
            #expect(json.contains("\"\(key)\" : null"), "\(key)")
        }
    }

    @Test("a result of before, with zeros for what was not measured, is read without them")
    func oldFiles() throws {
        let measured = ClientResult.made("b", slo: .milliseconds(50))
        var old = try result(
            .full([
                .made("a", batches: 2, milliseconds: [], slo: .milliseconds(50)),
                .made("c", batches: 0, slo: .milliseconds(50)), measured,
            ])
        )
        old.schema = "spiral-run/1"
        // As version 1 wrote them: no key where there is no number, and zeros in place of nulls.
        let json = String(decoding: JSONText.encode(old), as: UTF8.self)
            .replacing("\"latencyMs\" : null", with: #""latencyMs": {"p50":0,"p90":0,"p99":0,"p999":0,"max":0}"#)
            .replacing("\"serviceMs\" : null", with: #""serviceMs": {"p50":0,"p90":0,"p99":0,"p999":0,"max":0}"#)
            .replacing("\"percent\" : null", with: #""percent": 100"#)
            .replacing("\"threadsPeak\" : 9", with: #""threadsPeak": 0"#)
            .replacing("\"expected\" : 1000,", with: "")
        #expect(
            json.contains("\"percent\": 100") && json.contains("\"threadsPeak\": 0") && !json.contains("\"expected\"")
        )
        let read = try RunResult(json: Array(json.utf8))
        let phase = read.phases[0]
        #expect(phase.clients[0].latencyMs == nil)
        #expect(phase.clients[0].slo?.percent == 0)
        #expect(phase.clients[1].slo?.percent == nil)
        #expect(phase.clients[2] == measured)
        #expect(phase.threadsPeak == nil)
        #expect(phase.rssPeakBytes == 3 << 20)
        #expect(phase.dials.expected == nil)
        // Written again, it is one of now.
        #expect(read.schema == "spiral-run/2")
        #expect(try RunResult(json: JSONText.encode(read)).phases[0].clients == phase.clients)
    }

    @Test(
        "pages draw what was not measured as a dash, without a word on the console",
        .requires("chromium", package: "chromium")
    )
    func pages() throws {
        let unanswered = PhaseResult.empty([
            .made("a", batches: 2, milliseconds: [], slo: .milliseconds(50)), .made("b", batches: 0, slo: .seconds(1)),
        ])
        let plan = try SweepPlan(
            [try Variation(text: "limit=request:1,request:2,request:3")],
            fixed: [:],
            clients: [ClientSpec(text: "a:uris=5,rate=1/s"), ClientSpec(text: "b:uris=1,rate=1/s")],
            ports: 1024,
            warmUp: .zero,
            duration: .seconds(1),
            repetitions: 1,
            seed: 3
        )
        var sweep = SweepResult(plan)
        sweep.runs = plan.grid.map { .init(cell: .init(values: $0, repetition: 1), result: unanswered) }
        sweep.runs[2].result = nil
        sweep.environment = .made()
        sweep.analyze()
        let folder = try RunFolder()
        let browser = try Browser()
        for (name, page) in [("run", HTMLPage.report(try result(unanswered))), ("sweep", HTMLPage.report(sweep))] {
            let path = "\(folder.path)/\(name).html"
            _ = try Descriptor.creating(path).writeAll(page)
            try browser.open("file://\(path)")
            #expect(browser.becomesTrue("document.body.innerText.includes('Where it was')"))
            let text = try browser.value(of: "document.body.innerText")
            for wrong in ["NaN", "undefined", "null", "Infinity"] { #expect(!text.contains(wrong), "\(name): \(text)") }
            if name == "run" {
                #expect(text.contains("connections are not predicted: batches were refused"))
                #expect(text.contains("connections expected\t–"))
                #expect(text.contains("0% in 50 ms"))
                #expect(text.contains("– in 1,000 ms"))
            } else {
                #expect(text.contains("limit=request:1\t0\t–\t–\t–\t0\t0\t0\t–\t–"), "\(text)")
            }
        }
        #expect(browser.console.isEmpty, "\(browser.console)")
    }

    @Test("what is no longer measured is a regression, and no improvement to 0")
    func comparison() throws {
        let before = try result(.full([.made("a", milliseconds: [20])]))
        let after = try result(.full([.made("a", milliseconds: [])]))
        let comparison = Comparison(("a", before), ("b", after), tolerance: 0.1)
        #expect(comparison.regressions.contains("p: a p99 ms 20 → not measured"))
        #expect(comparison.markdown.contains("| p | a p99 ms | 20 | - | not measured |"))
        let back = Comparison(("b", after), ("a", before), tolerance: 0.1)
        #expect(back.regressions.isEmpty)
        #expect(back.markdown.contains("| p | a p99 ms | - | 20 | not measured before |"))
        #expect(
            Comparison(("b", after), ("b", after), tolerance: 0.1).markdown.contains(
                "No figure differs by more than 10%."
            )
        )
        let gone = Comparison(("a", before), ("b", try result(.full([]))), tolerance: 0.1)
        #expect(gone.regressions == ["p: caller a was not there"])
    }
}
