/// A table in plain text: names to the left, numbers to the right, as wide as what stands in it. A cell is one line,
/// whatever its text is.
package struct TextTable {
    private var rows: [[String]]

    package init(header: [String]) {
        rows = [header.map(\.printable)]
    }

    /// Adds a row, of as many cells as the header has.
    package mutating func add(_ row: [String]) {
        rows.append(row.map(\.printable))
    }

    /// The lines, two spaces between columns.
    package var lines: [String] { blocks(fitting: nil)[0] }

    /// The lines in so many characters: what is too long loses its middle, and columns that do not fit stand in further
    /// blocks below, the names beside them again.
    /// - Parameter width: nil for as wide as it is.
    package func lines(fitting width: Int?) -> [String] {
        Array(blocks(fitting: width).joined(separator: [""]))
    }

    /// The header and all rows, once for each group of columns that fits.
    package func blocks(fitting width: Int?) -> [[String]] {
        var widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        if let width {
            widths[0] = min(widths[0], max(8, width / 2))
            let room = max(4, width - widths[0] - 2)
            for column in widths.indices.dropFirst() { widths[column] = min(widths[column], room) }
        }
        var groups: [[Int]] = []
        var taken = 0
        for column in widths.indices.dropFirst() {
            let needed = widths[column] + 2
            if groups.isEmpty || width.map({ taken + needed > $0 }) == true {
                groups.append([])
                taken = widths[0]
            }
            groups[groups.count - 1].append(column)
            taken += needed
        }
        return (groups.isEmpty ? [[]] : groups).map { group in
            rows.map { row in line(row, [0] + group, widths) }
        }
    }

    private func line(_ row: [String], _ columns: [Int], _ widths: [Int]) -> String {
        let cells = columns.map { column in
            let cell = row[column].shortened(to: widths[column])
            let space = String(repeating: " ", count: widths[column] - cell.count)
            return column == 0 ? cell + space : space + cell
        }
        let line = cells.joined(separator: "  ")
        return String(line[..<(line.lastIndex { $0 != " " }.map { line.index(after: $0) } ?? line.startIndex)])
    }
}
