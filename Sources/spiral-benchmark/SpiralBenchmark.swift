internal import ArgumentParser

/// What scripts/benchmark times beside whole servers.
@main
struct SpiralBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spiral-benchmark",
        abstract: "Times parts of Spiral, and what lies below it.",
        subcommands: [
            LimitsCommand.self, FloorCommand.self, DialsCommand.self, RequestsCommand.self, TimeWaitsCommand.self,
        ]
    )
}
