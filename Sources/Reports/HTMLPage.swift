internal import PostRecords
package import Results
internal import Scenarios
internal import Text

/// The pages that draw a run: each one HTML file with style and script inside, that needs no network.
package enum HTMLPage {
    /// The report of a run; it carries its data.
    package static func report(_ run: RunResult) -> [UInt8] {
        var result = run
        result.story = RunStory(run).sentences
        return compose(
            scripts: [PackageResources.charts_js, PackageResources.report_js],
            result: JSONText.encode(result),
            ending: "drawReport(JSON.parse(document.getElementById(\"result\").textContent));\n"
        )
    }

    /// The report of a sweep; it carries its data.
    package static func report(_ result: SweepResult) -> [UInt8] {
        compose(
            scripts: [PackageResources.charts_js, PackageResources.sweep_js],
            result: JSONText.encode(result),
            ending: "drawSweep(JSON.parse(document.getElementById(\"result\").textContent));\n"
        )
    }

    /// The page of a run while it is played; at its end it becomes the report.
    static let live = compose(
        scripts: [PackageResources.charts_js, PackageResources.report_js, PackageResources.live_js],
        result: Array("null".utf8),
        ending: ""
    )

    private static func compose(scripts: [[UInt8]], result: [UInt8], ending: String) -> [UInt8] {
        var rest = text(PackageResources.page_html)[...]
        var page = ""
        // In the order of the page: what is put in is not looked through for the next place.
        let parts = [
            ("/*STYLE*/", text(PackageResources.page_css)),
            // Inside a script element "</script" would end it, and "<!--<script" what comes after it.
            (
                "/*RESULT*/null",
                text(result).split(separator: "<", omittingEmptySubsequences: false).joined(separator: "\\u003c")
            ),
            ("/*SCRIPT*/", scripts.map(text).joined(separator: "\n") + ending),
        ]
        for (place, content) in parts {
            let pieces = rest.split(separator: place, maxSplits: 1, omittingEmptySubsequences: false)
            page += pieces[0] + content
            rest = pieces[1]
        }
        return Array((page + rest).utf8)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
