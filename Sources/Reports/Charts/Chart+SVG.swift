internal import Text

extension Chart {
    /// The chart as SVG.
    /// - Parameter isAlone: whether it is a file of its own, not a part of a page.
    package func svg(_ layout: ChartLayout, isAlone: Bool = false) -> Markup { thinned.draw(layout, isAlone: isAlone) }

    private func draw(_ layout: ChartLayout, isAlone: Bool) -> Markup {
        let rows = layout.rows(bands.map { (bandName($0, layout), labelStart($0, layout)) })
        let isBeside = hasNamesBeside(layout)
        let keys = isBeside ? [] : self.keys
        let size = layout.fontSize
        // From above: names of the lines where they have no room beside, the axis title, names of the phases.
        let slots = layout.keySlots(keys.map(\.name))
        let keysTop = Double((slots.last?.row ?? -1) + 1) * 1.4 * size
        let bandsTop = keysTop + 1.5 * size
        let frame = ChartFrame(
            layout: layout,
            x: x,
            y: y,
            top: bandsTop + Double((rows.compactMap { $0 }.max() ?? -1) + 1) * 1.3 * size + 0.4 * size
        )
        var parts: [Markup] = []
        parts += bands.indices.flatMap { draw(bands[$0], $0, row: rows[$0], from: bandsTop, frame) }
        parts += frame.axes(xTitle: xTitle, yTitle: axis) { rounded($0) }
        parts.append(frame.text(axisTitle, layout.width < 500 ? 2 : layout.left, keysTop + size, isStrong: true))
        parts += marks.compactMap { draw($0, frame) }
        parts += levels.compactMap { level in
            frame.up(level.value).map { frame.line(layout.left, $0, frame.right, $0, "edge", dash: "7 4") }
        }
        let tops = self.tops
        var below: [Double?] = Array(repeating: 0, count: times.count)
        for (index, one) in series.enumerated() {
            parts += draw(one, tops[index], above: below, thickness: thickness(index), frame)
            if one.style == .stacked { below = tops[index] }
        }
        parts += isBeside ? labels(frame, tops) : zip(keys, slots).flatMap { draw(key: $0, $1, frame) }
        return frame.chart(id: id, title: title, description: summary, isAlone: isAlone, parts)
    }

    private var axisTitle: String { axis + (isLogarithmic ? ", logarithmic" : "") }

    /// The names of lines and levels with what they look like.
    private var keys: [(name: String, series: Series?)] {
        series.map { ($0.name, $0) } + levels.map { ($0.name, nil) }
    }

    private func labelStart(_ band: Band, _ layout: ChartLayout) -> Double {
        let right = layout.width - (layout.hasLabelsBeside ? 0 : layout.right)
        let at = layout.left + (x.share(of: band.from) ?? 0) * (layout.width - layout.right - layout.left)
        return max(0, min(at + 3, right - layout.width(of: bandName(band, layout))))
    }

    /// The name of a phase, or as much of it as there is room for.
    private func bandName(_ band: Band, _ layout: ChartLayout) -> String {
        band.name.shortened(to: Int((layout.width - 4) / (layout.fontSize * layout.letter)))
    }

    private func draw(_ band: Band, _ index: Int, row: Int?, from top: Double, _ frame: ChartFrame) -> [Markup] {
        guard let from = frame.across(max(begin, band.from)), let to = frame.across(min(end, band.to)), to > from else {
            return []
        }
        var parts: [Markup] = []
        if index % 2 == 0 {
            parts.append(
                .make(
                    "rect",
                    [
                        "class": "band", "fill": Palette.lightGrounds[1], "x": coordinate(from),
                        "y": coordinate(frame.top),
                        "width": coordinate(to - from), "height": coordinate(frame.bottom - frame.top),
                    ]
                )
            )
        }
        guard let row else { return parts }
        let height = top + (Double(row) * 1.3 + 1) * frame.layout.fontSize
        parts.append(frame.line(from, height - 0.8 * frame.layout.fontSize, from, frame.top, "rule"))
        parts.append(frame.text(bandName(band, frame.layout), labelStart(band, frame.layout), height))
        return parts
    }

    private func draw(_ mark: Mark, _ frame: ChartFrame) -> Markup? {
        guard mark.at >= begin, let at = frame.across(mark.at) else { return nil }
        return .make(
            "line",
            [
                "class": mark.isDeath ? "edge death" : "edge", "stroke": Palette.lightInk[0],
                "stroke-width": mark.isDeath ? "3" : nil, "stroke-dasharray": mark.isDeath ? nil : "2 4",
                "x1": coordinate(at), "x2": coordinate(at), "y1": coordinate(frame.top), "y2": coordinate(frame.bottom),
            ],
            [.make("title", [:], ["\(rounded(mark.at)) s: \(mark.text)"])]
        )
    }

    // MARK: Series

    /// The stretches of a series in which each value follows the one before it, as points in the picture.
    private func stretches(_ series: Series, _ tops: [Double?], _ frame: ChartFrame) -> [[(
        x: Double, y: Double, index: Int
    )]] {
        var all: [[(x: Double, y: Double, index: Int)]] = []
        var last: Int?
        for (index, top) in tops.enumerated() {
            guard let top, let x = frame.across(times[index]), let y = frame.up(top) else {
                if series.style == .line || series.style == .stacked { last = nil }
                continue
            }
            if let last, joins(index, to: last, series.style) {
                all[all.count - 1].append((x, y, index))
            } else {
                all.append([(x, y, index)])
            }
            last = index
        }
        return all
    }

    /// What a line is drawn with, in widths of a thin one: where two have the same values, both are seen, the later on the
    /// wider.
    private func thickness(_ index: Int) -> Double {
        let over = series[index...].dropFirst().count { $0.style == .line }
        return series[index].style == .line ? 1 + 0.8 * Double(min(3, over)) : 1
    }

    private func draw(
        _ series: Series,
        _ tops: [Double?],
        above below: [Double?],
        thickness: Double,
        _ frame: ChartFrame
    ) -> [Markup] {
        let (colour, name) = Palette.stroke(series.colour)
        let stretches = stretches(series, tops, frame)
        let thick = frame.layout.fontSize / 7
        var path = stretches.map { stretch in
            stretch.enumerated().map { "\($0 == 0 ? "M" : "L")\(coordinate($1.x)) \(coordinate($1.y))" }.joined()
        }.joined()
        // One value alone is a dot.
        let alone = stretches.filter { $0.count == 1 }.map { $0[0] }
        var parts: [Markup] = []
        if series.style == .stacked {
            for stretch in stretches where stretch.count > 1 {
                let floor = stretch.reversed().map { point in
                    "L\(coordinate(point.x)) \(coordinate(frame.up(below[point.index] ?? 0) ?? frame.bottom))"
                }
                let roof = stretch.enumerated().map { "\($0 == 0 ? "M" : "L")\(coordinate($1.x)) \(coordinate($1.y))" }
                parts.append(
                    .make(
                        "path",
                        [
                            "class": "f\(series.colour % Palette.light.count)", "fill": colour, "fill-opacity": "0.45",
                            "d": (roof + floor).joined() + "Z",
                        ]
                    )
                )
            }
        }
        if path.isEmpty { path = "M0 0" }
        parts.append(
            .make(
                "path",
                [
                    "class": name, "stroke": colour, "fill": "none", "stroke-width": coordinate(thick * thickness),
                    "stroke-linejoin": "round", "stroke-dasharray": series.style == .hollowDots ? "2 4" : nil,
                    "data-series": series.name, "d": path,
                ]
            )
        )
        let dots = series.style == .dots || series.style == .hollowDots ? stretches.flatMap { $0 } : alone
        parts += dots.map { dot($0.x, $0.y, series, thick) }
        return parts
    }

    private func dot(_ x: Double, _ y: Double, _ series: Series, _ thick: Double) -> Markup {
        let (colour, name) = Palette.stroke(series.colour)
        let isHollow = series.style == .hollowDots
        return .make(
            "circle",
            [
                "class": isHollow ? "\(name) hollow" : "f\(series.colour % Palette.light.count)",
                "stroke": isHollow ? colour : nil, "stroke-width": isHollow ? "1.5" : nil,
                "fill": isHollow ? Palette.lightGrounds[0] : colour, "r": coordinate(1.4 * thick), "cx": coordinate(x),
                "cy": coordinate(y),
            ]
        )
    }

    // MARK: Names of lines

    /// Whether the names have room beside the lines; else they stand above.
    private func hasNamesBeside(_ layout: ChartLayout) -> Bool {
        let lines = keys.reduce(0) { $0 + layout.lines($1.name, within: layout.right - 44).count }
        return layout.hasLabelsBeside && Double(lines) * 1.3 * layout.fontSize <= layout.plotHeight
    }

    /// The names beside the ends of the lines.
    private func labels(_ frame: ChartFrame, _ tops: [[Double?]]) -> [Markup] {
        let layout = frame.layout
        let begin = frame.right + 44
        let texts = keys.map { layout.lines($0.name, within: layout.width - begin) }
        var heights = series.indices.map { index -> Double in
            guard let last = tops[index].lastIndex(where: { $0 != nil }), let top = tops[index][last] else {
                return frame.bottom
            }
            // An area is named in its middle.
            let half = series[index].style == .stacked ? (series[index].values[last] ?? 0) / 2 : 0
            return frame.up(top - half) ?? frame.bottom
        }
        heights += levels.map { frame.up($0.value) ?? frame.top }
        let tall = texts.map { Double($0.count) * 1.15 * layout.fontSize + 4 }
        let placed = ChartLayout.spread(
            zip(heights, tall).map { $0 - $1 / 2 },
            by: tall,
            within: (frame.top - 1.2 * layout.fontSize)...(frame.bottom + 1.5 * layout.fontSize)
        )
        return keys.indices.flatMap { index -> [Markup] in
            let first = placed[index] + layout.fontSize
            var parts = [swatch(keys[index].series, from: frame.right + 8, at: first - 0.35 * layout.fontSize, frame)]
            for (row, line) in texts[index].enumerated() {
                parts.append(frame.text(line, begin, first + Double(row) * 1.15 * layout.fontSize, isStrong: true))
            }
            return parts
        }
    }

    private func draw(
        key: (name: String, series: Series?),
        _ slot: (row: Int, x: Double),
        _ frame: ChartFrame
    ) -> [Markup] {
        let height = (Double(slot.row) * 1.4 + 1) * frame.layout.fontSize
        let room = frame.layout.width - slot.x - 36
        return [
            swatch(key.series, from: slot.x, at: height - 0.35 * frame.layout.fontSize, frame),
            frame.text(frame.layout.lines(key.name, within: room).first ?? "", slot.x + 36, height, isStrong: true),
        ]
    }

    private func swatch(_ series: Series?, from: Double, at height: Double, _ frame: ChartFrame) -> Markup {
        guard let series else { return frame.line(from, height, from + 28, height, "edge", dash: "7 4") }
        let (colour, name) = Palette.stroke(series.colour)
        if series.style == .stacked {
            return .make(
                "rect",
                [
                    "class": "f\(series.colour % Palette.light.count)", "fill": colour, "fill-opacity": "0.6",
                    "x": coordinate(from), "y": coordinate(height - 6), "width": "28", "height": "12",
                ]
            )
        }
        return .make(
            "line",
            [
                "class": name, "stroke": colour, "stroke-width": "4",
                "stroke-dasharray": series.style == .hollowDots ? "2 4" : nil, "x1": coordinate(from),
                "x2": coordinate(from + 28), "y1": coordinate(height), "y2": coordinate(height),
            ]
        )
    }
}
