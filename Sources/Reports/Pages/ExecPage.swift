internal import Exec
internal import Text

/// The report of `spiral exec`, as the content of a page: what the program's dials come to, over time and by destination.
struct ExecPage {
    let result: ExecResult

    var title: String { "Spiral: exec \(result.command.joined(separator: " "))" }

    var content: [Markup] {
        [.make("h1", [:], [.text(title)]), verdict] + charts.map(\.figure) + destinations + failures + ports + notes
    }

    private var verdict: Markup {
        // What is expected decides; where nothing is, dials that failed are no success.
        let failed =
            result.expectations.isEmpty
            ? (result.connects?.failed ?? 0) > 0 || result.exitStatus != 0
            : result.expectations.contains { !$0.pass }
        let headline: String
        if let connects = result.connects {
            headline =
                "\(grouped(connects.total)) dials: \(grouped(connects.ok)) ok, \(grouped(connects.failed)) failed"
        } else {
            headline = "Dials were not accounted for"
        }
        let took = "\(rounded(result.seconds)) s, exit status \(result.exitStatus.map { "\($0)" } ?? "–")"
        let exhausted = result.secondsToExhaustion.map { "No port was left after \(rounded($0)) s." }
        let lines = [took + (result.dialer.map { "; dialer \($0)" } ?? ""), exhausted, outlook].compactMap { $0 }
        let claims = result.expectations.map { claim in
            let observed = claim.observed.map { rounded($0) } ?? "not measured"
            return Markup.make(
                "p",
                ["class": claim.pass ? "good" : "bad"],
                [.text("\(claim.pass ? "pass" : "FAIL"): \(claim.text) (\(observed))")]
            )
        }
        return .make(
            "div",
            ["class": failed ? "verdict failed" : "verdict", "id": "verdict"],
            [.make("b", [:], [.text(headline)])] + lines.map { .make("p", [:], [.text($0)]) } + claims
        )
    }

    private var outlook: String? {
        result.outlook.map { $0.sentence.prefix(1).uppercased() + $0.sentence.dropFirst() + "." }
    }

    // MARK: Over time

    private var charts: [Chart] {
        drawn.map { chart in
            var chart = chart
            chart.xTitle = "seconds since the program began"
            return chart
        }
    }

    private var drawn: [Chart] {
        let end = max(result.seconds, 0.1)
        var charts: [Chart] = []
        let ports = result.timeline.ports
        if !ports.isEmpty {
            charts.append(
                Chart(
                    id: "ports",
                    title: "Ports",
                    axis: "ports",
                    note: "Held by the busiest source address, and sockets in TIME_WAIT of all.",
                    times: ports.map(\.at),
                    series: [
                        .init(name: "ports held", values: ports.map { Double($0.held) }, colour: 0),
                        .init(name: "TIME_WAIT", values: ports.map { Double($0.timeWait) }, colour: 1),
                    ],
                    levels: result.portsCapacity.map { [.init(name: "all: \(grouped($0))", value: Double($0))] } ?? [],
                    begin: 0,
                    end: end
                )
            )
        }
        let dials = result.timeline.dials
        if !dials.isEmpty {
            charts.append(
                Chart(
                    id: "dials",
                    title: "Dials",
                    axis: "per second",
                    times: dials.map(\.at),
                    series: [.init(name: "dials begun", values: dials.map(\.perSecond), colour: 2)],
                    begin: 0,
                    end: end
                )
            )
        }
        return charts
    }

    // MARK: Tables

    private var destinations: [Markup] {
        guard !result.destinations.isEmpty else { return [] }
        let rows = result.destinations.map { row -> [PageParts.Cell] in
            [.init(row.destination ?? "–")]
                + [row.ok, row.failed, row.inProgress, row.abandoned].map { .init(grouped($0)) }
        }
        return PageParts.heading("Destinations")
            + [PageParts.table(id: "destinations", ["destination", "ok", "failed", "in progress", "abandoned"], rows)]
    }

    private var failures: [Markup] {
        let errors = (result.connects?.errors ?? [:]).flatMap { call, counts in
            counts.map { (call: call, errno: $0.key, count: $0.value) }
        }
        guard !errors.isEmpty else { return [] }
        let rows = errors.sorted { ($1.count, $0.call, $0.errno) < ($0.count, $1.call, $1.errno) }.map {
            [PageParts.Cell($0.errno), .init($0.call), .init(grouped($0.count))]
        }
        return PageParts.heading("Failures")
            + [PageParts.table(id: "failures", ["errno", "call", "dials"], rows, textColumns: [1])]
    }

    private var ports: [Markup] {
        guard !result.ports.isEmpty else { return [] }
        let rows = result.ports.map {
            [PageParts.Cell($0.source), .init($0.destination), .init(grouped($0.ports)), .init(grouped($0.timeWait))]
        }
        let capacity = result.portsCapacity.map { " Each source address has \(grouped($0))." } ?? ""
        return PageParts.heading("Ports by source and destination", note: "The most at once.\(capacity)")
            + [PageParts.table(id: "pairs", ["source", "destination", "ports", "TIME_WAIT"], rows, textColumns: [1])]
    }

    private var notes: [Markup] { result.notes.map { .make("p", ["class": "soft"], [.text($0)]) } }
}
