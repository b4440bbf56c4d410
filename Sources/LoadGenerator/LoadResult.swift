package import HTTP
internal import Text
internal import Units

/// A whole run of the load generator, as `--json` writes it.
package struct LoadResult: Codable, Sendable {
    package struct Asked: Codable, Sendable, Equatable {
        package var client: String
        package var batches: Int
    }

    package var schema = "spiral-load/2"
    package var target: String
    package var seed: UInt64
    /// Asked for, in seconds.
    package var duration: Double
    /// From the first batch due to the last one ended, in seconds.
    package var elapsed: Double
    /// Whether a signal ended it early.
    package var interrupted: Bool
    package var asked: [Asked]
    package var clients: [ClientResult]

    package init(
        target: Target,
        seed: UInt64,
        duration: Duration,
        elapsed: Duration,
        interrupted: Bool,
        specs: [ClientSpec],
        clients: [ClientResult]
    ) {
        self.target = target.description
        self.seed = seed
        self.duration = duration.inSeconds
        self.elapsed = elapsed.inSeconds
        self.interrupted = interrupted
        asked = specs.map { Asked(client: $0.description, batches: $0.schedule.count(within: duration)) }
        self.clients = clients
    }

    /// What was asked and achieved in one line, then a table of the clients.
    package var summary: [String] {
        let due = clients.reduce(0) { $0 + $1.batches }
        let planned = asked.reduce(0) { $0 + $1.batches }
        let ok = clients.reduce(0) { $0 + $1.ok }
        let unsent = clients.reduce(0) { $0 + ($1.errors["UNSENT"] ?? 0) }
        let failed = clients.reduce(0) { $0 + $1.failed } - unsent
        var lines = [
            "asked \(grouped(planned)) batches in \(rounded(duration)) s from \(clients.count) client\(clients.count == 1 ? "" : "s"); "
                + "sent \(grouped(due - unsent)), answered \(grouped(ok)), failed \(grouped(failed))"
                + (unsent > 0 ? ", not sent \(grouped(unsent))" : "")
                + (interrupted ? "; interrupted after \(rounded(elapsed)) s" : "")
        ]
        var table = TextTable(header: [
            "client", "batches", "URIs", "ok", "failed", "found", "empty", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms",
            "max ms",
        ])
        for client in clients {
            let latency = client.latencyMs
            table.add(
                [client.name]
                    + [
                        client.batches, client.uris, client.ok, client.failed, client.records.found,
                        client.records.empty,
                    ]
                    .map { grouped($0) }
                    + [latency?.p50, latency?.p90, latency?.p99, latency?.p999, latency?.max]
                    .map { $0.map { rounded($0) } ?? "-" }
            )
        }
        lines += [""] + table.lines
        for client in clients where !client.errors.isEmpty {
            let errors = client.errors.sorted { $0.key < $1.key }.map { "\($0.key) \(grouped($0.value))" }
            lines.append("\(client.name) failed: \(errors.joined(separator: ", "))")
        }
        return lines
    }
}
