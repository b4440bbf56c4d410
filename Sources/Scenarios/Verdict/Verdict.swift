internal import Results

extension RunResult.Verdict {
    /// - Parameters:
    ///   - phases: those that were played.
    ///   - planned: phases there should be.
    ///   - shown: what it shows when all of them were played and all expectations held.
    init(_ phases: [PhaseResult], planned: Int, shown: String) {
        let claims = phases.reduce(0) { $0 + $1.expectations.count }
        let missing = phases.flatMap { phase in
            phase.expectations.filter { !$0.pass }.map { "\(phase.name): expected \($0.text), observed \($0.observed)" }
        }
        let failed = "\(missing.count) of \(claims) \(claims == 1 ? "expectation" : "expectations") failed"
        let isComplete = phases.count >= planned
        let text =
            switch (isComplete, missing.isEmpty) {
            case (true, true): claims > 0 ? shown : "nothing was expected"
            case (true, false): "FAIL: \(failed)"
            case (false, true):
                "ended early after \(phases.count) of \(planned) phases"
                    + (claims > 0 ? "; all expectations so far held" : "")
            case (false, false): "ended early after \(phases.count) of \(planned) phases; \(failed)"
            }
        self.init(pass: missing.isEmpty && isComplete, text: text, missing: missing)
    }
}
