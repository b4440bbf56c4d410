package import LoadGenerator
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

    /// A number, or a measure of the phase.
    private enum Term: Sendable {
        case number(Double)
        case measure(Measure<PhaseResult>)

        func value(_ phase: PhaseResult) -> Double? {
            switch self {
            case .number(let number): number
            case .measure(let measure): measure.value(phase)
            }
        }

        var name: String? { if case .measure(let measure) = self { measure.name } else { nil } }
    }

    /// A sum of products.
    private struct Expression: Sendable {
        var sum: [[Term]]

        /// Nil when one of its terms is absent.
        func value(_ phase: PhaseResult) -> Double? {
            var total = 0.0
            for product in sum {
                var value = 1.0
                for term in product {
                    guard let factor = term.value(phase) else { return nil }
                    value *= factor
                }
                total += value
            }
            return total
        }

        var names: [String] { sum.joined().compactMap(\.name) }
    }

    /// The claim as it was written.
    package let text: String
    private let left: Expression
    private let right: Expression
    private let comparison: Comparison

    /// - Parameter clients: that send in the phase, whose names may be used.
    /// - Throws: ``UnitTextError`` with what is wrong: the form, or a name that is none.
    package init(text: String, clients: [ClientSpec]) throws(UnitTextError) {
        self.text = text
        let words = text.split(separator: " ").map(String.init)
        let form = UnitTextError(
            text: text,
            expected: "a claim: write it as 'dials.ok > 0' or 'dials.ok within 1% of 100'"
        )
        let operators: [String: Comparison] = [
            "==": .equal, "!=": .unequal, "<": .less, "<=": .lessOrEqual, ">": .more, ">=": .moreOrEqual,
        ]
        if let index = words.firstIndex(where: { operators[$0] != nil }) {
            comparison = operators[words[index]]!
            left = try Self.expression(words[..<index], clients, form)
            right = try Self.expression(words[(index + 1)...], clients, form)
        } else if let index = words.firstIndex(of: "within"), index + 2 < words.count, words[index + 1].hasSuffix("%"),
            words[index + 2] == "of", let percent = Double(words[index + 1].dropLast()), percent >= 0, percent.isFinite
        {
            comparison = .within(percent / 100)
            left = try Self.expression(words[..<index], clients, form)
            right = try Self.expression(words[(index + 3)...], clients, form)
        } else {
            throw form
        }
        guard !names.isEmpty else {
            throw UnitTextError(text: text, expected: "a claim about the phase: use a name of its result")
        }
    }

    /// The names it uses.
    package var names: [String] { left.names + right.names }

    /// What was observed, and whether the claim holds: it does not when something in it was not measured.
    package func judge(_ phase: PhaseResult) -> (observed: String, pass: Bool) {
        let (left, right) = (left.value(phase), right.value(phase))
        let sides = self.right.names.isEmpty ? [left] : self.left.names.isEmpty ? [right] : [left, right]
        let observed = sides.map { $0.map { rounded($0) } ?? "not measured" }.joined(separator: " and ")
        guard let left, let right else { return (observed, false) }
        return (observed, comparison.holds(left, right))
    }

    private static func expression(
        _ words: ArraySlice<String>,
        _ clients: [ClientSpec],
        _ form: UnitTextError
    ) throws(UnitTextError) -> Expression {
        var sum: [[Term]] = [[]]
        for (index, word) in words.enumerated() {
            // Terms and signs alternate.
            if index % 2 == 1 {
                guard word == "+" || word == "*" else { throw form }
                if word == "+" { sum.append([]) }
            } else {
                sum[sum.count - 1].append(try term(word, clients))
            }
        }
        guard words.count % 2 == 1 else { throw form }
        return Expression(sum: sum)
    }

    private static func term(_ word: String, _ clients: [ClientSpec]) throws(UnitTextError) -> Term {
        // What every number is compared to alike says nothing.
        if let number = Double(word), number.isFinite { return .number(number) }
        if let size = try? ByteCount(text: word) { return .number(Double(size.bytes)) }
        return .measure(try Measures.named(word, clients: clients))
    }
}
