import POSIX
import Results
import TestSupport
import Testbed
import Testing
import Text

@testable import Reports

/// All charts of a page are read at one moment.
@Suite("Reading charts")
struct ReadingTests {
    @Test(
        "by keyboard, pointer and touch every chart says its values of the same moment, which are those of the run",
        .requires("chromium", package: "chromium")
    )
    func reading() throws {
        let run = try RecordedRun.result()
        let folder = try RunFolder()
        _ = try Descriptor.creating("\(folder.path)/page.html").writeAll(HTMLPage.report(run))
        let browser = try Browser()
        try browser.open("file://\(folder.path)/page.html")
        // Its script has run, which is what hears of keys.
        #expect(browser.becomesTrue("document.querySelector('#log svg.chart[tabindex]') !== null"))
        func press(_ key: String) throws {
            _ = try browser.value(
                of: "document.querySelector('#ports svg.wide')"
                    + ".dispatchEvent(new KeyboardEvent('keydown', {key: '\(key)', bubbles: true}))"
            )
        }
        func readout(_ chart: String) throws -> String {
            try browser.value(of: "document.querySelector('#\(chart) .readout').textContent")
        }
        let charts = RunCharts(run).all
        try press("Home")
        for chart in charts {
            #expect(try readout(chart.id).hasPrefix("\(rounded(run.timeline[0].at)) s: "), "\(chart.id)")
        }
        try press("ArrowRight")
        let second = run.timeline[1]
        #expect(try readout("timewait").contains("in TIME_WAIT \(grouped(second.timeWait))"))
        try press("End")
        let last = try #require(run.timeline.last)
        #expect(try readout("timewait").hasPrefix("\(rounded(last.at)) s: in TIME_WAIT \(grouped(last.timeWait))"))
        try press("Escape")
        #expect(try readout("ports").isEmpty)

        // In the middle of the plot, with a finger, which stays where it was lifted.
        for (kind, isKept) in [("touch", true), ("mouse", false)] {
            _ = try browser.value(
                of: """
                    (() => {
                        const svg = document.querySelector('#latency svg.wide'), box = svg.getBoundingClientRect();
                        const at = (type) => new PointerEvent(type, {pointerType: '\(kind)', bubbles: true,
                            clientX: box.left + box.width * 0.5, clientY: box.top + box.height * 0.5});
                        svg.dispatchEvent(at('pointerdown')); svg.dispatchEvent(at('pointerleave'));
                    })()
                    """
            )
            #expect(try readout("ports").isEmpty == !isKept, "\(kind)")
        }
        let cursors = try browser.value(
            of:
                "[...document.querySelectorAll('#charts svg.chart.wide')].every((svg) => svg.tabIndex === 0 && svg.querySelector('title'))"
        )
        #expect(cursors == "true")
        // Letters are of 16 pixels or more as they are seen, in a window as wide as this.
        let smallest = try browser.value(
            of: """
                Math.min(...[...document.querySelectorAll('svg text')].filter((one) => one.getClientRects().length)
                    .map((one) => parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a))
                """
        )
        #expect((Double(smallest) ?? 0) >= 15.9, "\(smallest)")
        #expect(browser.console.isEmpty, "\(browser.console)")
    }
}
