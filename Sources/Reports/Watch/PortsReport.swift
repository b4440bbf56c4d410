package import KernelProbe
internal import POSIX
internal import Text

/// Shows looks at ports one after the other: on a terminal in place, elsewhere as lines that follow each other.
package struct PortsReport {
    private let view: PortView
    private let rows: Int
    /// Whether what each source address holds is named under the rows.
    private let showsSources: Bool
    private let screen: Screen?
    private var hasSaidSettings = false
    /// Single rows since the last header.
    private var sinceHeader: Int?

    /// A header again after so many single rows.
    private static let headerEach = 20

    /// - Parameters:
    ///   - rows: rows shown at most.
    ///   - screen: nil to show nothing.
    package init(view: PortView, rows: Int, showsSources: Bool = false, screen: Screen?) {
        self.view = view
        self.rows = rows
        self.showsSources = showsSources
        self.screen = screen
    }

    /// Prints the rows as they are now; nothing before the first sample.
    package mutating func show(_ trend: PortTrend) {
        guard let screen, let document = PortDocument.now(trend, view), let use = trend.latest?.use else { return }
        let outlooks = view.outlooks(trend)
        let table = PortTable(width: screen.width ?? PortTable.defaultWidth)
        let shown = document.rows.prefix(rows)
        let settings = hasSaidSettings && !screen.isLive ? [] : PortTable.settings(use.settings)
        hasSaidSettings = true
        let bystanders = [PortTable.doubts(outlooks), PortTable.bystanders(trend)].compactMap { $0 }
        let sources = showsSources ? PortTable.sources(outlooks, most: rows) : []
        let body: [String]
        if shown.isEmpty {
            body = [PortTable.totals(document, shown: 0)] + nobody(trend) + bystanders
            sinceHeader = nil
        } else if document.rows.count == 1, view.isNarrowed, !screen.isLive {
            // One row is one line a look, as vmstat's.
            let isDue = sinceHeader.map { $0 >= Self.headerEach } ?? true
            sinceHeader = isDue ? 1 : (sinceHeader ?? 0) + 1
            body = (isDue ? bystanders + [table.header] : []) + shown.map { table.line($0) } + sources
        } else {
            sinceHeader = nil
            body =
                [PortTable.totals(document, shown: shown.count), table.header]
                + shown.map { table.line($0) } + sources + bystanders
        }
        let lines = (settings + body).flatMap { $0.wrapped(to: screen.width) }
        if screen.isLive { screen.redraw(lines) } else { screen.print(lines) }
    }

    /// What to say where no row is as wanted.
    private func nobody(_ trend: PortTrend) -> [String] {
        guard view.isNarrowed else { return ["nobody has dialled anything within the last minute"] }
        let port = view.port.map { " towards port \($0)" } ?? ""
        let source = view.source.map { " from \($0)" } ?? ""
        let held = Dictionary(
            PortView().outlooks(trend).map { ($0.row.pair.destination, $0.inUse) },
            uniquingKeysWith: +
        )
        let busiest = held.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(3)
            .map { "\($0.key) (\(grouped($0.value)))" }
        let rest = busiest.isEmpty ? "nor anywhere else" : "the busiest are \(busiest.joined(separator: ", "))"
        return ["nobody dials\(port)\(source); \(rest)"]
    }
}

extension PortDocument {
    /// As of now; nil before the first look.
    package static func now(_ trend: PortTrend, _ view: PortView) -> PortDocument? {
        PortDocument(
            trend,
            view,
            time: CivilTime.text(nanosecondsSince1970: RealTime.nanosecondsSince1970),
            at: .now
        )
    }
}
