internal import Glibc
package import Units

/// Which posts are asked for how often.
package enum Popularity: Sendable, Equatable, CustomStringConvertible {
    /// A batch is a run of neighbours from anywhere: each post as often as any other, none twice in a batch.
    case uniform
    /// Post number k as often as 1/k^exponent: a few posts get nearly all of it. Each URI is drawn by itself, so that a
    /// popular post may come twice in a batch.
    case zipf(exponent: Double)

    /// Exponents of the clusters of J. Yang, Y. Yue, K. V. Rashmi: A large scale analysis of hundreds of in-memory cache
    /// clusters at Twitter, OSDI 2020, as published with the traces (twitter/cache-trace, stat/2020Mar.md).
    private static let twitter: [Int: Double] = [1: 2.68, 18: 2.10, 29: 1.23]

    /// - Throws: ``UnitTextError`` with the form.
    package init(text: String) throws(UnitTextError) {
        let sides = text.split(separator: ":", omittingEmptySubsequences: false)
        if text == "uniform" {
            self = .uniform
        } else if sides.count == 2, sides[0] == "zipf", let exponent = Double(sides[1]), exponent > 0, exponent <= 10 {
            self = .zipf(exponent: exponent)
        } else if sides.count == 2, sides[0] == "twitter", let exponent = Int(sides[1]).flatMap({ Self.twitter[$0] }) {
            self = .zipf(exponent: exponent)
        } else {
            let clusters = Self.twitter.keys.sorted().map { "twitter:\($0)" }.joined(separator: ", ")
            throw UnitTextError(
                text: text,
                expected: "a popularity: use uniform, zipf:EXPONENT as in zipf:1.1 (above 0 to 10), or \(clusters)"
            )
        }
    }

    package var description: String {
        switch self {
        case .uniform: "uniform"
        case .zipf(let exponent): "zipf:\(exponent)"
        }
    }
}

/// Draws ranks by Zipf's law without a table: W. Hörmann, G. Derflinger: Rejection-inversion to generate variates from
/// monotone discrete distributions, ACM TOMACS 6, 1996.
package struct ZipfDistribution: Sendable {
    private let count: Double
    private let exponent: Double
    private let first: Double
    private let last: Double
    private let shortcut: Double

    /// - Parameters:
    ///   - count: ranks, 1 or more.
    ///   - exponent: above 0.
    package init(count: Int, exponent: Double) {
        self.count = Double(count)
        self.exponent = exponent
        first = Self.integral(1.5, exponent) - 1
        last = Self.integral(Double(count) + 0.5, exponent)
        shortcut = 2 - Self.inverse(Self.integral(2.5, exponent) - Self.density(2, exponent), exponent)
    }

    /// A rank from 0 to below the count, the most popular first.
    package func draw(using generator: inout SplitMix64) -> Int {
        while true {
            let area = last + Double.random(in: 0..<1, using: &generator) * (first - last)
            let x = Self.inverse(area, exponent)
            let rank = min(max(x.rounded(), 1), count)
            if rank - x <= shortcut
                || area >= Self.integral(rank + 0.5, exponent) - Self.density(rank, exponent)
            {
                return Int(rank) - 1
            }
        }
    }

    private static func density(_ x: Double, _ exponent: Double) -> Double { exp(-exponent * log(x)) }

    /// The integral of the density: (x^(1-e) - 1) / (1-e), which is log x where e is 1.
    private static func integral(_ x: Double, _ exponent: Double) -> Double {
        let t = (1 - exponent) * log(x)
        return (abs(t) > 1e-8 ? expm1(t) / t : 1 + t / 2) * log(x)
    }

    private static func inverse(_ area: Double, _ exponent: Double) -> Double {
        // Rounding must not lead below the least there is.
        let t = max(-1, area * (1 - exponent))
        return exp((abs(t) > 1e-8 ? log1p(t) / t : 1 - t / 2) * area)
    }
}
