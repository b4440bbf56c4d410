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
        /// The smallest letters.
        static let least = 16.0
        /// Of a column in which a sentence can be read.
        static let captionWidth = 110.0
    }

    /// For the widths of its words, which are not bold.
    private static func layout() -> ChartLayout {
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

    /// The picture as SVG.
    /// - Parameter isAlone: whether it is a file of its own, not a part of a page.
    package func svg(isAlone: Bool = false) -> Markup {
        let columns = HeadlineColumns(phases, from: Size.left, to: Size.right, atLeast: 130)
        let layout = Self.layout()
        let captions = phases.indices.map { index in
            columns.width(index) < Size.captionWidth
                ? [] : Array(layout.lines(phases[index].caption, within: columns.width(index) - 10).prefix(5))
        }
        let head = 36 + Double(captions.map(\.count).max() ?? 0) * 21 + 8
        let strips = 3 + callers.count
        let bottom = head + Double(strips) * (Size.strip + Size.gap)
        var parts = bands(columns, from: 0, to: bottom)
        for index in phases.indices {
            let from = columns.edges[index]
            // A long name in a short phase is written smaller, and shorter.
            let (name, size) = fitted(phases[index].name, within: columns.width(index) - 12)
            parts.append(label(name, from + 8, 27, size: size, isStrong: true))
            for (row, line) in captions[index].enumerated() {
                parts.append(label(line, from + 8, 52 + Double(row) * 21))
            }
        }
        parts += times(columns, bottom + 18)
        if phasesLeftOut > 0 { parts.append(label(leftOutText, 6, bottom + 40)) }
        var top = head
        for strip in [ports, failures, timeWait] + callers.map({ caller in { self.complete(caller, $0, $1) } }) {
            parts += strip(columns, top)
            top += Size.strip + Size.gap
        }
        return picture(
            id: "headline",
            title: title,
            description: description,
            width: Size.width,
            height: bottom + (phasesLeftOut > 0 ? 50 : 28),
            fontSize: Size.text,
            attributes: [
                .init(name: "class", value: "headline-picture wide"),
                .init(name: "data-edges", value: columns.edges.map(coordinate).joined(separator: " ")),
                .init(name: "data-strip", value: coordinate(Size.strip)),
            ],
            isAlone: isAlone,
            parts
        )
    }

    /// A text as large as a figure is, or smaller, or shorter.
    private func fitted(_ text: String, within pixels: Double) -> (text: String, size: Double) {
        let size = min(Size.figure, max(Size.least, pixels / (Double(max(1, text.count)) * 0.68)))
        let letters = Int(pixels / (size * 0.68))
        return (text.shortened(to: max(1, letters)), size)
    }

    /// When phases begin, as far as there is room to say so.
    private func times(_ columns: HeadlineColumns, _ height: Double) -> [Markup] {
        let layout = Self.layout()
        guard let last = phases.last else { return [] }
        let end = "\(rounded(last.to)) s"
        let right = Size.right - layout.width(of: end) - 8
        var next = 0.0
        var parts: [Markup] = []
        for index in phases.indices {
            let text = "\(rounded(phases[index].from)) s"
            let from = columns.edges[index] + 4
            guard from >= next, index == 0 || from + layout.width(of: text) <= right else { continue }
            parts.append(label(text, from, height))
            next = from + layout.width(of: text) + 8
        }
        return parts + [label(end, Size.right, height, anchor: "end")]
    }

    // MARK: Strips

    private func ports(_ columns: HeadlineColumns, _ top: Double) -> [Markup] {
        let floor = top + Size.strip
        var parts = title(
            isSplit ? ["ports of one", "source address"] : ["ports in use"],
            isSplit ? [] : ["of one address"],
            top
        )
        if isSplit {
            parts += [
                swatch(0, 6, top + 52), label("open", 34, top + 58), swatch(3, 6, top + 74),
                label("in TIME_WAIT", 34, top + 80),
            ]
        }
        parts += portAreas(columns, floor: floor, strip: Size.strip)
        for index in phasesWithoutNeed {
            let texts = ["none needed:", "free after 60 s"]
            guard columns.width(index) >= Self.layout().width(of: texts[1]) else { continue }
            parts.append(label(texts[0], columns.middle(index), floor - 42, anchor: "middle", isStrong: true))
            parts.append(label(texts[1], columns.middle(index), floor - 20, anchor: "middle"))
        }
        return parts
    }

    private func failures(_ columns: HeadlineColumns, _ top: Double) -> [Markup] {
        title(["lookups"], ["that failed"], top)
            + bars("failed", 1, columns, top) { $0.failed }
            + phases.indices.compactMap { index in
                guard let error = phases[index].error, (phases[index].failed ?? 0) >= 1,
                    columns.width(index) >= Self.layout().width(of: error)
                else { return nil }
                return label(error, columns.middle(index), top + Size.strip / 2 + 30, anchor: "middle")
            }
    }

    private func timeWait(_ columns: HeadlineColumns, _ top: Double) -> [Markup] {
        title(["TIME_WAIT"], ["sockets of all", "addresses"], top)
            + timeWaitArea(columns, floor: top + Size.strip, strip: Size.strip)
    }

    private func complete(_ caller: (name: String, ms: Double), _ columns: HeadlineColumns, _ top: Double) -> [Markup] {
        title(
            [caller.name.shortened(to: Int((Size.left - 12) / (Size.text * 0.66)))],
            ["complete within", "\(rounded(caller.ms)) ms"],
            top
        ) + bars("complete \(caller.name)", 2, columns, top) { $0.complete[caller.name] }
    }

    // MARK: Pieces

    private func bars(
        _ series: String,
        _ colour: Int,
        _ columns: HeadlineColumns,
        _ top: Double,
        _ percent: (Phase) -> Double?
    ) -> [Markup] {
        var parts = [base(columns, top + Size.strip)]
        for (index, phase) in phases.enumerated() {
            guard let value = percent(phase) else {
                parts.append(
                    label("–", columns.middle(index), top + Size.strip / 2 + 8, anchor: "middle", isStrong: true)
                )
                continue
            }
            let tall = min(100, max(0, value)) / 100 * Size.strip
            parts.append(
                bar(
                    series,
                    phase,
                    colour,
                    x: columns.edges[index] + 3,
                    y: top + Size.strip - tall,
                    width: max(1, columns.width(index) - 6),
                    height: tall
                )
            )
            let (text, size) = fitted("\(rounded(value))%", within: columns.width(index))
            parts.append(
                label(
                    text,
                    columns.middle(index),
                    top + Size.strip / 2 + 8,
                    size: size,
                    anchor: "middle",
                    isStrong: true
                )
            )
        }
        return parts
    }

    private func title(_ strong: [String], _ soft: [String], _ top: Double) -> [Markup] {
        strong.enumerated().map { label($1, 6, top + 18 + Double($0) * 21, isStrong: true) }
            + soft.enumerated().map { label($1, 6, top + 18 + Double(strong.count + $0) * 21) }
    }
}
