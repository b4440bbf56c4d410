extension String {
    /// The text in no more characters than that, at least one: a longer one loses its middle.
    package func shortened(to width: Int) -> String {
        guard count > width, width > 0 else { return self }
        let end = (width - 1) / 2
        return prefix(width - 1 - end) + "…" + suffix(end)
    }

    /// The text in lines of so many characters, broken between words; a word that is longer has a line to itself.
    /// - Parameters:
    ///   - width: nil for one line.
    ///   - indent: what all lines but the first begin with.
    package func wrapped(to width: Int?, indent: String = "") -> [String] {
        guard let width, count > width else { return [self] }
        var lines: [String] = []
        var line = ""
        for word in split(separator: " ", omittingEmptySubsequences: false) {
            if !line.isEmpty, line != indent, line.count + 1 + word.count > width {
                lines.append(line)
                line = indent + word
            } else {
                line += line.isEmpty || line == indent ? String(word) : " " + word
            }
        }
        return lines + [line]
    }
}
