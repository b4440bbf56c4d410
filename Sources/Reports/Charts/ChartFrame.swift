internal import Text

/// The rectangle between the axes of a chart, and what stands around it.
struct ChartFrame {
    let layout: ChartLayout
    let x: ChartScale
    let y: ChartScale
    /// Pixels above the rectangle.
    let top: Double

    var bottom: Double { top + layout.plotHeight }
    var right: Double { layout.width - layout.right }
    var height: Double { bottom + 2.9 * layout.fontSize }

    func across(_ value: Double) -> Double? {
        x.share(of: value).map { layout.left + $0 * (right - layout.left) }
    }

    func up(_ value: Double) -> Double? { y.share(of: value).map { bottom - $0 * layout.plotHeight } }

    /// Grid, numbers and titles of both axes.
    /// - Parameter xTicks: numbers across; nil for round ones.
    func axes(xTitle: String, yTitle: String, xTicks: [Double]? = nil, xText: (Double) -> String) -> [Markup] {
        var parts: [Markup] = []
        for tick in y.ticks(layout.yTicks) {
            guard let height = up(tick) else { continue }
            parts.append(line(layout.left, height, right, height, "rule"))
            parts.append(text(rounded(tick), layout.left - 8, height + 0.35 * layout.fontSize, anchor: "end"))
        }
        let count = Int((right - layout.left) / layout.tickWidth)
        var next = -Double.infinity
        for tick in xTicks ?? x.ticks(count) {
            guard let at = across(tick), at >= next else { continue }
            // Numbers that are given may lie as they like.
            if xTicks != nil { next = at + layout.width(of: xText(tick)) + layout.fontSize }
            parts.append(line(at, bottom, at, bottom + 5, "edge"))
            parts.append(text(xText(tick), at, bottom + 1.3 * layout.fontSize, anchor: "middle"))
        }
        parts.append(line(layout.left, bottom, right, bottom, "edge"))
        parts.append(line(layout.left, top, layout.left, bottom, "edge"))
        parts.append(text(xTitle, right, height - 0.3 * layout.fontSize, anchor: "end"))
        return parts
    }

    /// The whole picture. What reads its values back finds the scales and the rectangle in `data-` attributes.
    /// - Parameter id: of the chart; the layout's name makes it the picture's.
    func chart(id: String, title: String, description: String, isAlone: Bool, _ parts: [Markup]) -> Markup {
        picture(
            id: "\(id)-\(layout.name)",
            title: title,
            description: description,
            width: layout.width,
            height: height,
            fontSize: layout.fontSize,
            attributes: [
                .init(name: "class", value: "chart \(layout.name)"),
                .init(name: "data-scale", value: y.kind.rawValue), .init(name: "data-x-scale", value: x.kind.rawValue),
                .init(name: "data-begin", value: "\(x.low)"), .init(name: "data-end", value: "\(x.high)"),
                .init(name: "data-low", value: "\(y.low)"), .init(name: "data-high", value: "\(y.high)"),
                .init(name: "data-left", value: coordinate(layout.left)),
                .init(name: "data-right", value: coordinate(right)), .init(name: "data-top", value: coordinate(top)),
                .init(name: "data-bottom", value: coordinate(bottom)),
            ],
            isAlone: isAlone,
            parts
        )
    }

    func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ name: String, dash: String? = nil) -> Markup {
        .make(
            "line",
            [
                "class": name, "stroke": name == "rule" ? Palette.lightInk[2] : Palette.lightInk[0],
                "stroke-dasharray": dash, "x1": coordinate(x1), "x2": coordinate(x2), "y1": coordinate(y1),
                "y2": coordinate(y2),
            ]
        )
    }

    func text(
        _ content: String,
        _ x: Double,
        _ y: Double,
        anchor: String? = nil,
        isStrong: Bool = false,
        hasHalo: Bool = false
    )
        -> Markup
    {
        .make(
            "text",
            [
                // What it is written over stays behind it.
                "stroke": hasHalo ? Palette.lightGrounds[0] : nil, "stroke-width": hasHalo ? "5" : nil,
                "stroke-linejoin": hasHalo ? "round" : nil, "paint-order": hasHalo ? "stroke" : nil,
                "class": (isStrong ? "ink" : "soft-ink") + (hasHalo ? " halo" : ""),
                "fill": Palette.lightInk[isStrong ? 0 : 1],
                "font-weight": isStrong ? "600" : nil, "text-anchor": anchor, "x": coordinate(x), "y": coordinate(y),
            ],
            [.text(content)]
        )
    }
}

/// A whole picture: what it shows in words, for those who do not see it, and for a browser to say.
func picture(
    id: String,
    title: String,
    description: String,
    width: Double,
    height: Double,
    fontSize: Double,
    attributes: [Markup.Attribute] = [],
    isAlone: Bool,
    _ children: [Markup]
) -> Markup {
    var all: [Markup.Attribute] = [
        .init(name: "xmlns", value: "http://www.w3.org/2000/svg"),
        .init(name: "viewBox", value: "0 0 \(coordinate(width)) \(coordinate(height))"),
        .init(name: "role", value: "img"),
        .init(name: "aria-labelledby", value: "\(id)-title \(id)-desc"),
        .init(name: "font-family", value: "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif"),
        .init(name: "font-size", value: coordinate(fontSize)),
    ]
    // A viewer without a page around it takes its size from here.
    if isAlone {
        all += [.init(name: "width", value: coordinate(width)), .init(name: "height", value: coordinate(height))]
    }
    let ground = Markup.make(
        "rect",
        ["class": "ground", "fill": Palette.lightGrounds[0], "width": coordinate(width), "height": coordinate(height)]
    )
    let parts: [Markup] =
        [
            .make("title", ["id": "\(id)-title"], [.text(title)]),
            .make("desc", ["id": "\(id)-desc"], [.text(description)]),
        ] + (isAlone ? [.make("style", [:], [.text(Palette.style)])] : []) + [ground] + children
    // A file of its own is kept in a tree, where lines are compared.
    return .element("svg", all + attributes, isAlone ? parts.flatMap { ["\n", $0] } + ["\n"] : parts)
}
