internal import LoadGenerator
package import Results
internal import Text

/// The charts of a run: which figures of its timeline are drawn, and against what.
package struct RunCharts {
    /// Batches that ended within this time are counted together, as a caller sends a few a second.
    static let shareWindow = 4.0

    private let run: RunResult
    private let points: [TimelinePoint]
    /// Those of them before which the ports were looked at anew.
    private let looks: [TimelinePoint]
    private let blank: Chart

    /// - Parameter begin: seconds since the first phase began from which on it is drawn.
    package init(_ run: RunResult, from begin: Double = 0) {
        self.run = run
        points = run.timeline.filter { $0.at >= begin }
        let drawn = points
        looks = drawn.indices.filter { index in
            guard index > 0, let at = drawn[index].portsAt else { return true }
            return drawn[index - 1].portsAt != at
        }.map { drawn[$0] }
        let ends = points.map(\.at) + run.phases.map { $0.start + $0.duration }
        let end = max(ends.max() ?? 0, begin + 1)
        let starts = run.events.filter { $0.kind == .phase }
        let bands = starts.indices.map { index in
            Chart.Band(
                name: starts[index].text,
                from: max(begin, starts[index].at),
                to: index + 1 < starts.count ? starts[index + 1].at : end
            )
        }
        let marks = run.events.filter { ![.phase, .client].contains($0.kind) }
        blank = Chart(
            id: "",
            title: "",
            axis: "",
            times: points.map(\.at),
            series: [],
            bands: bands.filter { $0.to > begin },
            marks: marks.filter { $0.at >= begin }.map { .init(at: $0.at, text: $0.text, isDeath: $0.kind == .death) },
            begin: begin,
            end: end
        )
    }

    /// All that have something to show, what users felt first.
    package var all: [Chart] {
        points.isEmpty
            ? []
            : [completeInTime, latency, ports, timeWait, rates, inFlight, threads, memory, log].filter { chart in
                chart.series.contains { $0.values.contains { $0 != nil } }
                    && (["complete", "ports"].contains(chart.id)
                        || chart.series.contains { $0.values.contains { ($0 ?? 0) > 0 } })
            }
    }

    /// Of each caller: its latencies by percentile, phase by phase.
    package var distributions: [DistributionChart] {
        var names: [String] = []
        for client in run.phases.flatMap(\.clients) where !names.contains(client.name) { names.append(client.name) }
        let most = Palette.light.count
        return names.map { name in
            let all = run.phases.enumerated().flatMap { index, phase in
                phase.clients.filter { $0.name == name }.map { (index: index, name: phase.name, result: $0) }
            }
            // More than can be told apart are the slowest.
            let shown = all.sorted { $0.result.latencyMs?.p99 ?? -1 > $1.result.latencyMs?.p99 ?? -1 }.prefix(most)
                .sorted { $0.index < $1.index }
            var chart = DistributionChart(
                caller: name,
                shown.map { ($0.name, $0.result) },
                colours: run.phases.count <= most ? shown.map(\.index) : nil
            )
            if all.count > most { chart.title += ", the \(most) slowest of \(grouped(all.count)) phases" }
            return chart
        }.filter { !$0.series.isEmpty }
    }

    private func chart(
        _ id: String,
        _ title: String,
        axis: String,
        note: String = "",
        _ series: [Chart.Series],
        levels: [Chart.Level] = []
    ) -> Chart {
        var chart = blank
        (chart.id, chart.title, chart.axis, chart.note, chart.series) = (id, title, axis, note, series)
        chart.levels = levels
        return chart
    }

    private func series(
        _ name: String,
        _ colour: Int,
        _ style: Chart.Series.Style = .line,
        of moments: [TimelinePoint]? = nil,
        _ value: (TimelinePoint) -> Double?
    ) -> Chart.Series {
        Chart.Series(name: name, values: (moments ?? points).map(value), colour: colour, style: style)
    }

    // MARK: Callers

    /// Colours that can be told apart.
    private static let mostCallers = 6

    /// Those with the most batches, where there are more than can be told apart.
    private var callers: [String] {
        var batches: [String: Int] = [:]
        for point in points {
            for (name, client) in point.clients { batches[name, default: 0] += client.answered + (client.failed ?? 0) }
        }
        return batches.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.mostCallers).map(\.key).sorted()
    }

    private var leftOut: String {
        let count = Set(points.flatMap(\.clients.keys)).count - callers.count
        return count > 0
            ? " The \(grouped(callers.count)) callers with the most batches; \(grouped(count)) more are in the table below."
            : ""
    }

    package var completeInTime: Chart {
        let slos = Dictionary(
            run.phases.flatMap(\.clients).compactMap { client in client.slo.map { (client.name, $0.ms) } },
            uniquingKeysWith: { $1 }
        )
        var chart = chart(
            "complete",
            "Complete in time, of each caller's batches",
            axis: "% of batches",
            note:
                "Of the batches that ended in the \(rounded(Self.shareWindow)) s before, those answered with a record for "
                + "every URI and within the caller's SLO, where it has one.\(leftOut)",
            callers.enumerated().map { index, name in
                let limit = slos[name].map { ", within \(rounded($0)) ms" } ?? ""
                return Chart.Series(
                    name: name + limit,
                    values: hasOutcomes ? shares(of: name) : sharesOfPhases(of: name),
                    colour: index
                )
            }.filter { $0.values.contains { $0 != nil } }
        )
        chart.top = 100
        return chart
    }

    /// Whether the timeline says how batches ended; those of before do not.
    private var hasOutcomes: Bool { points.contains { $0.clients.values.contains { $0.complete != nil } } }

    private func shares(of name: String) -> [Double?] {
        var first = 0
        return points.indices.map { index in
            let now = points[index]
            while points[first].at <= now.at - Self.shareWindow || points[first].phase != now.phase { first += 1 }
            let window = points[first...index].compactMap { $0.clients[name] }
            let ended = window.reduce(0) { $0 + $1.answered + ($1.failed ?? 0) }
            let good = window.reduce(0) { $0 + ($1.inTime ?? $1.complete ?? 0) }
            return ended == 0 ? nil : 100 * Double(good) / Double(ended)
        }
    }

    private func sharesOfPhases(of name: String) -> [Double?] {
        points.map { point in
            run.phases.first { $0.name == point.phase }?.clients.first { $0.name == name }?.slo?.percent
        }
    }

    package var latency: Chart {
        let series = callers.enumerated().flatMap { index, name -> [Chart.Series] in
            guard hasOutcomes else {
                return [self.series("\(name), all answers", index, .dots) { $0.clients[name]?.p99 }]
            }
            return [
                self.series("\(name), complete", index, .dots) { $0.clients[name]?.completeP99 },
                self.series("\(name), incomplete", index, .hollowDots) { $0.clients[name]?.incompleteP99 },
            ]
        }.filter { $0.values.contains { $0 != nil } }
        var chart = chart(
            "latency",
            "Latency: complete answers apart from others",
            axis: "p99, ms",
            note:
                "Of the batches that ended since the sample before. Incomplete: it failed, or a record is missing. Failing "
                + "is fast: only complete answers say how long callers wait.\(leftOut)",
            series
        )
        chart.isLogarithmic = true
        return chart
    }

    // MARK: Ports

    private var capacity: Int {
        run.phases.last?.portsCapacity
            ?? (run.environment.portRange.count == 2
                ? run.environment.portRange[1] - run.environment.portRange[0] + 1 : 0)
    }

    private var capacityLevel: [Chart.Level] {
        capacity > 0 ? [.init(name: "all \(grouped(capacity)) ports", value: Double(capacity))] : []
    }

    package var ports: Chart {
        let isSplit = points.contains { $0.portsOpen != nil }
        return looked(
            "ports",
            "Ephemeral ports of the source address that holds most",
            axis: "ports",
            note: isSplit
                ? "Open connections, and on top of them those closed in the last 60 s. In TIME_WAIT a port is not free, "
                    + "but nobody uses it: when connections are reused, none is needed."
                : "",
            isSplit
                ? [
                    series("open", 0, .stacked, of: looks) { $0.portsOpen.map(Double.init) },
                    series("in TIME_WAIT", 3, .stacked, of: looks) { $0.portsTimeWait.map(Double.init) },
                ] : [series("in use", 0, .stacked, of: looks) { Double($0.portsInUse) }],
            levels: capacityLevel
        )
    }

    /// A chart of what looks at the ports have seen, at the moments they were taken.
    private func looked(
        _ id: String,
        _ title: String,
        axis: String,
        note: String = "",
        _ series: [Chart.Series],
        levels: [Chart.Level]
    ) -> Chart {
        var chart = chart(id, title, axis: axis, note: note, series, levels: levels)
        chart.times = looks.map { $0.portsAt ?? $0.at }
        return chart
    }

    package var timeWait: Chart {
        looked(
            "timewait",
            "TIME_WAIT sockets of all source addresses",
            axis: "sockets",
            [
                series("in TIME_WAIT", 3, .stacked, of: looks) { Double($0.timeWait) },
                series("open", 0, of: looks) { Double($0.established) },
            ],
            levels: capacity > 0
                ? [.init(name: "one address has \(grouped(capacity))", value: Double(capacity))] : []
        )
    }

    // MARK: The server

    package var rates: Chart {
        let peaks = Dictionary(points.flatMap { $0.errorsPerSecond.map { ($0.key, $0.value) } }, uniquingKeysWith: max)
        let names = peaks.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        let most = names.prefix(4)
        let rest = names.dropFirst(4)
        var all = [series("connections opened", 0) { $0.dialsPerSecond }]
        for (index, name) in most.enumerated() {
            all.append(series("failed: \(name)", index + 1) { $0.errorsPerSecond[name] ?? 0 })
        }
        if !rest.isEmpty {
            all.append(
                series("failed otherwise", 5) { point in rest.reduce(0) { $0 + (point.errorsPerSecond[$1] ?? 0) } }
            )
        }
        return chart("rates", "Connections opened and lookups that failed", axis: "per second", all)
    }

    package var inFlight: Chart {
        chart(
            "inflight",
            "Lookups in flight",
            axis: "lookups",
            note: "The most since the sample before it, all batches together; a limit request:N is of each batch.",
            [
                series("in flight", 0) { $0.isUp ? Double($0.inFlightPeak ?? $0.inFlight) : nil },
                series("limit", 4) { $0.limit.map(Double.init) },
            ].filter { $0.values.contains { $0 != nil } }
        )
    }

    package var threads: Chart {
        chart(
            "threads",
            "Threads of the server",
            axis: "threads",
            [series("threads", 0) { $0.threads > 0 ? Double($0.threads) : nil }]
        )
    }

    package var memory: Chart {
        chart(
            "memory",
            "Memory of the server",
            axis: "MiB",
            [
                series("resident", 0) { $0.rssBytes > 0 ? Double($0.rssBytes) / 1_048_576 : nil },
                series("charged to its cgroup", 1) { $0.cgroupBytes.map { Double($0) / 1_048_576 } },
            ].filter { $0.values.contains { $0 != nil } }
        )
    }

    package var log: Chart {
        chart(
            "log",
            "Error log",
            axis: "lines",
            [
                series("written per second", 0) { $0.logLinesPerSecond },
                series("waiting for the log's reader", 1) { Double($0.logWaiting) },
            ]
        )
    }
}
