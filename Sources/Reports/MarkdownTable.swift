internal import Text

/// A table in Markdown, names to the left and numbers to the right.
enum MarkdownTable {
    /// - Parameter text: columns that hold text, the first one always.
    static func lines(header: [String], rows: [[String]], text: Set<Int> = []) -> [String] {
        let rule = header.indices.map { $0 == 0 || text.contains($0) ? "---" : "---:" }
        return [line(header), "|" + rule.joined(separator: "|") + "|"] + rows.map(line)
    }

    private static func line(_ cells: [String]) -> String {
        "| " + cells.map(cell).joined(separator: " | ") + " |"
    }

    /// Text of others in a cell: one line, no end of the cell, and no markup of its own.
    static func cell(_ text: String) -> String {
        // What begins with spaces belongs to the row above it.
        let trimmed = text.drop { $0 == " " }
        let indent = trimmed.count < text.count ? "&nbsp;&nbsp;" : ""
        return indent + escaped(String(trimmed))
    }

    /// Text of others where Markdown is read.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.printable {
            if "\\`*_[]<>|#".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}
