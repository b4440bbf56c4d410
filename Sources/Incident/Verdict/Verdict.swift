internal import LoadGenerator

extension RunResult.Verdict {
    /// Reproduced and healed, or what of it did not happen.
    init(_ phases: [PhaseResult], planned: Int) {
        missing = phases.flatMap { phase in
            phase.expectations.filter { !$0.pass }.map { "\(phase.name): expected \($0.text), observed \($0.observed)" }
        }
        if phases.count < planned { missing.append("\(planned - phases.count) of \(planned) phases were not played") }
        pass = missing.isEmpty
        text =
            pass
            ? "reproduced and healed"
            : "not shown: \(missing.count == 1 ? "one stage" : "\(missing.count) stages") did not happen"
    }
}
