/// One stage of the spiral, and whether it happened in a run.
package struct CascadeStage: Codable, Sendable {
    package var name: String
    package var happened: Bool
    /// Seconds since the first phase began; nil when it did not happen.
    package var at: Double?
    /// The phase of that moment; nil when it did not happen, and in results of versions that did not tell it.
    package var phase: String?
    package var detail: String

    package init(
        name: String,
        happened: Bool,
        at: Double? = nil,
        phase: String? = nil,
        detail: String
    ) {
        self.name = name
        self.happened = happened
        self.at = at
        self.phase = phase
        self.detail = detail
    }
}

/// A figure that arithmetic gives beforehand, beside what was measured.
package struct Prediction: Codable, Sendable {
    package var what: String
    package var predicted: Double
    package var measured: Double
    package var unit: String

    package init(
        what: String,
        predicted: Double,
        measured: Double,
        unit: String
    ) {
        self.what = what
        self.predicted = predicted
        self.measured = measured
        self.unit = unit
    }
}
