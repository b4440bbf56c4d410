internal import Cures
internal import LoadGenerator
internal import PostRecords
internal import Reports
internal import Results
internal import Scenarios
internal import Sweeps
internal import Text

extension FuzzTarget {
    /// Settings, by line `name value`, or as the JSON of a change. What a value is written as is taken as the same.
    static let settings = FuzzTarget(
        name: "settings",
        words: Settings.names + [
            " ", "\n", "{\"", "\": ", "none", "request:", "process:", "fair:", "aimd:min=1,max=2", "vegas", "gradient2",
            "multiget:", "bind:127.0.0.1", "bind:fd00::1", "rotate", "rotate:fd00:5::/64", "::ffff:127.0.0.0/104",
            "server", "1000000000", "9223372036854775807", "1e9", "500ms", "16MiB", "0",
            "-1", "pipe:64KiB/s", "file:/a", "queue=", "wait=", "true",
        ],
        run: { input in
            let bytes = Array(input)
            if let document = try? JSONText.decode(SettingsDocument.self, from: bytes) { _ = try? document.changes() }
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                let words = line.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
                guard words.count == 2 else { continue }
                let name = String(decoding: words[0], as: UTF8.self)
                guard let change = try? SettingChange(name, String(decoding: words[1], as: UTF8.self)) else { continue }
                var settings = Settings()
                settings.apply([change])
                var again = Settings()
                guard let text = settings[name], (try? again.set(name, to: text)) != nil, again == settings else {
                    throw Violation("\(shown(line)): it is written as \(settings[name] ?? "nothing"), which is another")
                }
            }
        }
    )

    /// Scenario files. What is wrong with one has a line and a column.
    static let scenarios = FuzzTarget(
        name: "scenarios",
        words: [
            "scenario: ", "phases:\n", "  - name: ", "    duration: 10s\n", "environment:\n", "  memcached:\n",
            "clients:\n",
            "settings:\n", "expect:\n", "faults:\n", "- {at: 1s, do: stop memcached}", "<<: *a", "&a ", "*a", "{", "}",
            "[", "]", ": ", "? ", "| ", "> ", "!!str ", "'", "\"", "\\u0000", "%YAML 1.2\n", "---\n", "...\n",
            "\u{feff}",
            "9223372036854775807", "lookups.hits > 0", "dials.ok within 1% of dials.expected", "uris=1..50,rate=2/s",
        ],
        run: { input in
            do throws(ScenarioProblems) {
                _ = try Scenario(yaml: Array(input))
            } catch {
                guard !error.problems.isEmpty, error.problems.allSatisfy({ $0.line >= 1 && $0.column >= 1 }) else {
                    throw Violation("\(shown(input)): what is wrong has no position: \(error.problems)")
                }
            }
        }
    )

    /// Results of runs, sweeps and cures, and what is drawn of them; and the callers of a server, as `spiral top` reads them.
    static let results = FuzzTarget(
        name: "results",
        words: [
            "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e308", "-1e308", "1e999", "0",
            "-1",
            "null", "[]", "{}", "\"\"", "true", "\"spiral-run/2\"", "\"spiral-run/1\"", "\"spiral-sweep/3\"",
            "\"spiral-load/2\"", "\"spiral-cures/1\"", "\"repetitions\":", "\"cures\":[\"nothing\"]",
        ],
        run: { input in
            let bytes = Array(input)
            if let ranking = try? JSONText.decode(ClientRanking.self, from: bytes) {
                _ = ClientReport.lines(ranking, most: 20)
            }
            if let load = try? LoadResult(json: bytes), let merged = try? LoadResult.merged([("a", load), ("b", load)])
            {
                guard merged.answered == 2 * load.records.reduce(0, { $0 + $1.ok }) else {
                    throw Violation("\(shown(bytes)): twice \(load.answered) are \(merged.answered)")
                }
            }
            if let cures = try? CuresResult(json: bytes) {
                _ = (cures.summary, cures.markdown, HTMLPage.report(cures), JSONText.encode(cures))
                _ = try? Pictures(cures).svg(nil)
            }
            guard let file = try? ResultFile(json: bytes) else { return }
            let written: [UInt8]
            switch file {
            case .run(let run):
                _ = (run.summary(width: 44, file: "a"), MarkdownReport.lines(run), HTMLPage.report(run))
                _ = Comparison(("a", run), ("b", run), tolerance: 0.1).markdown
                written = JSONText.encode(run)
            case .sweep(var sweep):
                sweep.analyze()
                _ = (sweep.summary(width: 44), sweep.csv, MarkdownReport.lines(sweep), HTMLPage.report(sweep))
                let comparison = SweepComparison(sweep, sweep, tolerance: 0.1)
                _ = SweepComparisonReport(comparison, Sides(("a", sweep), ("b", sweep))).markdown
                written = JSONText.encode(sweep)
            }
            guard !written.isEmpty else { throw Violation("\(shown(bytes)): it cannot be written") }
        }
    )
}
