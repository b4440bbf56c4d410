internal import LoadGenerator
internal import PostRecords

/// The phases of a run side by side: a column each, so that it fits a narrow terminal.
enum PhaseTable {
    static func lines(_ phases: [PhaseResult]) -> [String] {
        var table = TextTable(header: [""] + phases.map(\.name))
        func row(_ name: String, _ cell: (PhaseResult) -> String) {
            table.add([name] + phases.map(cell))
        }
        row("lookups") { grouped($0.lookups.total) }
        row("  found") { grouped($0.lookups.hits) }
        row("  missed") { grouped($0.lookups.misses) }
        if phases.contains(where: { $0.lookups.unreadable > 0 }) {
            row("  unreadable") { grouped($0.lookups.unreadable) }
        }
        let errors = Set(phases.flatMap(\.lookups.errors.keys)).sorted()
        for name in errors {
            row("  \(name)") { grouped($0.lookups.errors[name] ?? 0) }
        }
        row("in flight, peak") { grouped($0.inFlightPeak) }
        row("dials expected") { $0.dials.expected.map { grouped($0) } ?? "-" }
        row("dials made") { grouped($0.dials.ok) }
        row("dials failed") { grouped($0.dials.failed) }
        row("TIME_WAIT, peak") { grouped($0.timeWaitPeak) }
        row("ports an address") { grouped($0.portsCapacity) }
        row("error lines") { grouped($0.logLines.written) }
        row("server threads") { grouped($0.threadsPeak) }
        row("server MiB") { grouped($0.rssPeakBytes >> 20) }
        var names: [String] = []
        for client in phases.flatMap(\.clients) where !names.contains(client.name) { names.append(client.name) }
        for name in names {
            func client(_ phase: PhaseResult) -> ClientResult? { phase.clients.first { $0.name == name } }
            row("\(name) answered") { phase in client(phase).map { "\(grouped($0.ok))/\(grouped($0.batches))" } ?? "-" }
            row("  p50 ms") { phase in client(phase).map { rounded($0.latencyMs.p50) } ?? "-" }
            row("  p99 ms") { phase in client(phase).map { rounded($0.latencyMs.p99) } ?? "-" }
            if let promise = phases.lazy.compactMap({ client($0)?.slo }).first {
                row("  whole in \(rounded(promise.ms)) ms") { phase in
                    client(phase)?.slo.map { "\(rounded($0.percent))%" } ?? "-"
                }
            }
        }
        return table.lines
    }
}
