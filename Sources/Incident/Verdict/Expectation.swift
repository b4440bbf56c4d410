internal import LoadGenerator
internal import PostRecords

/// What must hold of a phase for the run to have shown what it says.
package struct Expectation: Sendable {
    /// The claim, over the names of the result.
    package var text: String
    /// What was observed, and whether the claim holds.
    package var judge: @Sendable (PhaseResult) -> (observed: String, pass: Bool)

    package init(_ text: String, _ judge: @escaping @Sendable (PhaseResult) -> (observed: String, pass: Bool)) {
        self.text = text
        self.judge = judge
    }

    /// A claim about a number.
    package init(
        _ text: String,
        _ value: @escaping @Sendable (PhaseResult) -> Int,
        _ holds: @escaping @Sendable (Int, PhaseResult) -> Bool
    ) {
        self.init(text) { phase in
            let observed = value(phase)
            return (grouped(observed), holds(observed, phase))
        }
    }

    package static func noError(_ name: String) -> Expectation {
        Expectation("lookups.errors.\(name) == 0", { $0.lookups.errors[name] ?? 0 }, { value, _ in value == 0 })
    }

    package static func someError(_ name: String) -> Expectation {
        Expectation("lookups.errors.\(name) > 0", { $0.lookups.errors[name] ?? 0 }, { value, _ in value > 0 })
    }

    package static let noErrors = Expectation(
        "lookups.errors == 0",
        { $0.lookups.failed },
        { value, _ in value == 0 }
    )

    /// Everything was asked and answered: a phase in which nothing happened shows nothing.
    package static let lookups = Expectation(
        "lookups.hits > 0",
        { $0.lookups.hits },
        { value, _ in value > 0 }
    )

    /// With every lookup issued at once, as many dials succeed as there are free ports.
    package static let dialsMatchFreePorts = Expectation("dials.ok within 1% of dials.expected") { phase in
        let expected = phase.dials.expected ?? 0
        let difference = abs(phase.dials.ok - expected)
        return ("\(grouped(phase.dials.ok)) of \(grouped(expected))", difference * 100 <= expected)
    }

    /// The same for a phase that may last longer than ports rest: those that come back are dialled
    /// with again.
    package static let dialsUseFreePorts = Expectation("dials.ok at least 99% of dials.expected") { phase in
        let expected = phase.dials.expected ?? 0
        return ("\(grouped(phase.dials.ok)) of \(grouped(expected))", phase.dials.ok * 100 >= expected * 99)
    }

    package static let timeWaitBeyondPorts = Expectation(
        "timeWaitPeak > portsCapacity",
        { $0.timeWaitPeak },
        { value, phase in value > phase.portsCapacity }
    )

    package static let noDials = Expectation(
        "dials.ok + dials.failed == 0",
        { $0.dials.ok + $0.dials.failed },
        { value, _ in value == 0 }
    )
}
