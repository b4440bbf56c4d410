internal import LoadGenerator
internal import Text

/// The report of spiral-load, as the content of a page.
struct LoadPage {
    let result: LoadResult

    var title: String { "Spiral: load on \(result.target)" }

    var charts: [DistributionChart] {
        result.clients.map { DistributionChart(caller: $0.name, [(result.clients.count > 1 ? $0.name : "load", $0)]) }
            .filter { !$0.series.isEmpty }
    }

    var content: [Markup] {
        [.make("h1", [:], [.text(title)]), verdict] + counts + latencies + charts.map(\.figure) + errors + generators
    }

    private var verdict: Markup {
        .make(
            "div",
            ["class": result.valid ? "verdict" : "verdict failed", "id": "verdict"],
            [
                .make(
                    "b",
                    ["class": result.valid ? "good" : "bad"],
                    [.text(result.invalidBecause.map { "INVALID: \($0)" } ?? "valid: the generator kept up")]
                ),
                .make("p", [:], [.text(result.outcome)]),
            ]
        )
    }

    private var counts: [Markup] {
        PageParts.heading("What was due, and what became of it") + [
            PageParts.table(
                ["caller", "due", "URIs", "answered", "failed", "unanswered", "not sent", "found", "empty", "in SLO"],
                result.clients.map { client in
                    [
                        .init(client.name), .init(grouped(client.due)), .init(grouped(client.uris)),
                        .init(grouped(client.answered)),
                        .init(grouped(client.failed), isGood: client.failed > 0 ? false : nil),
                        .init(grouped(client.unanswered)), .init(grouped(client.unsent)),
                        .init(grouped(client.records.found)), .init(grouped(client.records.empty)),
                        .init(PageParts.percent(client.slo?.percent)),
                    ]
                }
            )
        ]
    }

    private var latencies: [Markup] {
        let rows = result.clients.flatMap { client -> [[PageParts.Cell]] in
            func row(_ name: String, _ latency: ClientResult.Latency?) -> [PageParts.Cell] {
                let values = [latency?.p50, latency?.p90, latency?.p99, latency?.p999, latency?.max]
                return [.init(client.name), .init(name)] + values.map { .init(PageParts.text($0)) }
            }
            let all = client.latencyAllMs
            let ofAll = [all?.p50, all?.p90, all?.p99, all?.p999, all?.max].map { all?.text($0, rounded) ?? "–" }
            return [
                row("answered", client.latencyMs), [.init(client.name), "all due"] + ofAll.map { .init($0) },
                row("from sending", client.serviceMs), row("send lag", client.sendLagMs),
            ]
        }
        return PageParts.heading(
            "Latency",
            note:
                "Milliseconds from when a batch was due. One that was not answered counts as at least the time it has waited."
        ) + [PageParts.table(["caller", "of", "p50", "p90", "p99", "p99.9", "max"], rows, textColumns: [1])]
    }

    private var errors: [Markup] {
        let rows = result.clients.flatMap { client in
            client.errors.sorted { $0.key < $1.key }.map { name, count -> [PageParts.Cell] in
                [.init(client.name), .init(name), .init(grouped(count))]
            }
        }
        guard !rows.isEmpty else { return [] }
        return PageParts.heading("Failed") + [PageParts.table(["caller", "error", "batches"], rows, textColumns: [1])]
    }

    private var generators: [Markup] {
        let rows = result.generators.enumerated().map { index, generator -> [PageParts.Cell] in
            [
                .init("\(index + 1)"), .init(PageParts.percent(generator.cpuPercent)),
                .init(PageParts.percent(generator.senderCpuPercent)), .init(grouped(generator.threads)),
                .init(grouped(generator.rssPeakBytes >> 20)), .init(grouped(generator.descriptorLimit)),
                .init(PageParts.text(generator.portsPerSource)), .init(grouped(generator.sources)),
            ]
        }
        return PageParts.heading("The generator itself") + [
            PageParts.table(
                [
                    "generator", "of a processor", "its sender", "threads", "memory, MiB", "descriptors",
                    "ports per source", "sources",
                ],
                rows
            )
        ]
    }
}
