package import Results

/// A command worth trying after a run, and what for.
package struct NextStep: Sendable, Equatable {
    package var command: String
    package var purpose: String

    /// - Parameter file: where the result was written; nil for nowhere.
    package static func after(_ run: RunResult, file: String?) -> [NextStep] {
        var steps: [NextStep] = []
        if !run.verdict.pass, !run.interrupted {
            steps.append(.init(command: "spiral doctor", purpose: "what of this machine stands in the way"))
        }
        if let file, file != "-" {
            steps.append(.init(command: "spiral report \(file)", purpose: "the charts, in one HTML file"))
        }
        if RunStory(run).ranOut {
            steps.append(
                .init(
                    command: "spiral sweep --vary limit=request:16..256x4 --set max-idle=64 --repeat 3",
                    purpose: "which limit costs the small callers least"
                )
            )
        }
        return steps + [
            .init(command: "spiral run by-hand --live 127.0.0.1:9000", purpose: "one change at a time, in a browser"),
            .init(command: "spiral ports", purpose: "how near the programs on this machine are to running out"),
            .init(command: "spiral exec --ports 1024 -- COMMAND", purpose: "your own program on 1,024 ports"),
        ]
    }
}
