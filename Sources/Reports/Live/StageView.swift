internal import PostRecords
internal import Results
internal import Text

/// What a room sees of a run while it is played: one large chart, and the figures of the last seconds.
struct StageView {
    /// Figures are of this many seconds, or since somebody changed something: batches come in bursts, and a room reads
    /// slowly.
    static let figureSpan = 5.0
    /// Seconds the chart goes back.
    static let chartSpan = 60.0

    struct Figure: Equatable {
        var name: String
        var value: String
        var note = ""
        /// Nil where it is neither.
        var isGood: Bool?
    }

    let run: RunResult
    /// The samples of the last seconds.
    private let recent: Range<Int>

    init(_ run: RunResult) {
        self.run = run
        let timeline = run.timeline
        let now = timeline.last?.at ?? 0
        let changed = run.events.last { $0.byHand == true }?.at ?? -.infinity
        let begin = max(now - Self.figureSpan, changed)
        var first = timeline.lastIndex { $0.at <= begin }.map { $0 + 1 } ?? 0
        // The sample that a change fell into is also of what was before it: it counts until there is another.
        if changed >= now - Self.figureSpan, first + 1 < timeline.count { first += 1 }
        recent = min(first, max(0, timeline.count - 1))..<timeline.count
    }

    private var capacity: Int {
        let range = run.environment.portRange
        return range.count == 2 ? range[1] - range[0] + 1 : 0
    }

    /// Samples are as far apart as they are: a rate counts as long as its sample took.
    private func mean(_ rate: (TimelinePoint) -> Double) -> Double? {
        var (sum, seconds) = (0.0, 0.0)
        let points = run.timeline
        for index in recent where index > 0 {
            let length = points[index].at - points[index - 1].at
            sum += rate(points[index]) * length
            seconds += length
        }
        return seconds > 0 ? sum / seconds : nil
    }

    var figures: [Figure] {
        guard let now = run.timeline.last else { return [] }
        var figures = [ports(now), failed]
        for name in now.clients.keys.sorted() {
            let seen = run.timeline[recent].compactMap { $0.clients[name] }
            guard seen.contains(where: { $0.inTime != nil }) else { continue }
            let ended = seen.reduce(0) { $0 + $1.answered + ($1.failed ?? 0) }
            let met = seen.reduce(0) { $0 + ($1.inTime ?? 0) }
            let share = ended == 0 ? nil : 100 * Double(met) / Double(ended)
            figures.append(
                Figure(
                    name: "\(name): complete in time",
                    value: PageParts.percent(share),
                    isGood: share.map { $0 >= 95 }
                )
            )
        }
        let waiting = now.batchesPending
        figures += [
            Figure(name: "batches waiting", value: PageParts.text(waiting)),
            Figure(name: "connections per second", value: PageParts.text(mean(\.dialsPerSecond))),
            Figure(name: "TIME_WAIT, all addresses", value: grouped(now.timeWait)),
        ]
        if !now.isUp { figures[0] = Figure(name: "server", value: "down", isGood: false) }
        return figures
    }

    private func ports(_ now: TimelinePoint) -> Figure {
        let isFull = capacity > 0 && now.portsInUse >= capacity
        let errors = mean { $0.errorsPerSecond.values.reduce(0, +) } ?? 0
        // Full of what was closed before, and nobody asks for more: that is an incident that is over.
        let note = isFull ? (errors > 0 ? "none is free" : "closed; free again within 60 s") : ""
        return Figure(
            name: "ports of one address",
            value: "\(grouped(now.portsInUse)) of \(grouped(capacity))",
            note: note,
            isGood: isFull && errors > 0 ? false : nil
        )
    }

    private var failed: Figure {
        let errors = mean { $0.errorsPerSecond.values.reduce(0, +) } ?? 0
        let lookups = mean(\.lookupsPerSecond) ?? 0
        let share = lookups > 0 ? 100 * errors / lookups : nil
        var names: [String: Double] = [:]
        for point in run.timeline[recent] { names.merge(point.errorsPerSecond, uniquingKeysWith: +) }
        let most = names.filter { $0.value > 0 }.max { ($0.value, $1.key) < ($1.value, $0.key) }
        return Figure(
            name: "lookups that failed",
            value: PageParts.percent(share),
            note: most?.key ?? "",
            isGood: share.map { $0 < 1 }
        )
    }

    /// The chart of that name, large; the one of ports where there is none.
    func chart(_ name: String) -> Chart? {
        guard let now = run.timeline.last?.at else { return nil }
        let charts = RunCharts(run, from: max(0, now - Self.chartSpan))
        return switch name {
        case "complete": charts.completeInTime
        case "latency": charts.latency
        case "rates": charts.rates
        case "timewait": charts.timeWait
        default: charts.ports
        }
    }

    func content(_ chartName: String) -> [Markup] {
        let boxes = figures.map { figure in
            let mark = figure.isGood.map { $0 ? "good" : "bad" }
            let note = figure.note.isEmpty ? [] : [Markup.make("small", [:], [.text(figure.note)])]
            return Markup.make(
                "div",
                [:],
                [
                    .make("dt", [:], [.text(figure.name)]),
                    .make("dd", ["class": mark], [.text(figure.value)] + note),
                ]
            )
        }
        return [
            .make("div", ["class": "stage-chart"], chart(chartName).map { [$0.svg(.stage), $0.svg(.narrow)] } ?? []),
            .make("dl", ["class": "figures", "id": "figures"], boxes),
        ]
    }
}
