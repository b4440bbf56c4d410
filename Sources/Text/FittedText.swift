extension String {
    /// The text in no more characters than that, at least one: a longer one loses its middle.
    package func shortened(to width: Int) -> String {
        guard count > width, width > 0 else { return self }
        let end = (width - 1) / 2
        return prefix(width - 1 - end) + "…" + suffix(end)
    }

    /// The text in lines of so many characters, broken between words; a word that is longer is broken where the line
    /// ends. What it begins with stays.
    /// - Parameters:
    ///   - width: nil for one line.
    ///   - indent: what all lines but the first begin with; shorter than the width.
    package func wrapped(to width: Int?, indent: String = "") -> [String] {
        guard let width, count > width, indent.count < width else { return [self] }
        var lines: [String] = []
        var line = String(prefix { $0 == " " })
        var isEmpty = true
        for word in split(separator: " ") {
            var word = word
            if !isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                (line, isEmpty) = (indent, true)
            }
            while line.count + word.count > width, line.count < width {
                let room = width - line.count
                lines.append(line + word.prefix(room))
                (line, word) = (indent, word.dropFirst(room))
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return lines + [line]
    }
}
