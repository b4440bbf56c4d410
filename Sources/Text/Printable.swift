extension Unicode.Scalar {
    /// Whether it shows as itself wherever a line is shown. Controls (C1 too, of which U+009B begins a terminal's
    /// command) do not, nor do marks of direction and other invisible formatting, nor ends of line and paragraph.
    package var isPrintable: Bool {
        if value < 0x7f { return value >= 0x20 }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
        default: return !properties.isDefaultIgnorableCodePoint
        }
    }
}

extension String {
    /// The text with a question mark for whatever is not printable, as names and messages of others are shown.
    package var printable: String { printable(keeping: "") }

    /// The same for text of several lines.
    package var printableLines: String { printable(keeping: "\n\t") }

    private func printable(keeping kept: String) -> String {
        let kept = kept.unicodeScalars
        if unicodeScalars.allSatisfy({ $0.isPrintable || kept.contains($0) }) { return self }
        var text = ""
        for scalar in unicodeScalars {
            text.unicodeScalars.append(scalar.isPrintable || kept.contains(scalar) ? scalar : "?")
        }
        return text
    }

    /// The beginning of it in so many bytes of UTF-8, printable.
    package func printable(bytes: Int) -> String {
        var text = ""
        var left = bytes
        for scalar in unicodeScalars {
            let shown = scalar.isPrintable ? scalar : "?"
            left -= UTF8.width(shown)
            if left < 0 { break }
            text.unicodeScalars.append(shown)
        }
        return text
    }
}
