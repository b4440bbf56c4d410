package import Cures
internal import LoadGenerator
internal import Results
internal import Text

/// The figures of each cure as text, in the order of the verdicts: for terminal and Markdown alike.
struct CuresTable {
    static let header = [
        "cure", "verdict", "URIs found", "most dials failed with", "dials ok", "failed", "TIME_WAIT", "ports held",
        "other dials", "small in time", "heavy ms", "CPU s", "MiB",
    ]

    private let result: CuresResult

    init(_ result: CuresResult) {
        self.result = result
    }

    var rows: [[String]] { result.cures.map(row) }

    private func row(_ row: CureRow) -> [String] {
        let verdict = row.expectations.allSatisfy(\.pass) ? row.verdict.text : "\(row.verdict.text) (!)"
        guard row.dials != nil else {
            return [row.name, verdict] + Array(repeating: "-", count: Self.header.count - 2)
        }
        func text(_ number: Int?) -> String { number.map { grouped($0) } ?? "-" }
        let bytes = [row.rssPeakBytes, row.memcachedRSSPeakBytes].map { bytes in
            bytes.map { rounded(Double($0) / Double(1 << 20)) } ?? "-"
        }
        return [
            row.name, verdict, rounds(row), row.commonestError ?? "-", text(row.dials?.ok), text(row.dials?.failed),
            text(row.timeWaitPeak), "\(text(row.portsInUsePeak))/\(text(row.portsCapacity))",
            row.others.map { "\(grouped($0.ok))/\(grouped($0.ok + $0.failed))" } ?? "-",
            row.client(CuresPlan.smallName)?.slo?.percent.map { "\(rounded($0))%" } ?? "-",
            row.client(CuresPlan.heavyName)?.latencyMs.map { rounded($0.p99) } ?? "-",
            row.cpuSeconds.map { "\(rounded($0.server))+\(rounded($0.memcached))" } ?? "-",
            bytes.joined(separator: "+"),
        ]
    }

    /// Found in the first round and in the second, of as many as were asked for in each.
    private func rounds(_ row: CureRow) -> String {
        let batches = row.batches ?? []
        let found = [1, 2].map { round in
            grouped(batches.filter { $0.round == round }.reduce(0) { $0 + $1.found })
        }
        let asked = batches.filter { $0.round == 1 }.reduce(0) { $0 + $1.uris }
        return "\(found.joined(separator: "+")) of 2x\(grouped(asked))"
    }
}

extension CuresResult {
    /// What was played, for people.
    package var introduction: String {
        "\(grouped(plan.ports)) ephemeral ports; "
            + "\(plan.batchesPerRound == 1 ? "a batch" : "\(plan.batchesPerRound) batches") of \(grouped(plan.uris)) URIs "
            + "\(plan.oneByOne ? "one after the other, each with a dial of its own" : "at once"), "
            + "and once more a second after the end of it; small callers and another program's dials beside them."
    }

    /// The table, what was not played and why, and what was not as expected.
    package var summary: [String] {
        let table = CuresTable(self)
        var text = TextTable(header: CuresTable.header)
        for row in table.rows { text.add(row) }
        var lines = ["", introduction, ""] + (cures.isEmpty ? [] : text.lines + [""])
        for row in cures where row.verdict == .unavailable && row.error == nil {
            lines.append("not played: \(row.name): \(row.because)")
        }
        for row in cures {
            if let verdicts = row.verdicts {
                lines.append("\(row.name): its measurements differ: \(verdicts.map(\.text).joined(separator: ", "))")
            }
        }
        let unheld = cures.filter { $0.dials != nil && $0.expectations.isEmpty }.map(\.name)
        if unjudged == nil, !unheld.isEmpty {
            lines.append(
                "not held against what is expected, for which \(grouped(plan.ports)) ports are too few: "
                    + unheld.joined(separator: ", ")
            )
        }
        lines += failures.map { "FAIL \($0)" } + (unjudged.map { ["not judged: \($0)"] } ?? [])
        let isJudged = cures.contains { !$0.expectations.isEmpty }
        if isJudged, failures.isEmpty {
            lines.append("pass: each \(unheld.isEmpty ? "row" : "other row") is what was expected of it")
        }
        lines += ["", "a verdict is the first of these that applies:"] + rules.map { "  \($0)" }
        return lines
    }

    /// The same for a blog or a pull request, with the reasons, the sources and what the figures depend on.
    package var markdown: [String] {
        func cells(_ texts: [String]) -> String {
            "| " + texts.map { $0.printable.split(separator: "|").joined(separator: "\\|") }.joined(separator: " | ")
                + " |"
        }
        let table = CuresTable(self)
        var lines = ["## Why not just …?", "", introduction, ""]
        lines += [
            cells(CuresTable.header), "|---|---|" + String(repeating: "---:|", count: CuresTable.header.count - 2),
        ]
        lines += table.rows.map(cells)
        lines += ["", cells(["cure", "what it is", "why", "cost", "source", "expected"]), "|---|---|---|---|---|---|"]
        for row in cures {
            let expected = row.expectations.map { "\($0.pass ? "pass" : "FAIL"): \($0.text), observed: \($0.observed)" }
            let notes = expected.isEmpty ? row.because : expected.joined(separator: "; ")
            lines.append(cells([row.name, row.title, row.why, row.cost, row.source, notes]))
        }
        if let unjudged { lines += ["", "Not judged: \(unjudged)."] }
        lines += ["", "A verdict is the first of these that applies:", ""] + rules.map { "- \($0)" }
        lines += ["", "What the figures depend on:", ""] + fidelity.map { "- \($0)" }
        return lines
    }
}
