internal import Text
package import Units

/// A claim about a result over the names of its measures: `lookups.errors.EADDRINUSE > 0`,
/// `timeWaitPeak > portsCapacity`, `dials.ok within 1% of dials.expected`.
package struct Claim<Subject>: Sendable {
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

    /// A number, or a measure of the result; nil where it was not measured.
    package enum Term: Sendable {
        case number(Double)
        case measure(name: String, @Sendable (Subject) -> Double?)

        fileprivate func value(_ subject: Subject) -> Double? {
            switch self {
            case .number(let number): number
            case .measure(_, let value): value(subject)
            }
        }

        fileprivate var name: String? { if case .measure(let name, _) = self { name } else { nil } }
    }

    /// A sum of products.
    private struct Expression: Sendable {
        var sum: [[Term]]

        /// Nil when one of its terms is absent.
        func value(_ subject: Subject) -> Double? {
            var total = 0.0
            for product in sum {
                var value = 1.0
                for term in product {
                    guard let factor = term.value(subject) else { return nil }
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

    /// - Parameters:
    ///   - example: claims as they can be written.
    ///   - measure: the measure of a name, or a number in a unit.
    /// - Throws: ``UnitTextError`` with what is wrong: the form, or a name that is none.
    package init(
        text: String,
        example: String,
        measure: (String) throws(UnitTextError) -> Term
    ) throws(UnitTextError) {
        self.text = text
        let words = text.split(separator: " ").map(String.init)
        let form = UnitTextError(text: text, expected: "a claim: write it as \(example)")
        let operators: [String: Comparison] = [
            "==": .equal, "!=": .unequal, "<": .less, "<=": .lessOrEqual, ">": .more, ">=": .moreOrEqual,
        ]
        if let index = words.firstIndex(where: { operators[$0] != nil }) {
            comparison = operators[words[index]]!
            left = try Self.expression(words[..<index], form, measure)
            right = try Self.expression(words[(index + 1)...], form, measure)
        } else if let index = words.firstIndex(of: "within"), index + 2 < words.count, words[index + 1].hasSuffix("%"),
            words[index + 2] == "of", let percent = Double(words[index + 1].dropLast()), percent >= 0, percent.isFinite
        {
            comparison = .within(percent / 100)
            left = try Self.expression(words[..<index], form, measure)
            right = try Self.expression(words[(index + 3)...], form, measure)
        } else {
            throw form
        }
        guard !names.isEmpty else {
            throw UnitTextError(text: text, expected: "a claim about the result: use a name of it")
        }
    }

    /// The names it uses.
    package var names: [String] { left.names + right.names }

    /// What was observed, and whether the claim holds; nil when something in it was not measured.
    package func judge(_ subject: Subject) -> (observed: String, holds: Bool?) {
        let (left, right) = (left.value(subject), right.value(subject))
        let sides = self.right.names.isEmpty ? [left] : self.left.names.isEmpty ? [right] : [left, right]
        let observed = sides.map { $0.map { rounded($0) } ?? "not measured" }.joined(separator: " against ")
        guard let left, let right else { return (observed, nil) }
        return (observed, comparison.holds(left, right))
    }

    private static func expression(
        _ words: ArraySlice<String>,
        _ form: UnitTextError,
        _ measure: (String) throws(UnitTextError) -> Term
    ) throws(UnitTextError) -> Expression {
        var sum: [[Term]] = [[]]
        for (index, word) in words.enumerated() {
            // Terms and signs alternate.
            if index % 2 == 1 {
                guard word == "+" || word == "*" else { throw form }
                if word == "+" { sum.append([]) }
            } else if let number = Double(word), number.isFinite {
                // What every number is compared to alike says nothing.
                sum[sum.count - 1].append(.number(number))
            } else if let size = try? ByteCount(text: word) {
                sum[sum.count - 1].append(.number(Double(size.bytes)))
            } else {
                sum[sum.count - 1].append(try measure(word))
            }
        }
        guard words.count % 2 == 1 else { throw form }
        return Expression(sum: sum)
    }
}
