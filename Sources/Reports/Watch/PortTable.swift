package import KernelProbe
internal import POSIX
internal import Text
internal import Units

/// What `spiral ports` shows of a look: lines of at most 80 columns.
package enum PortTable {
    /// Those with a negative width stand to the left.
    private static let columns: [(title: String, width: Int)] = [
        ("source", -15), ("destination", -21), ("ports", 6), ("%", 3), ("TW", 6), ("by src", 6),
        ("conn/s", 6), ("left", 9),
    ]

    /// What the namespace has set.
    package static func settings(_ settings: NamespaceSettings) -> [String] {
        let range = settings.range
        let reserved = range.reservedCount > 0 ? ", \(grouped(range.reservedCount)) reserved" : ""
        func said(_ name: String, _ value: String?) -> String? { value.map { "\(name) \($0)" } }
        let delay = settings.twReuseDelay.map { " after \($0.text)" } ?? ""
        let sysctls = [
            said("tcp_tw_reuse", settings.twReuse.map { "\($0)" + ($0 > 0 ? delay : "") }),
            said("tcp_max_tw_buckets", settings.maxTimeWaitBuckets.map(grouped)),
            said("ip_autobind_reuse", settings.autobindReuse.map { $0 ? "1" : "0" }),
        ].compactMap { $0 }
        return [
            "ports \(range.lowestPort)-\(range.highestPort)\(reserved): \(grouped(range.ports)) a source address, "
                + "\(rounded(range.sustainableDialsPerSecond)) conn/s",
            sysctls.joined(separator: ", "),
        ]
    }

    package static var header: String { line(columns.map(\.title)) }

    /// A row of the table.
    package static func line(_ outlook: PortOutlook) -> String {
        let row = outlook.row
        return line([
            shortened("\(row.pair.source)", 15), shortened("\(row.pair.destination)", 21), grouped(outlook.inUse),
            // Rounded down, so that 100 is said of nothing less.
            "\(Int(outlook.used * 100))",
            grouped(outlook.inUse - min(row.open, outlook.inUse)), grouped(outlook.sourceInUse),
            outlook.connectsPerSecond.map(rate) ?? "-", left(outlook),
        ])
    }

    /// All rows together.
    package static func totals(_ document: PortDocument, shown: Int) -> String {
        let totals = document.totals
        let rest = totals.rows > shown ? ", \(grouped(shown)) shown" : ""
        let rate = document.namespace.connectsPerSecond.map { "\(Self.rate($0)) conn/s" } ?? "- conn/s"
        return "\(document.time)  \(grouped(totals.rows)) rows\(rest), \(grouped(totals.sources)) sources, "
            + "\(grouped(totals.open)) open, \(grouped(totals.timeWait)) TW, \(rate)"
    }

    /// What the source addresses of rows hold, those with most first.
    package static func sources(_ outlooks: [PortOutlook], most: Int) -> [String] {
        let held = Dictionary(outlooks.map { ($0.row.pair.source, $0.sourceInUse) }, uniquingKeysWith: max)
        return held.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(most)
            .map { "    \($0.key) \(grouped($0.value))" }
    }

    /// What dials that bind nothing are in for, where others' ports take half of theirs or more; nil otherwise.
    package static func bystanders(_ trend: PortTrend) -> String? {
        guard let use = trend.latest?.use, use.bound.held * 2 >= use.settings.range.ports, let newPair = trend.newPair
        else { return nil }
        let bound = "bind() chose \(grouped(use.bound.held)) ports"
        return newPair.state == .exhausted
            ? "\(bound), all there are: every dial that binds nothing fails"
            : "\(bound): dials that bind nothing have \(grouped(newPair.free)) left"
    }

    private static func left(_ outlook: PortOutlook) -> String {
        switch outlook.state {
        case .exhausted: "exhausted"
        case .unknown: "-"
        case .draining, .steady, .filling: outlook.secondsLeft.map(time) ?? outlook.state.rawValue
        }
    }

    private static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(rounded(seconds)) s"
        case ..<7200: "\(rounded(seconds / 60)) min"
        case ..<172_800: "\(rounded(seconds / 3600)) h"
        default: "\(rounded(min(seconds / 86_400, 999))) d"
        }
    }

    private static func rate(_ number: Double) -> String {
        number < 100 ? rounded((number * 10).rounded() / 10) : grouped(Int(number.rounded()))
    }

    /// Long IPv6 addresses lose their middle; JSON has all of them.
    private static func shortened(_ text: String, _ width: Int) -> String {
        guard text.count > width else { return text }
        let end = (width - 1) * 2 / 3
        return text.prefix(width - 1 - end) + "…" + text.suffix(end)
    }

    /// - Parameter cells: one for each column.
    private static func line(_ cells: [String]) -> String {
        zip(cells, columns).map { cell, column in
            let space = String(repeating: " ", count: max(0, abs(column.width) - cell.count))
            return column.width < 0 ? cell + space : space + cell
        }.joined(separator: " ")
    }
}
