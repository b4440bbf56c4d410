/// One thing the doctor looked at: what it is here, what that means, and what to do.
package struct Finding: Sendable, Codable, Equatable {
    /// How much a finding matters.
    package enum Level: String, Sendable, Codable {
        case good
        /// The run works, but differs; the meaning says how.
        case notice
        /// The run cannot work.
        case bad
    }

    package var name: String
    package var value: String
    package var level: Level
    package var meaning: String
    /// What to do about it; empty when there is nothing to do.
    package var advice: String

    init(_ name: String, _ value: String, _ level: Level = .good, _ meaning: String, advice: String = "") {
        self.name = name
        self.value = value
        self.level = level
        self.meaning = meaning
        self.advice = advice
    }

    package var lines: [String] {
        let mark =
            switch level {
            case .good: "ok  "
            case .notice: "note"
            case .bad: "BAD "
            }
        var lines = ["\(mark) \(name): \(value)", "     \(meaning)"]
        if !advice.isEmpty { lines.append("     do: \(advice)") }
        return lines
    }
}
