internal import LoadGenerator
internal import PostRecords
internal import Results
internal import Scenarios
internal import Text

/// The report of a run, as the content of a page.
struct RunPage {
    let run: RunResult

    var title: String { "Spiral: \(run.scenario)" }

    var content: [Markup] {
        var parts: [Markup] = [.make("h1", [:], [.text(title)])]
        if !run.description.isEmpty { parts.append(.make("p", ["class": "soft"], [.text(run.description)])) }
        parts += story + [verdict]
        if let headline = Headline(run) { parts.append(headline.figure) }
        parts += cascade + charts
        parts +=
            run.phases.isEmpty
            ? [.make("p", ["class": "soft"], ["No phase was played to its end."])]
            : phases + callers + expectations
        parts += predictions + changes
        return parts + fidelity + environment
    }

    /// What happened, told from the figures below; the first sentence says it all.
    private var story: [Markup] {
        let sentences = RunStory(run).sentences
        guard !sentences.isEmpty else { return [] }
        let paragraphs = Self.first(16, of: sentences, "sentences; the phases below say the rest").enumerated().map {
            index,
            sentence in
            Markup.make("p", [:], [index == 0 ? .make("b", [:], [.text(sentence)]) : .text(sentence)])
        }
        return [.make("div", ["class": "story", "id": "story"], paragraphs)]
    }

    /// Of many lines the first, and that there are more.
    private static func first(_ count: Int, of lines: [String], _ what: String) -> [String] {
        lines.count <= count ? lines : lines.prefix(count) + ["and \(grouped(lines.count - count)) more \(what)"]
    }

    private var claims: [(phase: String, claim: PhaseResult.Observation)] {
        run.phases.flatMap { phase in phase.expectations.map { (phase.name, $0) } }
    }

    private var verdict: Markup {
        let passed = claims.filter(\.claim.pass).count
        let interrupted =
            run.interrupted
            ? "; interrupted before the end" + (run.interruptedBecause.map { ": \($0)" } ?? "") : ""
        var lines: [Markup] = [
            .make("b", ["class": run.verdict.pass ? "good" : "bad"], [.text(run.verdict.text)]),
            .make(
                "p",
                [:],
                [
                    .text(
                        (claims.isEmpty
                            ? "nothing was expected"
                            : "\(grouped(passed)) of \(grouped(claims.count)) expectations passed")
                            + interrupted
                    )
                ]
            ),
        ]
        let withSLO = run.phases.flatMap { phase in
            phase.clients.compactMap { client in client.slo.map { (phase: phase.name, name: client.name, slo: $0) } }
        }
        var named: Set<String> = []
        for first in withSLO where named.insert(first.name).inserted {
            let course = withSLO.filter { $0.name == first.name }.map {
                "\($0.phase) \(PageParts.percent($0.slo.percent))"
            }
            lines.append(
                .make(
                    "p",
                    [:],
                    [
                        "\(first.name), complete within \(rounded(first.slo.ms)) ms: \(Self.first(12, of: course, "phases").joined(separator: ", "))"
                    ]
                )
            )
        }
        lines += Self.first(20, of: run.verdict.missing, "failed expectations").map {
            .make("p", ["class": "bad"], [.text($0)])
        }
        return .make("div", ["class": run.verdict.pass ? "verdict" : "verdict failed", "id": "verdict"], lines)
    }

    private var cascade: [Markup] {
        guard !run.cascade.isEmpty else { return [] }
        let steps = run.cascade.map { step in
            let when = step.happened ? " at \(PageParts.text(step.at)) s" : ": did not happen"
            return Markup.make(
                "li",
                ["class": step.happened ? nil : "not"],
                [.make("b", [:], [.text(step.name + when)]), .text(step.detail)]
            )
        }
        return PageParts.heading(
            "The cascade",
            note: "The steps of the post-mortem, and what of each was measured in this run."
        )
            + [.make("ol", ["class": "cascade", "id": "cascade"], steps)]
    }

    private var charts: [Markup] {
        let charts = RunCharts(run).all
        guard !charts.isEmpty else { return [] }
        return PageParts.heading(
            "What happened",
            note:
                "Shaded: phases. Dotted: a change or a fault. Thick: the server ended. Point at a chart, touch it, or move "
                + "through it with the arrow keys, to read all of them at one moment."
        ) + [.make("div", ["id": "charts"], charts.map(\.figure))]
    }

    private var phases: [Markup] {
        typealias Row = (String, (PhaseResult) -> String)
        let errors = Set(run.phases.flatMap(\.lookups.errors.keys)).sorted()
        let number: (Int?) -> String = PageParts.text
        var rows: [Row] = [("lookups", { number($0.lookups.total) }), ("found", { number($0.lookups.hits) })]
        if run.phases.contains(where: { $0.lookups.unreadable > 0 }) {
            rows.append(("unreadable", { number($0.lookups.unreadable) }))
        }
        rows += errors.map { name in (name, { number($0.lookups.errors[name] ?? 0) }) }
        rows += [
            ("in flight, peak", { number($0.inFlightPeak) }),
            ("connections expected", { number($0.dials.expected) }),
            ("connections opened", { number($0.dials.ok) }),
            ("ports in use, peak", { "\(number($0.portsInUsePeak)) of \(number($0.portsCapacity))" }),
            ("TIME_WAIT, peak", { number($0.timeWaitPeak) }),
            ("threads, peak", { number($0.threadsPeak) }),
            ("memory, peak MiB", { PageParts.text($0.rssPeakBytes.map { Double($0) / 1_048_576 }) }),
            ("error lines", { number($0.logLines.written) }),
            ("restarts", { number($0.restarts) }),
        ]
        let unpredicted = run.phases.filter { $0.dials.expected == nil && !$0.dials.reasoning.isEmpty }
        return PageParts.heading("Phases")
            + [
                PageParts.table(
                    [""] + run.phases.map(\.name),
                    rows.map { row in [.init(row.0)] + run.phases.map { .init(row.1($0)) } }
                )
            ]
            + unpredicted.map {
                .make("p", ["class": "soft"], ["\($0.name): connections are not predicted: \($0.dials.reasoning)."])
            }
    }

    private var callers: [Markup] {
        guard run.phases.contains(where: { !$0.clients.isEmpty }) else { return [] }
        let rows = run.phases.flatMap { phase in
            phase.clients.enumerated().map { index, client -> [PageParts.Cell] in
                let others = phase.clients.indices.filter { $0 != index }.reduce(0) { $0 + phase.clients[$1].uris }
                return [
                    .init(phase.name), .init(client.name), .init(grouped(client.batches)), .init(grouped(client.uris)),
                    .init(grouped(client.ok)), .init(grouped(client.failed), isGood: client.failed > 0 ? false : nil),
                    .init(PageParts.text(client.latencyMs?.p50)), .init(PageParts.text(client.latencyMs?.p99)),
                    .init(PageParts.text(client.latencyMs?.max)), slo(client.slo),
                    .init("\(rounded(Double(others) / max(phase.duration, 1e-3))) URIs/s"),
                ]
            }
        }
        return PageParts.heading(
            "Latency per caller",
            note: "From the moment a batch was due to the last byte of its answer, whether that was complete or not."
        ) + [
            PageParts.table(
                [
                    "phase", "caller", "batches", "URIs", "answered", "failed", "p50 ms", "p99 ms", "max ms",
                    "complete within SLO", "load from others",
                ],
                rows,
                textColumns: [1]
            )
        ] + RunCharts(run).distributions.map(\.figure)
    }

    private func slo(_ slo: ClientResult.SLO?) -> PageParts.Cell {
        guard let slo else { return "–" }
        return .init("\(PageParts.percent(slo.percent)) in \(rounded(slo.ms)) ms", isGood: slo.percent.map { $0 >= 99 })
    }

    private var expectations: [Markup] {
        guard !claims.isEmpty else { return [] }
        return PageParts.heading("Expectations") + [
            PageParts.table(
                ["", "phase", "expected", "observed"],
                claims.map { phase, claim in
                    [
                        .init(claim.pass ? "pass" : "FAIL", isGood: claim.pass), .init(phase), .init(claim.text),
                        .init(claim.observed),
                    ]
                },
                textColumns: [1, 2, 3]
            )
        ]
    }

    private var predictions: [Markup] {
        guard !run.predictions.isEmpty else { return [] }
        return PageParts.heading(
            "Predicted and measured",
            note: "From arithmetic alone: ports, idle connections and what was asked for."
        ) + [
            PageParts.table(
                ["what", "unit", "predicted", "measured", "difference"],
                run.predictions.map { one in
                    let difference = one.predicted == 0 ? nil : 100 * (one.measured - one.predicted) / one.predicted
                    return [
                        .init(one.what), .init(one.unit), .init(rounded(one.predicted)), .init(rounded(one.measured)),
                        .init(PageParts.percent(difference)),
                    ]
                },
                textColumns: [1]
            )
        ]
    }

    private var changes: [Markup] {
        let rows = run.events.filter { $0.kind != .phase && $0.kind != .client }
        guard !rows.isEmpty else { return [] }
        return PageParts.heading("Changes and faults") + [
            PageParts.table(
                ["at", "what"],
                rows.map { [.init("\(rounded($0.at)) s"), .init($0.text)] },
                textColumns: [1]
            )
        ]
    }

    private var fidelity: [Markup] {
        guard !run.fidelity.isEmpty else { return [] }
        return PageParts.heading("How this differs from the outage")
            + [.make("ul", [:], run.fidelity.map { .make("li", [:], [.text($0)]) })]
    }

    private var environment: [Markup] {
        let machine = run.environment
        var rows: [(String, String)] = [
            ("date", machine.date), ("kernel", "\(machine.kernel), \(machine.cores) cores"),
            ("memcached", machine.memcached),
            ("libmemcached", machine.libmemcached), ("network", machine.network.rawValue),
            ("port range", machine.portRange.map { "\($0)" }.joined(separator: "–")),
            ("tcp_tw_reuse", machine.tcpTwReuse),
            ("lanes", machine.lanes.map { "\($0)" } ?? "–"), ("descriptors", grouped(machine.nofile)),
            ("memory limit", machine.memoryLimit ?? "none"), ("seed", "\(machine.seed)"),
            ("callers", machine.clients.isEmpty ? "none" : machine.clients.joined(separator: "; ")),
            ("arguments", machine.arguments.isEmpty ? "none" : machine.arguments.joined(separator: " ")),
        ]
        if let set = machine.portSettings {
            rows.append(("ip_local_reserved_ports", set.reservedPorts.isEmpty ? "none" : set.reservedPorts))
            if let delay = set.twReuseDelayMs { rows.append(("tcp_tw_reuse_delay", "\(grouped(delay)) ms")) }
            if let most = set.maxTwBuckets { rows.append(("tcp_max_tw_buckets", grouped(most))) }
            if let reuse = set.autobindReuse { rows.append(("ip_autobind_reuse", reuse ? "1" : "0")) }
        }
        if let build = run.build?.text { rows.append(("build", build)) }
        rows.append(("schema", run.schema))
        return PageParts.heading("Where it was played")
            + [PageParts.table(["", ""], rows.map { [.init($0.0), .init($0.1)] }, textColumns: [1])]
    }
}
