/// A table in plain text: names to the left, numbers to the right, as wide as what stands in it.
package struct TextTable {
    private var rows: [[String]]

    package init(header: [String]) {
        rows = [header]
    }

    package mutating func add(_ row: [String]) {
        rows.append(row)
    }

    /// The lines, two spaces between columns.
    package var lines: [String] {
        let columns = rows[0].count
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            let line = cells.joined(separator: "  ")
            return String(line[...(line.lastIndex { $0 != " " } ?? line.startIndex)])
        }
    }
}

/// A number for a person to read: three significant digits below a thousand, whole from there.
package func rounded(_ number: Double) -> String {
    // Beyond what an Int holds, and where a Double has no digits left.
    guard abs(number) < 1e15 else { return "\(number)" }
    let scale = abs(number) >= 100 ? 1.0 : abs(number) >= 10 ? 10.0 : 100.0
    let value = (number * scale).rounded() / scale
    return value == value.rounded() ? grouped(Int(value)) : String(value)
}

/// A whole number with thousands set off: 28,232.
package func grouped(_ number: Int) -> String {
    let digits = String(abs(number))
    var text = ""
    for (place, digit) in digits.enumerated() {
        if place > 0, (digits.count - place) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return number < 0 ? "-" + text : text
}
