internal import LoadGenerator
internal import Text

/// A number of a result, under the name its JSON has for it.
package struct Measure<Subject>: Sendable {
    package var name: String
    package var unit: MeasureUnit
    /// Its row in the table of a run's phases; nil where it has none.
    package var row: String?
    /// Nil where results are not compared by it.
    package var change: MeasureChange?
    /// Nil where there is nothing that was measured.
    package var value: @Sendable (Subject) -> Double?

    init(
        _ name: String,
        _ unit: MeasureUnit = .count,
        row: String? = nil,
        change: MeasureChange? = nil,
        _ value: @escaping @Sendable (Subject) -> Double?
    ) {
        self.name = name
        self.unit = unit
        self.row = row
        self.change = change
        self.value = value
    }

    init(
        _ name: String,
        row: String? = nil,
        change: MeasureChange? = nil,
        counting value: @escaping @Sendable (Subject) -> Int?
    ) {
        self.init(name, .count, row: row, change: change) { value($0).map { Double($0) } }
    }

    /// Whether only clients with an SLO have it.
    package var needsSLO: Bool { name.hasPrefix("slo.") }

    /// A value as people read it: bytes in MiB.
    package func shown(_ value: Double) -> Double { unit == .bytes ? value / Double(1 << 20) : value }

    /// What a table has for a result: `-` where nothing was measured.
    package func text(_ subject: Subject) -> String {
        guard let value = value(subject) else { return "-" }
        return switch unit {
        case .count: rounded(value.rounded())
        case .bytes, .seconds, .milliseconds: rounded(shown(value))
        case .percent: "\(rounded(value))%"
        }
    }
}

/// The unit of a measure's values.
package enum MeasureUnit: Sendable {
    case count, bytes, seconds, milliseconds, percent
}
