import KernelProbe
import POSIX
import PostRecords
import Reports
import Results
import TestSupport
import Testbed
import Testing
import Text
import Units

@testable import LoadGenerator
@testable import Scenarios

@Suite("Results")
struct ResultTests {
    private func result() -> RunResult {
        RunResult(
            scenario: "test",
            description: "",
            environment: Environment(
                kernel: "",
                cores: 2,
                memcached: "",
                libmemcached: "",
                network: .namespace,
                portRange: [1, 2],
                tcpTwReuse: "2",
                nofile: 1,
                seed: 1,
                clients: [],
                memoryLimit: nil,
                spiral: "",
                arguments: [],
                date: ""
            ),
            phases: [ScenarioFileTests.phase],
            verdict: .init(pass: true, text: "all expectations held", missing: [])
        )
    }

    @Test("two results that differ by less than the tolerance are the same")
    func noise() {
        var other = result()
        other.phases[0].lookups.hits = 94
        other.phases[0].dials.ok = 1050
        let comparison = Comparison(("a", result()), ("b", other), tolerance: 0.1)
        #expect(comparison.regressions.isEmpty)
        #expect(comparison.markdown.contains("No figure differs by more than 10%."))
    }

    @Test("more errors, fewer records and an expectation that fails are regressions; fewer dials are none")
    func regressions() {
        var other = result()
        other.phases[0].lookups.hits = 40
        other.phases[0].lookups.errors["EADDRINUSE"] = 900
        other.phases[0].dials.ok = 10
        other.phases[0].expectations[0].pass = false
        let comparison = Comparison(("a", result()), ("b", other), tolerance: 0.1)
        #expect(comparison.regressions.count == 3, "\(comparison.regressions)")
        // Where all ports were taken and the work was another, their number says nothing.
        #expect(!comparison.markdown.contains { $0.contains("connections opened") })
        #expect(!comparison.regressions.contains { $0.contains("connections opened") })
    }

    @Test("a result is read as it was written, and one of a newer schema is refused with a reason")
    func schema() throws {
        let written = JSONText.encode(result())
        #expect(try RunResult(json: written).phases.count == 1)
        let newer = String(decoding: written, as: UTF8.self).split(separator: "spiral-run/2").joined(
            separator: "spiral-run/9"
        )
        let error = #expect(throws: RunResult.FormatError.self) { try RunResult(json: Array(newer.utf8)) }
        #expect(error?.description.contains("its schema is spiral-run/9") == true)
        #expect(throws: RunResult.FormatError.self) { try RunResult(json: Array("{}".utf8)) }
    }

    @Test("a figure that none can be is named, in a result of any kind, and a seed is any number")
    func absurdFigures() throws {
        var strange = result()
        strange.environment.seed = .max
        #expect(try RunResult(json: JSONText.encode(strange)).environment.seed == .max)
        for number in [Int.max, Int.min, 1 << 51] {
            strange.phases[0].clients[0].batches = number
            let error = #expect(throws: RunResult.FormatError.self) { try RunResult(json: JSONText.encode(strange)) }
            let problem = "is damaged: its batches of \(number) is no figure"
            #expect(error?.description.hasSuffix(problem) == true, "\(error?.description ?? "")")
            let load = "{\"schema\": \"\(LoadResult.schema)\", \"due\": \(number)}"
            let other = #expect(throws: LoadResult.MergeError.self) { try LoadResult(json: Array(load.utf8)) }
            #expect(other?.description == "it is damaged: its due of \(number) is no figure")
        }
    }

    @Test("the page carries its data and cannot be broken by it")
    func page() {
        var hostile = result()
        hostile.description = "</script><script>alert(1)</script>"
        let page = String(decoding: HTMLPage.report(hostile), as: UTF8.self)
        #expect(!page.contains("</script><script>alert"))
        // From here on a browser would take the page's own end of script for text. html.spec, script data states
        hostile.description = "<!--<script>"
        #expect(!String(decoding: HTMLPage.report(hostile), as: UTF8.self).contains("<!--<script>"))
        #expect(!page.contains("/*RESULT*/"))
        #expect(!page.contains("http://") || page.contains("http://www.w3.org/2000/svg"))
    }
}
