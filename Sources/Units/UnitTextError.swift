/// A text that is not the quantity it should be: what was read, and what would be right.
package struct UnitTextError: Error, Equatable, CustomStringConvertible {
    package var text: String
    package var expected: String

    package init(text: String, expected: String) {
        self.text = text
        self.expected = expected
    }

    /// One line, whatever the text is.
    package var description: String {
        "'\(text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: " "))' is not \(expected)"
    }
}
