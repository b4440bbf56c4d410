internal import PostRecords
package import Results
internal import Scenarios
internal import Text

extension RunResult {
    /// Said where more was in flight than the limit's number: it is one of each batch.
    private var limitNote: String? {
        let phase = phases.first { phase in
            guard let limit = phase.settings["limit"], limit.hasPrefix("request:"), let number = Int(limit.dropFirst(8))
            else { return false }
            return phase.inFlightPeak > number
        }
        guard let phase, let limit = phase.settings["limit"] else { return nil }
        return "in flight counts all batches together; limit \(limit) is of each batch (\(phase.name))"
    }

    /// The same as plain lines of any length.
    package var summary: [String] { summary(width: nil, file: nil).map(\.text) }

    /// The table of the phases, what was expected of each, the verdict; and as what stands last is read first, what
    /// happened and what to do next.
    /// - Parameters:
    ///   - width: characters a line should have; nil for any number.
    ///   - file: where the result is written; nil for nowhere.
    package func summary(width: Int?, file: String?) -> [ScreenLine] {
        var lines: [ScreenLine] = []
        func add(_ text: String, _ tone: ScreenLine.Tone = .plain, indent: String = "  ") {
            lines += text.wrapped(to: width, indent: indent).map { ScreenLine($0, tone) }
        }
        lines += [""] + PhaseTable(phases).lines(fitting: width) + [""]
        if let note = limitNote { add(note) }
        for phase in phases {
            for expectation in phase.expectations {
                let mark = expectation.pass ? "pass" : "FAIL"
                add(
                    "\(mark) \(phase.name): \(expectation.text) (observed \(expectation.observed))",
                    expectation.pass ? .good : .bad,
                    indent: "     "
                )
            }
            let names = "dials.expected"
            if phase.dials.expected == nil, phase.expectations.contains(where: { $0.text.contains(names) }) {
                add("     \(phase.name): \(names) is not predicted: \(phase.dials.reasoning)", indent: "     ")
            }
        }
        lines.append("")
        add("verdict: \(verdict.text)", verdict.pass ? .good : .bad)
        for line in verdict.missing { add("  \(line)", .bad, indent: "    ") }
        let story = RunStory(self).sentences
        if !story.isEmpty { lines.append("") }
        for (index, sentence) in story.enumerated() { add(sentence, index == 0 ? .heading : .plain) }
        let steps = NextStep.after(self, file: file)
        lines += ["", "next:"]
        let widest = steps.map(\.command.count).max() ?? 0
        for step in steps {
            if let width, widest + step.purpose.count + 4 > width {
                add("  \(step.purpose):", indent: "  ")
                lines.append(ScreenLine("    \(step.command)"))
            } else {
                let space = String(repeating: " ", count: widest - step.command.count)
                lines.append(ScreenLine("  \(step.command)\(space)  \(step.purpose)"))
            }
        }
        return lines
    }
}
