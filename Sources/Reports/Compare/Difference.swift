internal import Text

/// How far a figure moved, as people say it: a factor where that is large, else percent.
struct Difference: CustomStringConvertible {
    let before: Double
    let after: Double

    /// Of the value before; nil where that was 0.
    var ratio: Double? { before == 0 ? nil : after / before }

    var description: String {
        guard let ratio else { return after == 0 ? "same" : "new" }
        return switch ratio {
        case ...0: "gone"
        case 2...: "×\(rounded(ratio))"
        case ..<0.5: "÷\(rounded(1 / ratio))"
        default: "\(ratio >= 1 ? "+" : "")\(rounded(100 * (ratio - 1)))%"
        }
    }

    /// Whether it is more than noise.
    /// - Parameters:
    ///   - tolerance: share of the value before.
    ///   - floor: in the figure's own unit.
    func exceeds(tolerance: Double, floor: Double) -> Bool {
        abs(after - before) > max(floor, tolerance * abs(before))
    }
}
