package import LoadGenerator
internal import Units

/// One phase of a run: what is changed, who sends, and for how long.
package struct PhasePlan: Sendable {
    package var name: String
    /// What happens in it, in one line.
    package var title: String
    /// Settings changed at its beginning, by name.
    package var changes: [(name: String, text: String)]
    /// Clients that send during it.
    package var clients: [ClientSpec]
    package var duration: Duration
    /// Wait for the batches on their way before the change: they keep the limit they came with.
    package var settlesFirst: Bool
    package var expectations: [Expectation]
}
