internal import LoadGenerator
package import Results
internal import Text
package import Units

/// A claim about a phase over the names of its result: `lookups.errors.EADDRINUSE > 0`,
/// `timeWaitPeak > portsCapacity`, `dials.ok within 1% of dials.expected`.
package struct Expectation: Sendable {
    private enum Comparison: Sendable {
        case equal, unequal, less, lessOrEqual, more, moreOrEqual
        /// A share, 0.01 for 1%.
        case within(Double)

        func holds(_ left: Double, _ right: Double) -> Bool {
            switch self {
            case .equal: left == right
            case .unequal: left != right
            case .less: left < right
            case .lessOrEqual: left <= right
            case .more: left > right
            case .moreOrEqual: left >= right
            case .within(let share): abs(left - right) <= share * abs(right)
            }
        }
    }

    /// A number, or a name whose value is looked up.
    private enum Term: Sendable {
        case number(Double)
        case name(String)

        func value(_ phase: PhaseResult) -> Double {
            switch self {
            case .number(let number): number
            case .name(let name): Measures.value(name, of: phase)
            }
        }

        var isName: Bool { if case .name = self { true } else { false } }
    }

    /// A sum of products.
    private struct Expression: Sendable {
        var sum: [[Term]]

        func value(_ phase: PhaseResult) -> Double {
            sum.reduce(0) { $0 + $1.reduce(1) { $0 * $1.value(phase) } }
        }

        var hasNames: Bool { sum.joined().contains(where: \.isName) }
    }

    /// The claim as it was written.
    package let text: String
    private let left: Expression
    private let right: Expression
    private let comparison: Comparison

    /// - Parameter clients: whose names may be used.
    /// - Throws: ``UnitTextError`` with what is wrong: the form, or a name that is none.
    package init(text: String, clients: [String]) throws(UnitTextError) {
        self.text = text
        let words = text.split(separator: " ").map(String.init)
        let form = UnitTextError(
            text: text,
            expected: "a claim: write it as 'dials.ok > 0' or 'dials.ok within 1% of 100'"
        )
        let operators: [String: Comparison] = [
            "==": .equal, "!=": .unequal, "<": .less, "<=": .lessOrEqual, ">": .more, ">=": .moreOrEqual,
        ]
        if let place = words.firstIndex(where: { operators[$0] != nil }) {
            comparison = operators[words[place]]!
            left = try Self.expression(words[..<place], clients, form)
            right = try Self.expression(words[(place + 1)...], clients, form)
        } else if let place = words.firstIndex(of: "within"), place + 2 < words.count, words[place + 1].hasSuffix("%"),
            words[place + 2] == "of", let percent = Double(words[place + 1].dropLast()), percent >= 0
        {
            comparison = .within(percent / 100)
            left = try Self.expression(words[..<place], clients, form)
            right = try Self.expression(words[(place + 3)...], clients, form)
        } else {
            throw form
        }
    }

    /// What was observed, and whether the claim holds.
    package func judge(_ phase: PhaseResult) -> (observed: String, pass: Bool) {
        let (left, right) = (left.value(phase), right.value(phase))
        let observed = self.right.hasNames ? "\(rounded(left)) and \(rounded(right))" : rounded(left)
        return (observed, comparison.holds(left, right))
    }

    private static func expression(
        _ words: ArraySlice<String>,
        _ clients: [String],
        _ form: UnitTextError
    ) throws(UnitTextError) -> Expression {
        var sum: [[Term]] = [[]]
        for (place, word) in words.enumerated() {
            // Terms and signs take turns.
            if place % 2 == 1 {
                guard word == "+" || word == "*" else { throw form }
                if word == "+" { sum.append([]) }
            } else {
                sum[sum.count - 1].append(try term(word, clients))
            }
        }
        guard words.count % 2 == 1 else { throw form }
        return Expression(sum: sum)
    }

    private static func term(_ word: String, _ clients: [String]) throws(UnitTextError) -> Term {
        if let number = Double(word) { return .number(number) }
        if let size = try? ByteCount(text: word) { return .number(Double(size.bytes)) }
        if let problem = Measures.problem(word, clients: clients) {
            throw UnitTextError(text: word, expected: "a name of the result: \(problem)")
        }
        return .name(word)
    }
}
