internal import LoadGenerator
internal import PostRecords
package import Results
internal import Text

/// What a run shows, told from its own figures: what was asked, what ran out, what share failed, and what each change
/// did. A figure that was not measured is left out.
package struct RunStory: Sendable {
    /// The first one tells the worst phase; then follow what callers had of it, and one for each change.
    package private(set) var sentences: [String] = []
    /// Whether the ports of one source address ran out, and lookups failed for it.
    package private(set) var ranOut = false

    package init(_ run: RunResult) {
        let phases = run.phases.filter { $0.lookups.total > 0 || $0.clients.contains { $0.batches > 0 } }
        guard !phases.isEmpty else { return }
        guard let worst = Self.worst(of: phases) else {
            sentences = [Self.calm(phases)] + Self.changes(in: run, phases, told: 0)
            return
        }
        ranOut = phases.contains(where: \.failedForPorts)
        sentences.append(Self.incident(phases[worst], before: worst > 0 ? phases[worst - 1] : nil))
        if let callers = Self.callers(phases[worst], before: phases[..<worst]) { sentences.append(callers) }
        if let deaths = Self.deaths(run) { sentences.append(deaths) }
        sentences += Self.changes(in: run, phases, told: worst)
    }

    /// The first phase that failed most, or nearly so; nil where nothing failed.
    private static func worst(of phases: [PhaseResult]) -> Int? {
        guard let most = phases.compactMap(\.failedShare).max(), most > 0 else { return nil }
        return phases.firstIndex { ($0.failedShare ?? 0) >= max(most - 0.01, most / 2) }
    }

    /// What was asked, what there was, and what became of it.
    private static func incident(_ phase: PhaseResult, before: PhaseResult?) -> String {
        let changes = before.map { PhaseChange(from: $0, to: phase).brackets } ?? ""
        let share = Share(phase.lookups.failed, of: phase.lookups.total)
        let failed = "\(share) of \(grouped(phase.lookups.total)) lookups failed\(phase.failedWith)"
        let wanted = phase.dials.ok + phase.dials.failed
        var text = "\(phase.name)\(changes): "
        if let sent = phase.largestBatches { text += "\(sent)" }
        guard phase.failedForPorts else {
            let ports =
                phase.portsInUsePeak < phase.portsCapacity
                ? "; ports did not run out (\(grouped(phase.portsInUsePeak)) of \(grouped(phase.portsCapacity)) in use at most)"
                : ""
            return text + (phase.largestBatches == nil ? "" : "; ") + failed + ports + "."
        }
        text += (phase.largestBatches == nil ? "" : ", and ") + "\(grouped(wanted)) new connections were tried"
        text += "; one source address has \(grouped(phase.portsCapacity)) ephemeral ports. "
        text += "They ran out" + (phase.exhaustion?.measured.map { " within \(rounded(max($0, 0.1))) s" } ?? "")
        return text + ", and \(failed)."
    }

    /// What the small callers had of it, as far as they have an SLO.
    private static func callers(_ phase: PhaseResult, before: ArraySlice<PhaseResult>) -> String? {
        let texts = phase.smallClients.compactMap { client -> String? in
            guard let slo = client.slo, let percent = slo.percent else { return nil }
            let earlier = before.lazy.compactMap { old in
                old.clients.first { $0.name == client.name }?.slo?.percent.map { (old.name, $0) }
            }.first
            let text =
                "\(client.name) had \(Share(percent: percent)) of its batches complete within \(rounded(slo.ms)) ms"
            return text + (earlier.map { ", against \(Share(percent: $0.1)) in \($0.0)" } ?? "")
        }
        return texts.isEmpty ? nil : texts.joined(separator: "; ") + "."
    }

    private static func deaths(_ run: RunResult) -> String? {
        let deaths = run.events.filter { $0.kind == .death }
        guard let first = deaths.first else { return nil }
        let again =
            deaths.count > 1 ? ", and \(deaths.count - 1) more \(deaths.count == 2 ? "time" : "times") later" : ""
        let known = "the server ended: "
        let reason = first.text.hasPrefix(known) ? String(first.text.dropFirst(known.count)) : first.text
        return "The server ended at \(rounded(first.at)) s (\(reason))\(again)."
    }

    /// A run in which nothing failed.
    private static func calm(_ phases: [PhaseResult]) -> String {
        let total = phases.reduce(0) { $0 + $1.lookups.total }
        guard total > 0 else { return "Nothing was looked up." }
        let busiest = phases.max { $0.portsInUsePeak < $1.portsInUsePeak }!
        let share = Share(busiest.portsInUsePeak, of: busiest.portsCapacity)
        return
            "No lookup failed: \(grouped(total)) lookups in \(phases.count) \(phases.count == 1 ? "phase" : "phases"); "
            + "at most \(share) of the \(grouped(busiest.portsCapacity)) ephemeral ports of one source address were in use (\(busiest.name))."
    }

    /// One sentence for each phase with other settings than the one before it, and for what was changed by hand. Where
    /// several phases lead to the one that is told already, the first of them is what they are compared with.
    private static func changes(in run: RunResult, _ phases: [PhaseResult], told: Int) -> [String] {
        var sentences: [String] = []
        for (index, phase) in phases.enumerated() {
            let change = PhaseChange(from: phases[max(0, index - 1)], to: phase)
            if index != told, !change.isEmpty || index == 0 && told > 1 {
                sentences.append("\(phase.name)\(change.brackets): \(change.effects.joined(separator: "; ")).")
            }
            sentences += HandChanges(run, in: phase).sentences
        }
        return sentences
    }
}

extension PhaseResult {
    /// Lookups that failed, from 0 to 1; nil where none ended.
    var failedShare: Double? { lookups.total > 0 ? Double(lookups.failed) / Double(lookups.total) : nil }

    /// Whether lookups failed for lack of a port.
    var failedForPorts: Bool { ["EADDRINUSE", "EADDRNOTAVAIL"].contains { (lookups.errors[$0] ?? 0) > 0 } }

    /// The error that most lookups failed with, in words.
    var failedWith: String {
        guard let error = lookups.errors.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), error.value > 0 else {
            return ""
        }
        let others = lookups.errors.values.count { $0 > 0 } - 1
        let meaning = Self.meanings[error.key].map { " (\($0))" } ?? ""
        return others > 0 ? ", most of them with \(error.key)\(meaning)" : " with \(error.key)\(meaning)"
    }

    private static let meanings = [
        "EADDRINUSE": "no free port for bind()", "EADDRNOTAVAIL": "no free port for connect()",
        "EMFILE": "the process had no file descriptor left", "ETIMEDOUT": "no answer in time",
        "ECONNREFUSED": "nobody listened", "EOF": "memcached closed the connection",
        "ECONNRESET": "memcached reset the connection",
    ]

    /// The client with the largest batches.
    private var largestClient: ClientResult? {
        clients.filter { $0.batches > 0 }
            .max { Double($0.uris) / Double($0.batches) < Double($1.uris) / Double($1.batches) }
    }

    /// What that client sent.
    var largestBatches: String? {
        guard let client = largestClient else { return nil }
        let size = client.uris / client.batches
        guard size > 0 else { return nil }
        let about = client.uris % client.batches == 0 ? "" : "about "
        let batches = client.batches == 1 ? "a batch" : "\(grouped(client.batches)) batches"
        return "\(client.name) sent \(batches) of \(about)\(grouped(size)) \(size == 1 ? "URI" : "URIs")"
    }

    /// All clients but the one with the largest batches; that one where it is alone.
    var smallClients: [ClientResult] {
        let largest = clients.count > 1 ? largestClient?.name : nil
        return clients.filter { $0.name != largest && $0.batches > 0 }
    }
}
