package import Cures
package import Exec
package import LoadGenerator
internal import PostRecords
package import Results
internal import Scenarios
internal import Text

/// The pages that show a run or a sweep: each one HTML file with its style inside, that needs no network. What it shows is
/// there without a script; one adds reading all charts at one moment.
package enum HTMLPage {
    /// The report of a run; it carries its data.
    package static func report(_ run: RunResult) -> [UInt8] {
        var result = run
        result.story = RunStory(run).sentences
        let page = RunPage(run: result)
        return compose(title: page.title, page.content, data: JSONText.encodeLine(result))
    }

    /// The report of a sweep; it carries its data.
    package static func report(_ result: SweepResult) -> [UInt8] {
        let page = SweepPage(sweep: result)
        return compose(title: page.title, page.content, data: JSONText.encodeLine(result))
    }

    /// The page of the cures; it carries its data.
    package static func report(_ result: CuresResult) -> [UInt8] {
        compose(title: CuresPage.title, CuresPage(result: result).content, data: JSONText.encodeLine(result))
    }

    /// The report of a program's dials; it carries its data.
    package static func report(_ result: ExecResult) -> [UInt8] {
        let page = ExecPage(result: result)
        return compose(title: page.title, page.content, data: JSONText.encodeLine(result))
    }

    /// The report of a load; it carries its data.
    package static func report(_ result: LoadResult) -> [UInt8] {
        let page = LoadPage(result: result)
        return compose(title: page.title, page.content, data: JSONText.encode(result))
    }

    /// What the live page shows when its run has ended.
    static func ending(_ result: RunResult) -> String { RunPage(run: result).content.map(\.written).joined() }

    /// The page of a run while it is played; at its end it becomes the report.
    static let live = compose(
        title: "Spiral",
        [],
        body: text(PackageResources.live_html),
        scripts: [PackageResources.charts_js, PackageResources.live_js],
        data: Array("null".utf8)
    )

    private static func compose(
        title: String,
        _ content: [Markup],
        body: String = "",
        scripts: [[UInt8]] = [PackageResources.charts_js],
        data: [UInt8]
    ) -> [UInt8] {
        var rest = text(PackageResources.page_html)[...]
        var page = ""
        // In the order of the page: what is put in is not looked through for the next slot.
        let parts = [
            ("<!--TITLE-->", Markup.text(title).written),
            ("/*STYLE*/", text(PackageResources.page_css) + Palette.pageStyle),
            ("<!--CONTENT-->", body + content.map(\.written).joined()),
            // Inside a script element "</script" would end it, and "<!--<script" what comes after it.
            (
                "/*RESULT*/null",
                text(data).split(separator: "<", omittingEmptySubsequences: false).joined(separator: "\\u003c")
            ),
            ("/*SCRIPT*/", scripts.map(text).joined(separator: "\n")),
        ]
        for (slot, content) in parts {
            let pieces = rest.split(separator: slot, maxSplits: 1, omittingEmptySubsequences: false)
            page += pieces[0] + content
            rest = pieces[1]
        }
        return Array((page + rest).utf8)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
