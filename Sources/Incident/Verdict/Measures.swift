internal import LoadGenerator
internal import PostRecords

/// The numbers of a phase under the names its JSON has for them.
enum Measures {
    static let general = [
        "lookups.hits", "lookups.misses", "lookups.errors", "lookups.unreadable", "lookups.total", "dials.ok",
        "dials.failed",
        "dials.expected",
        "writeBacks.ok", "inFlightPeak", "timeWaitPeak", "portsCapacity", "portsInUsePeak", "threadsPeak",
        "rssPeakBytes",
        "logLines.written", "logLines.dropped", "logLines.suppressed", "logLines.waiting", "restarts", "duration",
        "refusals",
    ]
    static let ofClients = [
        "batches", "uris", "ok", "failed", "records.found", "records.empty", "latencyMs.p50", "latencyMs.p90",
        "latencyMs.p99", "latencyMs.p999", "latencyMs.max", "slo.percent",
    ]

    /// Why a name is none, or nil when it is one.
    static func problem(_ name: String, clients: [String]) -> String? {
        if general.contains(name) { return nil }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 3, parts[0] == "lookups", parts[1] == "errors", !parts[2].isEmpty { return nil }
        let all = general + clients.flatMap { client in ofClients.map { "clients.\(client).\($0)" } }
        if all.contains(name) { return nil }
        let hint = nearest(name, of: all).map { "did you mean '\($0)'?" }
        return "there is no '\(name)'; \(hint ?? "'spiral run --schema' lists the names")"
    }

    /// The value of a name of a phase; an error that did not happen is 0, and so is what a client that
    /// was not there did.
    static func value(_ name: String, of phase: PhaseResult) -> Double {
        if let client = phase.clients.first(where: { name.hasPrefix("clients.\($0.name).") }) {
            return value(String(name.dropFirst(9 + client.name.count)), of: client)
        }
        let whole: Int =
            switch name {
            case "lookups.hits": phase.lookups.hits
            case "lookups.misses": phase.lookups.misses
            case "lookups.errors": phase.lookups.failed
            case "lookups.unreadable": phase.lookups.unreadable
            case "lookups.total": phase.lookups.total
            case "dials.ok": phase.dials.ok
            case "dials.failed": phase.dials.failed
            case "dials.expected": phase.dials.expected ?? 0
            case "writeBacks.ok": phase.writeBacks.ok
            case "inFlightPeak": phase.inFlightPeak
            case "timeWaitPeak": phase.timeWaitPeak
            case "portsCapacity": phase.portsCapacity
            case "portsInUsePeak": phase.portsInUsePeak
            case "threadsPeak": phase.threadsPeak
            case "rssPeakBytes": phase.rssPeakBytes
            case "logLines.written": phase.logLines.written
            case "logLines.dropped": phase.logLines.dropped
            case "logLines.suppressed": phase.logLines.suppressed
            case "logLines.waiting": phase.logLines.waiting
            case "restarts": phase.restarts
            case "duration": Int(phase.duration)
            case "refusals": phase.refusals.values.reduce(0, +)
            default: phase.lookups.errors[String(name.dropFirst("lookups.errors.".count))] ?? 0
            }
        return Double(whole)
    }

    private static func value(_ name: String, of client: ClientResult) -> Double {
        switch name {
        case "batches": Double(client.batches)
        case "uris": Double(client.uris)
        case "ok": Double(client.ok)
        case "failed": Double(client.failed)
        case "records.found": Double(client.records.found)
        case "records.empty": Double(client.records.empty)
        case "latencyMs.p50": client.latencyMs.p50
        case "latencyMs.p90": client.latencyMs.p90
        case "latencyMs.p99": client.latencyMs.p99
        case "latencyMs.p999": client.latencyMs.p999
        case "slo.percent": client.slo?.percent ?? 100
        default: client.latencyMs.max
        }
    }
}
