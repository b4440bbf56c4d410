internal import Text

extension Headline {
    /// Pixels; chosen so that letters are 16 or more where a page shows it a little smaller.
    private enum Size {
        static let width = 1000.0
        static let left = 176.0
        static let right = 990.0
        static let strip = 92.0
        static let gap = 30.0
        static let text = 18.0
        static let figure = 24.0
    }

    /// For the widths of its words, which are not bold.
    private static var layout: ChartLayout {
        ChartLayout(
            width: Size.width,
            plotHeight: Size.strip,
            fontSize: Size.text,
            left: Size.left,
            right: 10,
            yTicks: 2,
            tickWidth: 80,
            name: "headline",
            letter: 0.58
        )
    }

    /// Where the phases are drawn: as wide as they are long, but no narrower than their words need.
    private struct Columns {
        let edges: [Double]
        let phases: [Phase]

        init(_ phases: [Phase]) {
            self.phases = phases
            let room = Size.right - Size.left
            let least = min(130, room / Double(phases.count))
            var widths = [Double](repeating: 0, count: phases.count)
            // Those that are too short get the least; the others share what is left by their length.
            var short: Set<Int> = []
            while true {
                let rest = phases.indices.filter { !short.contains($0) }
                let seconds = rest.reduce(0) { $0 + phases[$1].to - phases[$1].from }
                let left = room - Double(short.count) * least
                for index in phases.indices {
                    widths[index] =
                        short.contains(index)
                        ? least : left * (phases[index].to - phases[index].from) / seconds
                }
                let more = rest.filter { widths[$0] < least - 1e-6 }
                if more.isEmpty || rest.isEmpty { break }
                short.formUnion(more)
            }
            edges = widths.reduce(into: [Size.left]) { $0.append($0[$0.count - 1] + $1) }
        }

        func across(_ at: Double) -> Double {
            let index = phases.lastIndex { $0.from <= at } ?? 0
            let share = (at - phases[index].from) / (phases[index].to - phases[index].from)
            return edges[index] + min(1, max(0, share)) * (edges[index + 1] - edges[index])
        }
    }

    /// The picture as SVG.
    /// - Parameter isAlone: whether it is a file of its own, not a part of a page.
    package func svg(isAlone: Bool = false) -> Markup {
        let columns = Columns(phases)
        let layout = Self.layout
        let captions = phases.indices.map { index in
            Array(
                layout.lines(phases[index].caption, within: columns.edges[index + 1] - columns.edges[index] - 10)
                    .prefix(5)
            )
        }
        let head = 36 + Double(captions.map(\.count).max() ?? 0) * 21 + 8
        let strips = 3 + callers.count
        let bottom = head + Double(strips) * (Size.strip + Size.gap)
        var parts: [Markup] = []
        for index in phases.indices {
            let (from, to) = (columns.edges[index], columns.edges[index + 1])
            if index % 2 == 0 { parts.append(rectangle(from, 0, to - from, bottom, "band", Palette.lightGrounds[1])) }
            // A long name in a short phase is written smaller.
            let size = min(Size.figure, (to - from - 12) / (Double(max(1, phases[index].name.count)) * 0.7))
            parts.append(label(phases[index].name, from + 8, 27, size: size, isStrong: true))
            for (row, line) in captions[index].enumerated() {
                parts.append(label(line, from + 8, 52 + Double(row) * 21))
            }
            parts.append(label("\(rounded(phases[index].from)) s", from + 4, bottom + 18))
        }
        if let end = phases.last?.to {
            parts.append(label("\(rounded(end)) s", Size.right, bottom + 18, anchor: "end"))
        }
        var top = head
        for strip in [ports, failures, timeWait] + callers.map({ caller in { self.complete(caller, $0, $1) } }) {
            parts += strip(columns, top)
            top += Size.strip + Size.gap
        }
        return picture(
            id: "headline",
            title: "\(scenario): ports, failed lookups, TIME_WAIT and complete answers, phase by phase",
            description: description,
            width: Size.width,
            height: bottom + 28,
            fontSize: Size.text,
            attributes: [
                .init(name: "class", value: "headline-picture"),
                .init(name: "data-edges", value: columns.edges.map(coordinate).joined(separator: " ")),
                .init(name: "data-strip", value: coordinate(Size.strip)),
            ],
            isAlone: isAlone,
            parts
        )
    }

    // MARK: Strips

    private func ports(_ columns: Columns, _ top: Double) -> [Markup] {
        let floor = top + Size.strip
        let most = Double(max(capacity, moments.map { $0.open + $0.portsTimeWait }.max() ?? 0, 1))
        func up(_ count: Int) -> Double { floor - Double(count) / most * Size.strip }
        var parts = title(
            isSplit ? ["ports of one", "source address"] : ["ports in use"],
            isSplit ? [] : ["of one address"],
            top
        )
        if isSplit {
            parts += [
                swatch(0, top + 52), label("open", 34, top + 58), swatch(3, top + 74),
                label("in TIME_WAIT", 34, top + 80),
            ]
        }
        parts += [
            area("ports open", 0, moments.map { ($0.at, floor, up($0.open)) }, columns, most),
            area(
                "ports in TIME_WAIT",
                3,
                moments.map { ($0.at, up($0.open), up($0.open + $0.portsTimeWait)) },
                columns,
                most
            ), base(floor),
        ]
        if capacity > 0 {
            let height = up(capacity)
            parts.append(rule(Size.left, height, Size.right, height, dash: "7 4"))
            parts.append(label("all \(grouped(capacity)) ports", Size.left + 8, height + 20, isStrong: true))
        }
        // Ports held though nothing is dialled look like an illness, and are none.
        for (index, phase) in phases.enumerated() where phase.opensNothing && isSplit && index > 0 {
            let seen = moments.last { $0.at >= phase.from && $0.at < phase.to }
            guard let seen, seen.portsTimeWait * 2 > capacity else { continue }
            let middle = (columns.edges[index] + columns.edges[index + 1]) / 2
            parts.append(label("none is needed;", middle, floor - 42, anchor: "middle", isStrong: true))
            parts.append(label("free after 60 s", middle, floor - 20, anchor: "middle"))
        }
        return parts
    }

    private func failures(_ columns: Columns, _ top: Double) -> [Markup] {
        title(["lookups"], ["that failed"], top)
            + bars("failed", 1, columns, top) { $0.failed }
            + phases.indices.compactMap { index in
                guard let error = phases[index].error, (phases[index].failed ?? 0) >= 1 else { return nil }
                let middle = (columns.edges[index] + columns.edges[index + 1]) / 2
                return label(error, middle, top + Size.strip / 2 + 30, anchor: "middle")
            }
    }

    private func timeWait(_ columns: Columns, _ top: Double) -> [Markup] {
        let floor = top + Size.strip
        let most = Double(max(timeWaitPeak, 1))
        var parts = title(["TIME_WAIT"], ["sockets of all", "addresses"], top)
        parts += [
            area(
                "TIME_WAIT",
                3,
                moments.map { ($0.at, floor, floor - Double($0.timeWait) / most * Size.strip) },
                columns,
                most
            ), base(floor),
        ]
        if timeWaitPeak > 0 {
            let ranges = Double(timeWaitPeak) / Double(max(capacity, 1))
            let times = capacity > 0 && ranges >= 1.5 ? " = \(rounded(ranges.rounded())) × the range" : ""
            parts.append(
                label("\(grouped(timeWaitPeak))\(times)", Size.right - 8, floor - 12, anchor: "end", isStrong: true)
            )
        }
        return parts
    }

    private func complete(_ caller: (name: String, ms: Double), _ columns: Columns, _ top: Double) -> [Markup] {
        title(
            Array(Self.layout.lines(caller.name, within: Size.left - 12).prefix(1)),
            ["complete within", "\(rounded(caller.ms)) ms"],
            top
        ) + bars("complete \(caller.name)", 2, columns, top) { $0.complete[caller.name] }
    }

    // MARK: Pieces

    private func bars(
        _ series: String,
        _ colour: Int,
        _ columns: Columns,
        _ top: Double,
        _ percent: (Phase) -> Double?
    ) -> [Markup] {
        var parts: [Markup] = [base(top + Size.strip)]
        for (index, phase) in phases.enumerated() {
            let (from, to) = (columns.edges[index] + 3, columns.edges[index + 1] - 3)
            let middle = (from + to) / 2
            guard let value = percent(phase) else {
                parts.append(label("–", middle, top + Size.strip / 2 + 8, anchor: "middle", isStrong: true))
                continue
            }
            let tall = min(100, max(0, value)) / 100 * Size.strip
            let (fill, name) = (Palette.colour(colour), "f\(colour)")
            parts.append(
                .make(
                    "rect",
                    [
                        "class": name, "fill": fill, "fill-opacity": "0.5", "x": coordinate(from),
                        "y": coordinate(top + Size.strip - tall), "width": coordinate(to - from),
                        "height": coordinate(tall), "data-series": series, "data-phase": phase.name,
                    ]
                )
            )
            parts.append(
                label(
                    "\(rounded(value))%",
                    middle,
                    top + Size.strip / 2 + 8,
                    size: Size.figure,
                    anchor: "middle",
                    isStrong: true
                )
            )
        }
        return parts
    }

    /// An area between two heights, which ends where nothing was seen for a while.
    private func area(
        _ series: String,
        _ colour: Int,
        _ moments: [(at: Double, low: Double, high: Double)],
        _ columns: Columns,
        _ most: Double
    ) -> Markup {
        var path = ""
        var stretch: [(x: Double, low: Double, high: Double)] = []
        func close() {
            guard !stretch.isEmpty else { return }
            // A moment alone is still to be seen.
            if stretch.count == 1 { stretch.append((stretch[0].x + 3, stretch[0].low, stretch[0].high)) }
            path += stretch.enumerated().map { "\($0 == 0 ? "M" : "L")\(coordinate($1.x)) \(coordinate($1.high))" }
                .joined()
            path += stretch.reversed().map { "L\(coordinate($0.x)) \(coordinate($0.low))" }.joined() + "Z"
            stretch = []
        }
        for (index, moment) in moments.enumerated() {
            if index > 0, moment.at - moments[index - 1].at > Chart.longestJoin { close() }
            stretch.append((columns.across(moment.at), moment.low, moment.high))
        }
        close()
        return .make(
            "path",
            [
                "class": "f\(colour)", "fill": Palette.colour(colour), "fill-opacity": "0.65", "data-series": series,
                "data-most": "\(Int(most))", "d": path.isEmpty ? "M0 0" : path,
            ]
        )
    }

    private func title(_ strong: [String], _ soft: [String], _ top: Double) -> [Markup] {
        strong.enumerated().map { label($1, 6, top + 18 + Double($0) * 21, isStrong: true) }
            + soft.enumerated().map { label($1, 6, top + 18 + Double(strong.count + $0) * 21) }
    }

    private func swatch(_ colour: Int, _ height: Double) -> Markup {
        .make(
            "rect",
            [
                "class": "f\(colour)", "fill": Palette.colour(colour), "fill-opacity": "0.65", "x": "6",
                "y": coordinate(height - 7), "width": "22", "height": "13",
            ]
        )
    }

    private func base(_ height: Double) -> Markup { rule(Size.left, height, Size.right, height) }

    private func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, dash: String? = nil) -> Markup {
        .make(
            "line",
            [
                "class": "edge", "stroke": Palette.lightInk[0], "stroke-width": dash == nil ? nil : "2",
                "stroke-dasharray": dash, "x1": coordinate(x1), "x2": coordinate(x2), "y1": coordinate(y1),
                "y2": coordinate(y2),
            ]
        )
    }

    private func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ name: String, _ fill: String)
        -> Markup
    {
        .make(
            "rect",
            [
                "class": name, "fill": fill, "x": coordinate(x), "y": coordinate(y), "width": coordinate(width),
                "height": coordinate(height),
            ]
        )
    }

    private func label(
        _ text: String,
        _ x: Double,
        _ y: Double,
        size: Double? = nil,
        anchor: String? = nil,
        isStrong: Bool = false
    ) -> Markup {
        .make(
            "text",
            [
                "class": isStrong ? "ink" : "soft-ink", "fill": Palette.lightInk[isStrong ? 0 : 1],
                "font-size": size.map(coordinate), "font-weight": isStrong ? "700" : nil, "text-anchor": anchor,
                "x": coordinate(x), "y": coordinate(y),
            ],
            [.text(text)]
        )
    }
}
