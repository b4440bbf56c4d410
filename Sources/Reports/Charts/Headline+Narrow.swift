internal import Text

extension Headline {
    private enum Size {
        static let width = 390.0
        static let left = 8.0
        static let right = 382.0
        static let strip = 96.0
        static let row = 27.0
        static let text = 17.0
    }

    private static func layout(letter: Double) -> ChartLayout {
        var layout = ChartLayout.narrow
        (layout.width, layout.fontSize, layout.letter) = (Size.width, Size.text, letter)
        return layout
    }

    /// The picture for a telephone: the same figures, phases below each other, areas as wide as the screen.
    /// - Parameter isAlone: whether it is a file of its own, not a part of a page.
    package func narrowSVG(isAlone: Bool = false) -> Markup {
        let columns = HeadlineColumns(phases, from: Size.left, to: Size.right, atLeast: 24)
        var parts: [Markup] = []
        var top = 4.0
        func add(_ drawn: (parts: [Markup], height: Double)) {
            parts += drawn.parts
            top += drawn.height
        }
        add(key(top))
        add(strip(isSplit ? "ports of one source address" : "ports in use of one address", columns, top, portStrip))
        add(rows("lookups that failed", "failed", 1, top) { $0.failed })
        add(strip("TIME_WAIT, sockets of all addresses", columns, top, timeWaitArea))
        for caller in callers {
            let name = caller.name.shortened(to: Int((Size.right - Size.left - 10) / (Size.text * 0.66)))
            add(
                rows(name, "complete \(caller.name)", 2, top, note: "complete within \(rounded(caller.ms)) ms") {
                    $0.complete[caller.name]
                }
            )
        }
        if phasesLeftOut > 0 {
            parts.append(label(leftOutText, Size.left, top + 16))
            top += 24
        }
        return picture(
            id: "headline-narrow",
            title: title,
            description: description,
            width: Size.width,
            height: top,
            fontSize: Size.text,
            attributes: [
                .init(name: "class", value: "headline-picture narrow"),
                .init(name: "data-bar", value: coordinate(Self.barWidth)),
                .init(name: "data-strip", value: coordinate(Size.strip)),
            ],
            isAlone: isAlone,
            parts
        )
    }

    /// The phases by number and name, and what each is.
    private func key(_ top: Double) -> (parts: [Markup], height: Double) {
        let layout = Self.layout(letter: 0.56)
        var parts: [Markup] = []
        var height = 0.0
        for (index, phase) in phases.enumerated() {
            let room = Size.right - Size.left - 26
            let name = phase.name.shortened(to: Int(room / (Size.text * 0.66)))
            parts.append(label("\(index + 1)", Size.left, top + height + 18, isStrong: true))
            parts.append(label(name, Size.left + 26, top + height + 18, isStrong: true))
            height += 22
            for line in layout.lines(phase.caption, within: room).prefix(3) {
                parts.append(label(line, Size.left + 26, top + height + 16))
                height += 20
            }
            height += 4
        }
        return (parts, height + 8)
    }

    private typealias Strip = (_ columns: HeadlineColumns, _ floor: Double, _ strip: Double) -> [Markup]

    /// An area over time, with the numbers of the phases above it.
    private func strip(_ name: String, _ columns: HeadlineColumns, _ top: Double, _ draw: Strip) -> (
        parts: [Markup], height: Double
    ) {
        let hasKey = isSplit && name.hasPrefix("ports")
        let roof = top + 48 + (hasKey ? 22 : 0)
        let floor = roof + Size.strip
        var parts = bands(columns, from: roof - 24, to: floor)
        parts.append(label(name, Size.left, top + 18, isStrong: true))
        if hasKey {
            parts += [
                swatch(0, Size.left, top + 34), label("open", Size.left + 28, top + 40),
                swatch(3, Size.left + 90, top + 34), label("in TIME_WAIT", Size.left + 118, top + 40),
            ]
        }
        for index in phases.indices {
            parts.append(label("\(index + 1)", columns.middle(index), roof - 6, anchor: "middle", isStrong: true))
        }
        parts += draw(columns, floor, Size.strip)
        if let first = phases.first, let last = phases.last {
            parts.append(label("\(rounded(first.from)) s", Size.left, floor + 19))
            parts.append(label("\(rounded(last.to)) s", Size.right, floor + 19, anchor: "end"))
        }
        return (parts, floor - top + 36)
    }

    private func portStrip(_ columns: HeadlineColumns, _ floor: Double, _ strip: Double) -> [Markup] {
        // Said below the picture: no column is as wide as the words.
        let numbers = phasesWithoutNeed.map { "\($0 + 1)" }.joined(separator: ", ")
        let note =
            numbers.isEmpty
            ? [] : [label("\(numbers): none needed", (Size.left + Size.right) / 2, floor + 19, anchor: "middle")]
        return portAreas(columns, floor: floor, strip: strip) + note
    }

    private static let barLeft = 150.0
    private static let barWidth = Size.right - barLeft

    /// A share of each phase as a bar.
    private func rows(
        _ name: String,
        _ series: String,
        _ colour: Int,
        _ top: Double,
        note: String? = nil,
        _ percent: (Phase) -> Double?
    ) -> (parts: [Markup], height: Double) {
        var parts = [label(name, Size.left, top + 18, isStrong: true)]
        var height = 26.0
        if let note {
            parts.append(label(note, Size.left, top + height + 14))
            height += 22
        }
        let letters = Int((Self.barLeft - Size.left - 6) / (Size.text * 0.58))
        for (index, phase) in phases.enumerated() {
            let y = top + height
            parts.append(label("\(index + 1) \(phase.name)".shortened(to: letters), Size.left, y + 19))
            let value = percent(phase)
            if let value {
                parts.append(
                    bar(
                        series,
                        phase,
                        colour,
                        x: Self.barLeft,
                        y: y + 2,
                        width: min(100, max(0, value)) / 100 * Self.barWidth,
                        height: Size.row - 4
                    )
                )
            }
            let error = series == "failed" && (value ?? 0) >= 1 ? phase.error.map { " \($0)" } ?? "" : ""
            let figure = PageParts.percent(value) + error
            let shown = Self.layout(letter: 0.66).lines(figure, within: Self.barWidth - 8)
            parts.append(label(shown.joined(separator: " "), Self.barLeft + 6, y + 19, isStrong: true))
            height += Size.row
        }
        return (parts, height + 14)
    }
}
