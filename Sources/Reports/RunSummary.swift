package import Results

extension RunResult {
    /// The table of the phases, what was expected of each, and the verdict.
    package var summary: [String] {
        var lines = [""] + PhaseTable.lines(phases) + [""]
        for phase in phases {
            for expectation in phase.expectations {
                let mark = expectation.pass ? "pass" : "FAIL"
                lines.append("\(mark) \(phase.name): \(expectation.text) (observed \(expectation.observed))")
            }
            let names = "dials.expected"
            if phase.dials.expected == nil, phase.expectations.contains(where: { $0.text.contains(names) }) {
                lines.append("     \(phase.name): \(names) is not predicted: \(phase.dials.reasoning)")
            }
        }
        lines += ["", "verdict: \(verdict.text)"]
        lines += verdict.missing.map { "  \($0)" }
        return lines
    }
}
