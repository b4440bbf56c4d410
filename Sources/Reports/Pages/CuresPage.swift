internal import Cures
internal import LoadGenerator
internal import Results
internal import Text

/// The page of the cures: what each came to, why and at what cost, how a verdict is found, what the figures depend on.
struct CuresPage {
    static let title = "Why not just …?"

    let result: CuresResult

    var content: [Markup] {
        [.make("h1", [:], [.text(Self.title)]), paragraph(introduction), verdict] + chart + figures + reasons
            + PageParts.heading("How a verdict is found", note: "The first of these that applies.")
            + [list("ol", result.rules)]
            + PageParts.heading("What the figures depend on") + [list("ul", result.fidelity)] + environment
    }

    private func paragraph(_ text: String) -> Markup { .make("p", ["class": "soft"], [.text(text)]) }

    private func list(_ kind: String, _ lines: [String]) -> Markup {
        .make(kind, [:], lines.map { .make("li", [:], [.text($0)]) })
    }

    private var introduction: String {
        "Changes that people propose against the outage of April 2026, each against the same load in a network namespace, "
            + "memcached and server of its own. \(result.introduction)"
    }

    private var verdict: Markup {
        let counts = CureVerdict.allCases.compactMap { verdict -> String? in
            // The incident itself is what the others are compared with.
            let count = result.cures.count { $0.verdict == verdict && $0.name != Cure.incidentName }
            return count > 0 ? "\(grouped(count)) × \(verdict.text)" : nil
        }
        let unjudged = result.unjudged.map { ["Not judged: \($0)"] } ?? []
        let failures = (result.failures.map { "Not as expected: \($0)" } + unjudged).map {
            Markup.make("p", ["class": "bad"], [.text($0)])
        }
        let partial =
            result.interrupted || result.runs.count < result.plan.cells.count
            ? [Markup.make("p", ["class": "bad"], ["Interrupted: not all of it was played."])] : []
        return .make(
            "div",
            ["class": failures.isEmpty && partial.isEmpty ? "verdict" : "verdict failed", "id": "findings"],
            [.make("b", [:], [.text(counts.joined(separator: ", "))])] + failures + partial
        )
    }

    private func mark(_ verdict: CureVerdict) -> Bool? {
        switch verdict {
        case .cures: true
        case .harms, .worse: false
        case .helps, .nothing, .unavailable: nil
        }
    }

    private var chart: [Markup] { BarChart(result).map { [$0.figure] } ?? [] }

    private var figures: [Markup] {
        let header = [
            "cure", "verdict", "URIs found", "a second later", "failed dials", "dials", "TIME_WAIT", "ports held",
            "other program's dials", "small callers in time", "heavy p99 ms", "CPU s, server + memcached",
            "MiB, server + memcached",
        ]
        return PageParts.heading("What each came to") + [
            PageParts.table(id: "ranking", header, result.cures.map(cells), textColumns: [1])
        ]
    }

    private func cells(_ row: CureRow) -> [PageParts.Cell] {
        let names = [
            PageParts.Cell(row.title, note: row.name),
            PageParts.Cell(
                row.verdict.text,
                isGood: mark(row.verdict),
                note: row.verdict == .unavailable ? row.because : ""
            ),
        ]
        guard let dials = row.dials, let others = row.others else {
            return names + Array(repeating: "–", count: 11)
        }
        let errors = dials.errorsByCall.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        let all = others.ok + others.failed
        let bytes = [row.rssPeakBytes, row.memcachedRSSPeakBytes].map { bytes in
            PageParts.text(bytes.map { Double($0) / Double(1 << 20) })
        }
        return names + [1, 2].map { found(row, round: $0) } + [
            .init(grouped(dials.failed), note: errors.joined(separator: ", ")), .init(grouped(dials.ok + dials.failed)),
            .init(
                PageParts.text(row.timeWaitPeak),
                note: row.memcachedTimeWaitPeak.map { $0 > 0 ? "and \(grouped($0)) at memcached's end" : "" } ?? ""
            ),
            .init(PageParts.text(row.portsInUsePeak), note: "of \(PageParts.text(row.portsCapacity))"),
            .init(
                "\(grouped(others.ok)) of \(grouped(all))",
                isGood: others.failed > 0 ? false : nil,
                note: others.errors.keys.sorted().joined(separator: ", ")
            ), .init(PageParts.percent(row.client(CuresPlan.smallName)?.slo?.percent)),
            .init(PageParts.text(row.client(CuresPlan.heavyName)?.latencyMs?.p99)),
            .init(row.cpuSeconds.map { "\(rounded($0.server)) + \(rounded($0.memcached))" } ?? "–"),
            .init(bytes.joined(separator: " + ")),
        ]
    }

    private func found(_ row: CureRow, round: Int) -> PageParts.Cell {
        let batches = (row.batches ?? []).filter { $0.round == round }
        let (found, asked) = batches.reduce((0, 0)) { ($0.0 + $1.found, $0.1 + $1.uris) }
        guard asked > 0 else { return "–" }
        return .init(
            PageParts.percent(100 * Double(found) / Double(asked)),
            note: "\(grouped(found)) of \(grouped(asked))"
        )
    }

    private var reasons: [Markup] {
        let rows = result.cures.map { row -> [PageParts.Cell] in
            let text = row.expectations.map {
                $0.pass ? "\($0.observed), as expected" : "\($0.text); observed: \($0.observed)"
            }
            return [
                .init(row.title, note: row.name), .init(row.why), .init(row.cost), .init(row.source),
                .init(
                    text.isEmpty ? row.because : text.joined(separator: "; "),
                    isGood: text.isEmpty ? nil : row.expectations.allSatisfy(\.pass)
                ),
            ]
        }
        return PageParts.heading("Why, and at what cost") + [
            PageParts.table(
                id: "reasons",
                ["cure", "why", "cost", "source", "expected"],
                rows,
                textColumns: [1, 2, 3, 4]
            )
        ]
    }

    private var environment: [Markup] {
        guard let place = result.environment else { return [] }
        return PageParts.heading("Where it was measured") + [
            paragraph(
                "\(place.date); Linux \(place.kernel), \(place.cores) cores; seed \(place.seed); \(result.schema)."
            )
        ]
    }
}
