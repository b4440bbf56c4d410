package import LoadGenerator
internal import Units

/// One phase of a run: what is changed, who sends, and for how long.
package struct PhasePlan: Sendable {
    package var name: String
    /// What happens in it, in one line.
    package var title: String
    /// Settings changed at its beginning, by name.
    package var changes: [(name: String, text: String)]
    /// Clients that send during it. Every batch belongs to one phase: it ends when all are answered.
    package var clients: [ClientSpec]
    /// How long batches are due.
    package var duration: Duration
    package var expectations: [Expectation]
}
