internal import Text

extension LoadResult {
    /// What was asked and achieved, in one line.
    package var outcome: String {
        let counts = asked.compactMap(\.batches)
        let planned = counts.count == asked.count ? "\(grouped(counts.reduce(0, +))) batches" : "batches"
        return
            "asked \(planned) in \(rounded(duration)) s from \(clients.count) caller\(clients.count == 1 ? "" : "s"); "
            + "sent \(grouped(due - unsent)), answered \(grouped(answered)), failed \(grouped(failed))"
            + (unanswered > 0 ? ", unanswered \(grouped(unanswered))" : "")
            + (unsent > 0 ? ", not sent \(grouped(unsent))" : "")
            + (interrupted ? "; interrupted after \(rounded(elapsed)) s" : "; took \(rounded(elapsed)) s")
            + (elapsed > 0 ? ", \(rounded(Double(answered) / elapsed)) answers/s" : "")
    }

    /// ``outcome``, then tables of the clients and of their latencies.
    package var summary: [String] {
        var lines = [outcome, ""]
        lines += countTable.lines + [""] + latencyTable.lines
        for client in clients where !client.errors.isEmpty {
            let errors = client.errors.sorted { $0.key < $1.key }.map { "\($0.key) \(grouped($0.value))" }
            lines.append("\(client.name) failed: \(errors.joined(separator: ", "))")
        }
        lines += ["", connectionLine]
        for generator in generators {
            lines.append(
                "generator: \(rounded(generator.cpuPercent))% of a processor, its sender \(rounded(generator.senderCpuPercent))%; "
                    + "\(generator.threads) threads, \(grouped(generator.rssPeakBytes >> 20)) MiB"
            )
        }
        lines.append(invalidBecause.map { "INVALID: \($0)" } ?? "valid: the generator kept up")
        return lines
    }

    private var countTable: TextTable {
        var table = TextTable(header: [
            "caller", "due", "URIs", "answered", "failed", "unanswered", "not sent", "found", "empty", "in SLO",
        ])
        for client in clients {
            table.add(
                [client.name]
                    + [
                        client.due, client.uris, client.answered, client.failed, client.unanswered, client.unsent,
                        client.records.found, client.records.empty,
                    ]
                    .map { grouped($0) } + [client.slo?.percent.map { "\(rounded($0))%" } ?? "-"]
            )
        }
        return table
    }

    private var latencyTable: TextTable {
        var table = TextTable(header: ["ms", "p50", "p90", "p99", "p99.9", "max"])
        // Microseconds where two digits would be none.
        func text(_ value: Double) -> String {
            value < 0.1 ? "\((value * 1000).rounded() / 1000)" : rounded(value)
        }
        func add(_ name: String, _ latency: ClientResult.Latency?) {
            let values = [latency?.p50, latency?.p90, latency?.p99, latency?.p999, latency?.max]
            table.add([name] + values.map { $0.map { text($0) } ?? "-" })
        }
        for client in clients {
            add("\(client.name), answered", client.latencyMs)
            let all = client.latencyAllMs
            let values = [all?.p50, all?.p90, all?.p99, all?.p999, all?.max]
            table.add(["\(client.name), all due"] + values.map { all?.text($0, text) ?? "-" })
            add("  from sending", client.serviceMs)
            add("  send lag", client.sendLagMs)
        }
        return table
    }

    private var connectionLine: String {
        let used = clients.compactMap(\.connections)
        let opened = used.reduce(0) { $0 + $1.opened }
        let needed = used.reduce(0) { $0 + $1.needed }
        let redialled = used.reduce(0) { $0 + $1.redialled }
        return "connections: \(grouped(opened)) opened; \(grouped(needed)) would have done, had the server kept all"
            + (redialled > 0
                ? "; \(grouped(redialled)) batches met with one that it had closed, and were sent once more" : "")
    }
}
