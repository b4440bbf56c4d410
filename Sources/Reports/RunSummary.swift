package import Results

extension RunResult {
    /// The table of the phases, what was expected of each, and the verdict.
    package var summary: [String] {
        var lines = [""] + PhaseTable.lines(phases) + [""]
        for phase in phases {
            for expectation in phase.expectations {
                let mark = expectation.pass ? "held  " : "FAILED"
                lines.append("\(mark) \(phase.name): \(expectation.text) (observed \(expectation.observed))")
            }
        }
        lines += ["", "verdict: \(verdict.text)"]
        lines += verdict.missing.map { "  \($0)" }
        return lines
    }
}
