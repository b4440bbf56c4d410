internal import Glibc

/// What of an axis a value is at, from 0 at its low end to 1 at its high one.
package struct ChartScale: Sendable, Equatable {
    /// Linear, or logarithmic.
    package enum Kind: String, Sendable {
        case linear, logarithmic
    }

    package let kind: Kind
    package let low: Double
    package let high: Double

    /// From `low` on; a little longer than its values, so that the highest is seen to be one.
    static func linear(from low: Double = 0, to high: Double) -> ChartScale {
        ChartScale(kind: .linear, low: low, high: high > low ? high : low + 1)
    }

    /// Around the values above 0; what is 0 or less is not on it.
    static func logarithmic(around values: [Double]) -> ChartScale {
        let positive = values.filter { $0 > 0 }
        let (least, most) = (positive.min() ?? 1, positive.max() ?? 10)
        return ChartScale(kind: .logarithmic, low: least * 0.8, high: max(most, least * 3) * 1.25)
    }

    /// Where a value stands between the ends of the scale, 0 to 1; nil where a logarithm has no place for it.
    package func share(of value: Double) -> Double? {
        switch kind {
        case .linear: return (value - low) / (high - low)
        case .logarithmic: return value > 0 ? log10(value / low) / log10(high / low) : nil
        }
    }

    /// The value at a place between the ends of the scale, 0 to 1.
    package func value(at share: Double) -> Double {
        switch kind {
        case .linear: low + share * (high - low)
        case .logarithmic: low * pow(high / low, share)
        }
    }

    /// Round numbers on it, about as many as are wanted.
    func ticks(_ wanted: Int) -> [Double] {
        switch kind {
        case .linear:
            let raw = (high - low) / Double(max(1, wanted))
            let power = pow(10, floor(log10(raw)))
            let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw * 0.8 } ?? 10 * power
            return stride(from: ceil(low / step - 1e-9), through: floor(high / step + 1e-9), by: 1).map { $0 * step }
        case .logarithmic:
            let powers = Int(floor(log10(low)))...Int(ceil(log10(high)))
            // As many in a power of ten as fit.
            let choices: [[Double]] = [[1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]
            let all = choices.map { factors in
                powers.flatMap { power in factors.map { $0 * pow(10, Double(power)) } }.filter {
                    (low...high).contains($0)
                }
            }
            return all.first { $0.count <= wanted + 2 } ?? all[3]
        }
    }
}
