package import Units

/// How many URIs batches have: always as many, any number of a range, or one of several ranges by weight.
/// Written `5`, `1..50` or `90%:1..50,10%:20000`.
package struct BatchSizes: Sendable, Equatable, CustomStringConvertible {
    /// A range of sizes and its weight.
    package struct Part: Sendable, Equatable {
        /// Of all batches, from 0 to 1.
        package var share: Double
        package var range: ClosedRange<Int>
    }

    package static let largest = 1_000_000

    /// Their shares make 1.
    package let parts: [Part]

    package init(_ range: ClosedRange<Int>) {
        parts = [Part(share: 1, range: range)]
    }

    /// - Throws: ``UnitTextError`` with the form.
    package init(text: String) throws(UnitTextError) {
        let texts = text.split(separator: ",", omittingEmptySubsequences: false)
        if texts.count == 1, !text.contains("%") {
            self.init(try Self.range(text))
            return
        }
        var parts: [Part] = []
        for part in texts {
            let sides = part.split(separator: ":", omittingEmptySubsequences: false)
            guard sides.count == 2, sides[0].hasSuffix("%"), let percent = Double(sides[0].dropLast()), percent > 0,
                percent <= 100
            else {
                throw UnitTextError(text: text, expected: "batch sizes by weight: write them as in 90%:1..50,10%:20000")
            }
            parts.append(Part(share: percent / 100, range: try Self.range(String(sides[1]))))
        }
        guard abs(parts.reduce(0) { $0 + $1.share } - 1) < 1e-6 else {
            throw UnitTextError(text: text, expected: "batch sizes by weight: the shares must make 100%")
        }
        self.init(parts)
    }

    private init(_ parts: [Part]) {
        self.parts = parts
    }

    private static func range(_ text: String) throws(UnitTextError) -> ClosedRange<Int> {
        let numbers = text.split(separator: "..", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard (1...2).contains(numbers.count), let low = numbers.first, let high = numbers.last,
            low >= 1, high >= low, high <= largest
        else {
            throw UnitTextError(text: text, expected: "a batch size: write N or LO..HI, from 1 to \(largest)")
        }
        return low...high
    }

    /// The smallest and the largest batch.
    package var bounds: ClosedRange<Int> {
        parts.map(\.range.lowerBound).min()!...parts.map(\.range.upperBound).max()!
    }

    /// URIs of a batch, on average.
    package var mean: Double {
        parts.reduce(0) { $0 + $1.share * Double($1.range.lowerBound + $1.range.upperBound) / 2 }
    }

    /// A batch's size, in URIs.
    package func draw(using generator: inout SplitMix64) -> Int {
        var range = parts[parts.count - 1].range
        if parts.count > 1 {
            var left = Double.random(in: 0..<1, using: &generator)
            for part in parts {
                left -= part.share
                if left < 0 {
                    range = part.range
                    break
                }
            }
        }
        return Int.random(in: range, using: &generator)
    }

    package var description: String {
        func text(_ range: ClosedRange<Int>) -> String {
            range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)..\(range.upperBound)"
        }
        if parts.count == 1 { return text(parts[0].range) }
        return parts.map { part in
            let percent = (part.share * 1e8).rounded() / 1e6
            return "\(percent == percent.rounded() ? "\(Int(percent))" : "\(percent)")%:\(text(part.range))"
        }.joined(separator: ",")
    }
}
