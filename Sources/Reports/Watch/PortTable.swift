package import KernelProbe
internal import POSIX
internal import Text
internal import Units

/// What `spiral ports` shows of a look, and `spiral top` of a server's ports.
package struct PortTable {
    private struct Column {
        var title: String
        /// Characters; those with a negative width stand to the left.
        var width: Int
        /// Which goes first where there is no room: the highest. Nil for one that stays.
        var dispensable: Int?
    }

    /// For whoever names no width: what a terminal of 80 columns has room for.
    package static let defaultWidth = 79
    /// Of the longest source and the longest destination, which IPv6 has.
    private static let longest = (source: 39, destination: 47)
    private static let shortest = (source: 8, destination: 10)

    private let columns: [Column]

    /// - Parameter width: characters a line may have; columns that do not fit are left out.
    package init(width: Int = PortTable.defaultWidth) {
        var columns = [
            Column(title: "source", width: -15), Column(title: "destination", width: -21),
            Column(title: "ports", width: 6, dispensable: 2), Column(title: "%", width: 3),
            Column(title: "TW", width: 6, dispensable: 3), Column(title: "by src", width: 6, dispensable: 4),
            Column(title: "conn/s", width: 6, dispensable: 1), Column(title: "left", width: 9),
        ]
        func taken() -> Int { columns.reduce(columns.count - 1) { $0 + abs($1.width) } }
        func least() -> Int {
            taken() + columns[0].width + columns[1].width + Self.shortest.source + Self.shortest.destination
        }
        while least() > width,
            let last = columns.indices.max(by: { (columns[$0].dispensable ?? 0) < (columns[$1].dispensable ?? 0) }),
            columns[last].dispensable != nil
        {
            columns.remove(at: last)
        }
        // What is left over, or too much, is the addresses': most of it the longer one's.
        let room = max(
            Self.shortest.source + Self.shortest.destination,
            width - taken() - columns[0].width - columns[1].width
        )
        let source = min(Self.longest.source, max(Self.shortest.source, room * 15 / 36))
        columns[0].width = -source
        columns[1].width = -min(Self.longest.destination, room - source)
        self.columns = columns
    }

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

    package var header: String { line(columns.map(\.title)) }

    /// A row of the table.
    package func line(_ figures: PortFigures) -> String {
        let cells = [
            "source": figures.source.printable, "destination": figures.destination.printable,
            "ports": grouped(figures.inUse),
            "%": "\(figures.percentUsed)", "TW": grouped(figures.timeWait), "by src": grouped(figures.sourceInUse),
            "conn/s": figures.connectsPerSecond.map(Self.rate) ?? "-", "left": Self.left(figures),
        ]
        return line(columns.map { cells[$0.title] ?? "" })
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

    /// What is to be said of rows that hold every port, where nobody knows whether the next dial takes one again.
    package static func doubts(_ outlooks: [PortOutlook]) -> String? {
        let doubtful = outlooks.filter { $0.state == .unknown && $0.free == 0 && $0.row.freeAtMost > 0 }
        guard let first = doubtful.first else { return nil }
        return
            "from \(first.row.pair.source): bind() finds no port, connect() takes \(grouped(first.row.freeAtMost)) again; "
            + "which of them its program calls is not known"
    }

    /// What dials that bind nothing are in for, where others' ports take half of theirs or more; nil otherwise.
    package static func bystanders(_ trend: PortTrend) -> String? {
        guard let use = trend.latest?.use, use.bound.held * 2 >= use.settings.range.ports, let newPair = trend.newPair
        else { return nil }
        if use.settings.range.ports == 0 { return "all ports of the range are reserved: every dial fails" }
        let bound = "bind() chose \(grouped(use.bound.held)) ports"
        return newPair.state == .exhausted
            ? "\(bound), all there are: every dial that binds nothing fails"
            : "\(bound): dials that bind nothing have \(grouped(newPair.free)) left"
    }

    private static func left(_ figures: PortFigures) -> String {
        switch figures.state {
        case .exhausted: "exhausted"
        case .unknown: "-"
        case .draining, .steady, .filling: figures.secondsLeft.map(time) ?? figures.state.rawValue
        }
    }

    private static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(rounded(max(0, seconds))) s"
        case ..<7200: "\(rounded(seconds / 60)) min"
        case ..<172_800: "\(rounded(seconds / 3600)) h"
        default: "\(rounded(min(seconds / 86_400, 999))) d"
        }
    }

    private static func rate(_ number: Double) -> String {
        number < 100 ? rounded((number * 10).rounded() / 10) : grouped(Int(min(number, 1e15).rounded()))
    }

    /// Long IPv6 addresses lose their middle, and keep their port; JSON has all of them.
    private static func shortened(_ text: String, _ width: Int) -> String {
        guard text.count > width else { return text }
        let end = (width - 1) * 2 / 3
        return text.prefix(width - 1 - end) + "…" + text.suffix(end)
    }

    /// - Parameter cells: one for each column.
    private func line(_ cells: [String]) -> String {
        zip(cells, columns).map { cell, column in
            let text = column.width < 0 ? Self.shortened(cell, -column.width) : cell
            let space = String(repeating: " ", count: max(0, abs(column.width) - text.count))
            return column.width < 0 ? text + space : space + text
        }.joined(separator: " ")
    }
}
