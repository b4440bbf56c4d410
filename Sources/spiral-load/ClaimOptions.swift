internal import ArgumentParser
internal import Commands
internal import LoadGenerator
internal import Results

/// What must not be, and what is looked for.
struct ClaimOptions: ParsableArguments {
    @Option(
        name: .customLong("fail-if"),
        help: ArgumentHelp(
            "Exit with 1 if that is so, as in 'small.p99 > 50ms' or 'small.failed > 0'; repeat it for several.",
            valueName: "claim"
        )
    )
    var failIf: [String] = []

    @Flag(help: "End the load as soon as a --fail-if is so, looking once a second.")
    var failAtOnce = false

    @Option(
        help: ArgumentHelp(
            "Find how many times the rates can be multiplied with that still holding, as in 'small.p99 < 50ms': loads of "
                + "--duration, one after the other.",
            valueName: "claim"
        )
    )
    var search: String?

    /// - Throws: ``ValidationError``
    func check() throws {
        if failAtOnce, failIf.isEmpty { throw ValidationError("--fail-at-once: it is for --fail-if") }
        if search != nil, !failIf.isEmpty {
            throw ValidationError("--search: it looks for a rate itself; leave --fail-if out")
        }
    }

    /// - Parameter clients: by name.
    func claims(_ clients: [String]) throws -> [Claim<[ClientRecord]>] {
        try failIf.map { try readOption("--fail-if", $0) { try LoadClaims.claim($0, clients: clients) } }
    }

    /// - Parameter clients: by name.
    func searched(_ clients: [String]) throws -> Claim<[ClientRecord]>? {
        try search.map { try readOption("--search", $0) { try LoadClaims.claim($0, clients: clients) } }
    }
}

/// Thresholds of a load.
struct Thresholds {
    var claims: [Claim<[ClientRecord]>]
    /// Whether the load ends with the first that is crossed.
    var endsLoad: Bool

    /// What is so and must not be, in words. What was not measured cannot be ruled out.
    func crossed(by records: [ClientRecord], isOver: Bool) -> [String] {
        claims.compactMap { claim in
            let (observed, holds) = claim.judge(records)
            guard holds ?? isOver else { return nil }
            return holds == nil
                ? "\(claim.text) cannot be ruled out: it was not measured" : "\(claim.text): it is \(observed)"
        }
    }
}
