/// Sizes of a chart, in the pixels in which its letters are as large as they should be.
package struct ChartLayout: Sendable {
    package var width: Double
    /// Of the part between the axes.
    var plotHeight: Double
    var fontSize: Double
    var left: Double
    /// Room beside the lines for their names; what is less than 100 holds none, and they stand above.
    var right: Double
    var yTicks: Int
    /// Pixels a mark of the time axis needs.
    var tickWidth: Double
    var name: String

    var hasLabelsBeside: Bool { right >= 100 }

    package static let wide = ChartLayout(
        width: 1000,
        plotHeight: 220,
        fontSize: 16,
        left: 84,
        right: 210,
        yTicks: 5,
        tickWidth: 75,
        name: "wide"
    )
    /// For a telephone, where a chart as wide as a page would have letters that nobody reads.
    package static let narrow = ChartLayout(
        width: 358,
        plotHeight: 210,
        fontSize: 16,
        left: 74,
        right: 8,
        yTicks: 5,
        tickWidth: 50,
        name: "narrow"
    )
    /// For the back row of a room.
    package static let stage = ChartLayout(
        width: 830,
        plotHeight: 265,
        fontSize: 22,
        left: 112,
        right: 6,
        yTicks: 4,
        tickWidth: 100,
        name: "stage"
    )

    /// Width of a letter as a part of the font's size, on average, with bold letters of DejaVu: a wide font.
    var letter = 0.66

    /// Pixels that a text takes at most, whatever the font is.
    func width(of text: String) -> Double { Double(text.count) * fontSize * letter }

    /// A text in lines that are no longer than that many pixels.
    func lines(_ text: String, within pixels: Double) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, width(of: "\(last) \(word)") <= pixels {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines.map { line in
            width(of: line) <= pixels ? line : line.prefix(max(1, Int(pixels / (fontSize * letter)) - 1)) + "…"
        }
    }

    /// Where each name above a chart begins: one after the other, in as many rows as they need.
    func keySlots(_ names: [String]) -> [(row: Int, x: Double)] {
        var (row, x) = (0, 2.0)
        return names.map { name in
            let taken = 36 + width(of: name) + fontSize
            if x > 2, x + taken > width { (row, x) = (row + 1, 2) }
            defer { x += taken }
            return (row, x)
        }
    }

    /// Rows that names above a chart may take; more would be a list, and no picture.
    private static let mostRows = 6

    /// The row of each of several texts that begin at those pixels, so that none is written over another; nil for one that
    /// has no room.
    func rows(_ texts: [(text: String, at: Double)]) -> [Int?] {
        var ends: [Double] = []
        return texts.map { text, at in
            let row = ends.firstIndex { $0 <= at } ?? ends.count
            guard row < Self.mostRows else { return nil }
            if row == ends.count { ends.append(0) }
            ends[row] = at + width(of: text) + 0.7 * fontSize
            return row
        }
    }

    /// Heights that are at least `distance` apart and as near to those given as they can be, within a range.
    static func spread(_ heights: [Double], by distances: [Double], within range: ClosedRange<Double>) -> [Double] {
        var placed = heights
        let order = heights.indices.sorted { heights[$0] < heights[$1] }
        var next = range.lowerBound
        for index in order {
            placed[index] = max(placed[index], next)
            next = placed[index] + distances[index]
        }
        // What was pushed out at the end is pushed back.
        var limit = range.upperBound
        for index in order.reversed() {
            placed[index] = min(placed[index], limit - distances[index])
            limit = placed[index]
        }
        return placed
    }
}
