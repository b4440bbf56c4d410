internal import LoadGenerator
internal import Results

extension RunResult.Verdict {
    /// - Parameters:
    ///   - planned: phases there should be.
    ///   - held: what it shows when all expectations held.
    init(_ phases: [PhaseResult], planned: Int, held: String) {
        var missing = phases.flatMap { phase in
            phase.expectations.filter { !$0.pass }.map { "\(phase.name): expected \($0.text), observed \($0.observed)" }
        }
        if phases.count < planned { missing.append("\(planned - phases.count) of \(planned) phases were not played") }
        let text =
            missing.isEmpty
            ? held
            : "not shown: \(missing.count == 1 ? "one expectation" : "\(missing.count) expectations") did not hold"
        self.init(pass: missing.isEmpty, text: text, missing: missing)
    }
}
