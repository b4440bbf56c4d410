internal import LoadGenerator
internal import PostRecords
internal import Results
internal import Scenarios
internal import Text

/// The phases of a run side by side: a column each, so that it fits a narrow terminal.
enum PhaseTable {
    private static let shownWhereSeen: Set = ["lookups.unreadable", "lookups.retries", "lookups.duplicates"]

    static func lines(_ phases: [PhaseResult]) -> [String] {
        var table = TextTable(header: [""] + phases.map(\.name))
        func add(_ measure: Measure<PhaseResult>) {
            guard let row = measure.row else { return }
            // Like an error, it has a row where it happened.
            if Self.shownWhereSeen.contains(measure.name), phases.allSatisfy({ measure.value($0) == 0 }) { return }
            table.add([row] + phases.map(measure.text))
        }
        for measure in Measures.ofPhases {
            add(measure)
            // Each kind of error has a row of its own.
            guard measure.name == "lookups.errors" else { continue }
            for name in Set(phases.flatMap(\.lookups.errors.keys)).sorted() { add(Measures.errors(name)) }
        }
        var names: [String] = []
        for client in phases.flatMap(\.clients) where !names.contains(client.name) { names.append(client.name) }
        for name in names {
            func row(_ title: String, _ cell: (ClientResult) -> String) {
                table.add([title] + phases.map { $0.clients.first { $0.name == name }.map(cell) ?? "-" })
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
        return table.lines
    }
}
