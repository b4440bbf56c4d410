internal import LoadGenerator
internal import PostRecords
internal import Results
internal import Scenarios
internal import Text

/// The phases of a run side by side, a column each.
struct PhaseTable {
    /// What a row is of: a failure is shown as one.
    private enum Kind { case plain, failure }

    private static let shownWhereSeen: Set = ["lookups.unreadable", "lookups.retries", "lookups.duplicates"]

    private var rows: [(cells: [String], kind: Kind)] = []
    private let header: [String]

    init(_ phases: [PhaseResult]) {
        header = [""] + phases.map(\.name)
        for measure in Measures.ofPhases {
            add(measure, phases)
            // Each kind of error has a row of its own.
            guard measure.name == "lookups.errors" else { continue }
            for name in Set(phases.flatMap(\.lookups.errors.keys)).sorted() {
                add(Measures.errors(name), phases, .failure)
            }
        }
        var names: [String] = []
        for client in phases.flatMap(\.clients) where !names.contains(client.name) { names.append(client.name) }
        for name in names { add(client: name, phases) }
    }

    private mutating func add(_ measure: Measure<PhaseResult>, _ phases: [PhaseResult], _ kind: Kind = .plain) {
        guard let row = measure.row else { return }
        // Like an error, it has a row where it happened.
        if Self.shownWhereSeen.contains(measure.name), phases.allSatisfy({ measure.value($0) == 0 }) { return }
        rows.append(([row] + phases.map(measure.text), kind))
    }

    private mutating func add(client name: String, _ phases: [PhaseResult]) {
        func row(_ title: String, _ cell: (ClientResult) -> String) {
            rows.append(([title] + phases.map { $0.clients.first { $0.name == name }.map(cell) ?? "-" }, .plain))
        }
        row("\(name) answered") { "\(grouped($0.ok))/\(grouped($0.batches))" }
        let slo = phases.lazy.flatMap(\.clients).filter { $0.name == name }.compactMap(\.slo).first
        for measure in Measures.ofClients {
            guard let title = measure.row else { continue }
            if !measure.needsSLO {
                row("  \(title)", measure.text)
            } else if let slo {
                row("  \(title) \(rounded(slo.ms)) ms", measure.text)
            }
        }
    }

    /// - Parameter width: characters a line may have; nil for any number.
    func lines(fitting width: Int?) -> [ScreenLine] {
        var table = TextTable(header: header)
        for row in rows { table.add(row.cells) }
        let kinds = [Kind.plain] + rows.map(\.kind)
        let blocks = table.blocks(fitting: width).map { block in
            zip(block, kinds).map { line, kind in
                let failed = kind == .failure && line.contains { $0.isNumber && $0 != "0" }
                return ScreenLine(line, failed ? .bad : .plain)
            }
        }
        return Array(blocks.joined(separator: [""]))
    }

    /// As a table in Markdown.
    var markdown: [String] {
        MarkdownTable.lines(header: header, rows: rows.map(\.cells))
    }
}
