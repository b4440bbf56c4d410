internal import Text

/// What both forms of the picture are put together from.
extension Headline {
    /// Of the two areas of ports: what is as high as a strip.
    private var mostPorts: Double { Double(max(capacity, moments.map { $0.open + $0.portsTimeWait }.max() ?? 0, 1)) }

    /// The ports of one address as two areas, and the line of all there are.
    /// - Parameters:
    ///   - floor: pixels at which the strip ends.
    ///   - strip: its height.
    func portAreas(_ columns: HeadlineColumns, floor: Double, strip: Double) -> [Markup] {
        let most = mostPorts
        func up(_ count: Int) -> Double { floor - Double(count) / most * strip }
        var parts = [
            area("ports open", 0, moments.map { ($0.at, floor, up($0.open)) }, columns, most),
            area(
                "ports in TIME_WAIT",
                3,
                moments.map { ($0.at, up($0.open), up($0.open + $0.portsTimeWait)) },
                columns,
                most
            ), base(columns, floor),
        ]
        if capacity > 0 {
            let height = up(capacity)
            parts.append(rule(columns.edges[0], height, columns.edges[phases.count], height, dash: "7 4"))
            parts.append(
                label(
                    "all \(grouped(capacity)) ports",
                    columns.edges[0] + 8,
                    height + 20,
                    isStrong: true,
                    hasHalo: true
                )
            )
        }
        return parts
    }

    /// Phases in which ports are held though nothing is dialled: they look like an illness, and are none.
    var phasesWithoutNeed: [Int] {
        phases.indices.dropFirst().filter { index in
            let phase = phases[index]
            guard phase.opensNothing, isSplit else { return false }
            let seen = moments.last { $0.at >= phase.from && $0.at < phase.to }
            return seen.map { $0.portsTimeWait * 2 > capacity } ?? false
        }
    }

    /// Sockets in TIME_WAIT as an area, with their peak.
    func timeWaitArea(_ columns: HeadlineColumns, floor: Double, strip: Double) -> [Markup] {
        let most = Double(max(timeWaitPeak, 1))
        var parts = [
            area(
                "TIME_WAIT",
                3,
                moments.map { ($0.at, floor, floor - Double($0.timeWait) / most * strip) },
                columns,
                most
            ), base(columns, floor),
        ]
        if timeWaitPeak > 0 {
            let ranges = Double(timeWaitPeak) / Double(max(capacity, 1))
            let times = capacity > 0 && ranges >= 1.5 ? " = \(rounded(ranges.rounded())) × the range" : ""
            parts.append(
                label(
                    "\(grouped(timeWaitPeak))\(times)",
                    columns.edges[phases.count] - 8,
                    floor - 12,
                    anchor: "end",
                    isStrong: true,
                    hasHalo: true
                )
            )
        }
        return parts
    }

    func bands(_ columns: HeadlineColumns, from top: Double, to bottom: Double) -> [Markup] {
        phases.indices.filter { $0 % 2 == 0 }.map { index in
            rectangle(columns.edges[index], top, columns.width(index), bottom - top, "band", Palette.lightGrounds[1])
        }
    }

    /// A part of a bar's full extent.
    func bar(_ series: String, _ phase: Phase, _ colour: Int, x: Double, y: Double, width: Double, height: Double)
        -> Markup
    {
        .make(
            "rect",
            [
                "class": "f\(colour)", "fill": Palette.colour(colour), "fill-opacity": "0.5", "x": coordinate(x),
                "y": coordinate(y), "width": coordinate(width), "height": coordinate(height), "data-series": series,
                "data-phase": phase.name,
            ]
        )
    }

    /// An area between two heights, which ends where nothing was seen for a while.
    private func area(
        _ series: String,
        _ colour: Int,
        _ moments: [(at: Double, low: Double, high: Double)],
        _ columns: HeadlineColumns,
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

    func swatch(_ colour: Int, _ x: Double, _ height: Double) -> Markup {
        .make(
            "rect",
            [
                "class": "f\(colour)", "fill": Palette.colour(colour), "fill-opacity": "0.65", "x": coordinate(x),
                "y": coordinate(height - 7), "width": "22", "height": "13",
            ]
        )
    }

    func base(_ columns: HeadlineColumns, _ height: Double) -> Markup {
        rule(columns.edges[0], height, columns.edges[phases.count], height)
    }

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

    func label(
        _ text: String,
        _ x: Double,
        _ y: Double,
        size: Double? = nil,
        anchor: String? = nil,
        isStrong: Bool = false,
        hasHalo: Bool = false
    ) -> Markup {
        .make(
            "text",
            [
                // What it is written over stays behind it.
                "stroke": hasHalo ? Palette.lightGrounds[0] : nil, "stroke-width": hasHalo ? "4" : nil,
                "stroke-linejoin": hasHalo ? "round" : nil, "paint-order": hasHalo ? "stroke" : nil,
                "class": (isStrong ? "ink" : "soft-ink") + (hasHalo ? " halo" : ""),
                "fill": Palette.lightInk[isStrong ? 0 : 1], "font-size": size.map(coordinate),
                "font-weight": isStrong ? "700" : nil, "text-anchor": anchor, "x": coordinate(x), "y": coordinate(y),
            ],
            [.text(text)]
        )
    }
}
