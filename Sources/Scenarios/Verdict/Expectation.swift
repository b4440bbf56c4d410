package import LoadGenerator
package import Results
package import Units

/// A claim about a phase over the names of its result, see ``Claim``.
package struct Expectation: Sendable {
    private let claim: Claim<PhaseResult>

    /// - Parameter clients: that send in the phase, whose names may be used.
    /// - Throws: ``UnitTextError`` with what is wrong: the form, or a name that is none.
    package init(text: String, clients: [ClientSpec]) throws(UnitTextError) {
        claim = try Claim(
            text: text,
            example: "'dials.ok > 0' or 'dials.ok within 1% of 100'"
        ) { (word) throws(UnitTextError) in
            let measure = try Measures.named(word, clients: clients)
            return .measure(name: measure.name, measure.value)
        }
    }

    /// The claim as it was written.
    package var text: String { claim.text }

    /// The names it uses.
    package var names: [String] { claim.names }

    /// What was observed, and whether the claim holds: it does not when something in it was not measured.
    package func judge(_ phase: PhaseResult) -> (observed: String, pass: Bool) {
        let (observed, holds) = claim.judge(phase)
        return (observed, holds ?? false)
    }
}
