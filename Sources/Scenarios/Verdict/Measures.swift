package import LoadGenerator
internal import Memcached
internal import POSIX
internal import PostRecords
package import Results
internal import Text
internal import Units

/// The one table of measures: what expectations, tables and comparisons know of a phase.
package enum Measures {
    package static let ofPhases: [Measure<PhaseResult>] = [
        .init("lookups.total", row: "lookups", counting: { $0.lookups.total }),
        .init(
            "lookups.hits",
            row: "  found",
            change: .init(name: "records found, % of lookups", floor: 0.5, worse: .less, basis: .shareOfLookups),
            counting: { $0.lookups.hits }
        ),
        .init("lookups.misses", row: "  missed", counting: { $0.lookups.misses }),
        .init(
            "lookups.unreadable",
            row: "  unreadable",
            change: .init(name: "unreadable, % of lookups", floor: 0.5, worse: .more, basis: .shareOfLookups),
            counting: { $0.lookups.unreadable }
        ),
        .init("lookups.retries", row: "  tried again", counting: { $0.lookups.retries }),
        .init("lookups.duplicates", row: "duplicates", counting: { $0.lookups.duplicates }),
        .init(
            "lookups.errors",
            change: .init(name: "failed, % of lookups", floor: 0.5, worse: .more, basis: .shareOfLookups)
        ) {
            $0.lookups.total > 0 ? Double($0.lookups.failed) : nil
        },
        .init(
            "inFlightPeak",
            row: "in flight, peak",
            change: .init(name: "in flight, peak", floor: 50, worse: .neither, basis: .machine),
            counting: { $0.inFlightPeak }
        ),
        .init("dials.expected", row: "connections expected", counting: { $0.dials.expected }),
        .init(
            "dials.ok",
            row: "connections opened",
            change: .init(name: "connections opened, % of lookups", floor: 2, worse: .more, basis: .shareOfLookups),
            counting: { $0.dials.ok }
        ),
        .init("dials.failed", row: "connections failed", counting: { $0.dials.failed }),
        .init(
            "timeWaitPeak",
            row: "TIME_WAIT, peak",
            change: .init(name: "TIME_WAIT, peak", floor: 50, worse: .more, basis: .work),
            counting: { $0.timeWaitPeak }
        ),
        .init("portsCapacity", row: "ports per source IP", counting: { $0.portsCapacity }),
        .init("portsInUsePeak", counting: { $0.portsInUsePeak }),
        .init("writeBacks.ok", counting: { $0.writeBacks.ok }),
        .init("logLines.written", row: "error lines", counting: { $0.logLines.written }),
        .init("logLines.dropped", counting: { $0.logLines.dropped }),
        .init("logLines.suppressed", counting: { $0.logLines.suppressed }),
        .init("logLines.waiting", counting: { $0.logLines.waiting }),
        .init(
            "threadsPeak",
            row: "server threads",
            change: .init(name: "threads, peak", floor: 10, worse: .more, basis: .machine),
            counting: { $0.threadsPeak }
        ),
        .init(
            "rssPeakBytes",
            .bytes,
            row: "server MiB",
            change: .init(name: "memory, peak MiB", floor: 20, worse: .more, basis: .machine)
        ) { $0.rssPeakBytes.map { Double($0) } },
        .init(
            "restarts",
            change: .init(name: "restarts", floor: 0.5, worse: .more, basis: .work),
            counting: { $0.restarts }
        ),
        .init("refusals", counting: { $0.refusals.values.reduce(0, +) }),
        .init("duration", .seconds) { $0.duration },
    ]

    package static let ofClients: [Measure<ClientResult>] = [
        .init("batches", counting: { $0.batches }),
        .init("uris", counting: { $0.uris }),
        .init("ok", counting: { $0.ok }),
        .init(
            "failed",
            change: .init(name: "batches failed", floor: 0.5, worse: .more, basis: .work),
            counting: { $0.failed }
        ),
        .init("records.found", counting: { $0.records.found }),
        .init("records.empty", counting: { $0.records.empty }),
        .init(
            "latencyMs.p50",
            .milliseconds,
            row: "p50 ms",
            change: .init(name: "p50 ms", floor: 1, worse: .more, basis: .machine)
        ) {
            $0.latencyMs?.p50
        },
        .init("latencyMs.p90", .milliseconds) { $0.latencyMs?.p90 },
        .init(
            "latencyMs.p99",
            .milliseconds,
            row: "p99 ms",
            change: .init(name: "p99 ms", floor: 1, worse: .more, basis: .machine)
        ) {
            $0.latencyMs?.p99
        },
        .init("latencyMs.p999", .milliseconds) { $0.latencyMs?.p999 },
        .init("latencyMs.max", .milliseconds) { $0.latencyMs?.max },
        .init(
            "slo.percent",
            .percent,
            row: "complete within",
            change: .init(name: "complete within the SLO, %", floor: 2, worse: .less)
        ) { $0.slo?.percent },
    ]

    private static let errorPrefix = "lookups.errors."

    /// Lookups that failed under one name: one that is not among those counted is a true 0, unless nothing was counted.
    package static func errors(_ name: String) -> Measure<PhaseResult> {
        Measure(errorPrefix + name, row: "  \(name)") { phase in
            phase.lookups.total > 0 ? Double(phase.lookups.errors[name] ?? 0) : nil
        }
    }

    /// The measure of a name as an expectation has it: of a phase, of an error, or of a client.
    /// - Parameter clients: that send in the phase.
    /// - Throws: ``UnitTextError`` with the reason why there is none.
    static func named(_ name: String, clients: [ClientSpec]) throws(UnitTextError) -> Measure<PhaseResult> {
        if let measure = ofPhases.first(where: { $0.name == name }) { return measure }
        if name.hasPrefix(errorPrefix), name.count > errorPrefix.count {
            let error = String(name.dropFirst(errorPrefix.count))
            if let meant = misspelt(error) { throw problem(name, "did you mean '\(errorPrefix)\(meant)'?") }
            return errors(error)
        }
        // A name may hold dots, and begin with all of another: the longest that fits is meant.
        for client in clients.sorted(by: { $0.name.count > $1.name.count }) {
            let prefix = "clients.\(client.name)."
            guard name.hasPrefix(prefix),
                let measure = ofClients.first(where: { $0.name == name.dropFirst(prefix.count) })
            else { continue }
            guard client.slo != nil || !measure.needsSLO else {
                throw problem(name, "caller \(client.name) has no SLO; add slo=DURATION to it")
            }
            return Measure<PhaseResult>(name, measure.unit) { phase in
                phase.clients.first { $0.name == client.name }.flatMap(measure.value)
            }
        }
        let all =
            ofPhases.map(\.name) + clients.flatMap { client in ofClients.map { "clients.\(client.name).\($0.name)" } }
        let hint = nearest(name, of: all).map { "did you mean '\($0)'?" }
        throw problem(name, "there is no '\(name)'; \(hint ?? "'spiral run --schema' lists the names")")
    }

    private static func problem(_ name: String, _ reason: String) -> UnitTextError {
        UnitTextError(text: name, expected: "a name of the result: \(reason)")
    }

    /// The names a failed lookup is counted under, as far as they are the kernel's: more than any kernel has.
    private static let errnos = Set((1..<200).map { SystemCallError.name(of: $0) } + ["EOF", "OPEN_WAIT", "CANCELLED"])

    /// The name of an error that a name is nearly, and which it can only have been meant to be.
    private static func misspelt(_ error: String) -> String? {
        errnos.contains(error) ? nil : nearest(error, of: errnos.sorted())
    }
}
