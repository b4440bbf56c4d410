import HTTP
import HTTPTypes
import POSIX
import TestSupport
import Testing
import Text

/// The Grafana dashboard, the alert rules and the page of metrics, which are three files and know each other by name only.
@Suite("Dashboard and rules")
struct DashboardTests {
    private struct Dashboard: Decodable {
        struct Panel: Decodable {
            struct Target: Decodable { var expr: String }

            var title: String
            var targets: [Target]
        }

        var title: String
        var panels: [Panel]
    }

    private static let folder = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/docker"

    @Test("each panel and each rule asks for metrics and labels that a real server or exporter has")
    func names() throws {
        let text = try Program.contents(of: Self.folder + "/grafana/dashboards/spiral.json")
        let panels = try JSONText.decode(Dashboard.self, from: Array(text.utf8)).panels
        #expect(panels.count >= 10)
        let rules = try Program.contents(of: Self.folder + "/prometheus/rules.yml")
        try RunningServer.during(["--listen", "127.0.0.1:8080"]) { server in
            let exporter = try Program("spiral", ["ports", "--listen", "127.0.0.1:9151"])
            _ = try server.ask(
                Array(#"{"uris": ["at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3aaaaaaaaaaaa"]}"#.utf8)
            )
            // Rates take two looks.
            var exported = ""
            let hasRates = eventually {
                var client = try? Client(to: .ipv4(.loopback, port: 9151), timeout: .seconds(5))
                let answer = try? client?.send(.get, "/metrics")
                exported = answer.map { String(decoding: $0.body, as: UTF8.self) } ?? ""
                return exported.contains("spiral_ports_exhaustion_seconds{")
            }
            let said = try exporter.text
            try #require(hasRates, "\(said) \(exported)")
            let metrics = Metrics(String(decoding: try server.admin("/metrics").body, as: UTF8.self) + exported)
            for panel in panels {
                for target in panel.targets {
                    #expect(metrics.missing(from: target.expr).isEmpty, "\(panel.title): \(target.expr)")
                }
            }
            #expect(metrics.missing(from: Self.expressions(of: rules)).isEmpty)
            // A name that is none is found.
            #expect(metrics.missing(from: "rate(spiral_lookups_sum[1m])") == ["spiral_lookups_sum"])
            #expect(metrics.missing(from: "sum by (colour) (spiral_batches_total)") == ["colour"])
        }
    }

    /// The rules without what is said to people.
    private static func expressions(of rules: String) -> String {
        let lines = rules.split(separator: "\n").filter { !$0.contains("summary:") && !$0.contains("- alert:") }
        return lines.filter { !$0.contains("- name:") && !$0.contains("severity:") && !$0.contains("#") }
            .joined(separator: "\n")
    }
}

/// The names of metrics and labels on a page.
private struct Metrics {
    private var names: Set<String> = []
    private var labels: Set<String> = []

    init(_ page: String) {
        for line in page.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            names.insert(String(line.prefix { $0 != "{" && $0 != " " }))
            guard let open = line.firstIndex(of: "{"), let close = line.lastIndex(of: "}") else { continue }
            for pair in line[line.index(after: open)..<close].split(separator: "\",") {
                labels.insert(String(pair.prefix { $0 != "=" }))
            }
        }
    }

    /// Those of an expression that are none: metrics by their beginning, labels where PromQL has them grouped.
    func missing(from expression: String) -> [String] {
        let isName: (Character) -> Bool = { $0.isLetter || $0.isNumber || $0 == "_" }
        let words = expression.split { !isName($0) }.map(String.init)
        let metrics = words.filter { $0.hasPrefix("spiral_") || $0.hasPrefix("process_") }
        var groups: [String] = []
        for part in expression.split(separator: " by (").dropFirst() {
            groups += part.prefix { $0 != ")" }.split { !isName($0) }.map(String.init)
        }
        return metrics.filter { !names.contains($0) } + groups.filter { !labels.contains($0) && $0 != "le" }
    }
}
