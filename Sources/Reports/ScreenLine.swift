/// A line of text, and what it is on a terminal that has colors.
package struct ScreenLine: Sendable, Equatable, ExpressibleByStringInterpolation {
    /// What a text's colour says.
    package enum Tone: Sendable {
        case plain, good, bad, warning, heading

        /// How a terminal is told: ECMA-48, select graphic rendition.
        var code: String? {
            switch self {
            case .plain: nil
            case .good: "32"
            case .bad: "31"
            case .warning: "33"
            case .heading: "1"
            }
        }
    }

    package var text: String
    package var tone: Tone

    package init(_ text: String, _ tone: Tone = .plain) {
        self.text = text
        self.tone = tone
    }

    package init(stringLiteral text: String) {
        self.init(text)
    }
}
