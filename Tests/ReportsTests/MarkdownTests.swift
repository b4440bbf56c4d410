import LoadGenerator
import Results
import TestSupport
import Testing

@testable import Reports

@Suite("Markdown")
struct MarkdownTests {
    @Test("the first sentence is first, and no name of a file's breaks the table")
    func report() {
        var phase = PhaseResult.played("a|b`c", lookups: 100, failed: 90)
        phase.expectations = [.init(text: "dials.ok > 0", observed: "0", pass: false)]
        let lines = MarkdownReport.lines(.made([phase]))
        #expect(lines[2].hasPrefix("**a\\|b\\`c: "))
        #expect(lines[2].contains("90% of 100 lookups failed with EADDRINUSE"))
        #expect(lines.contains("| **FAIL** | a\\|b\\`c | `dials.ok > 0` | 0 |"))
        #expect(lines.contains { $0.hasPrefix("| &nbsp;&nbsp;EADDRINUSE | 90 |") })
        #expect(lines.last?.hasPrefix("Linux 6.18, 2 cores") == true)
    }
}
