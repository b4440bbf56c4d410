internal import ArgumentParser
internal import Commands
internal import Incident
internal import POSIX

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Plays the incident, the band-aid and the fix, and says whether all of it happened.",
        discussion: """
            Starts its own memcached and spiral-server in a network namespace of its own, so that nothing on \
            this machine is changed or used up. Ctrl-C ends it at any moment and leaves nothing behind.

            Ends with 0 when the incident was reproduced and healed, 1 when a stage of it did not happen, \
            3 when this machine cannot run it.
            """
    )

    @OptionGroup
    var stage: StageOptions

    @Flag(help: "Play shorter phases, to see whether all of it works here.")
    var quick = false

    @Option(help: "Chooses the posts and the batches.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Where to write the result as JSON; - for standard output.", valueName: "path"))
    var json: String?

    func run() throws {
        // Before the first thread: they inherit it, and a user namespace needs there to be none.
        Signals.holdTermination()
        Signals.ignoreBrokenPipes()
        let output = try json.map { try JSONOutput($0) }
        let progress = Progress(output: json == "-" ? 2 : 1)
        let demo = Demo(plan: stage.plan(quick: quick), network: stage.network, seed: seed, progress: progress)

        let findings = demo.examine()
        progress.print(findings.filter { $0.level != .good || $0.name == "prediction" }.flatMap(\.lines))
        guard !findings.contains(where: { $0.level == .bad }) else {
            throw Refusal(.machine, "the demo cannot run here; 'spiral doctor' says more")
        }
        let result: RunResult
        do {
            result = try demo.play()
        } catch let error as StageError {
            throw Refusal(.machine, "\(error)")
        }
        progress.print(result.summary)
        try output?.write(result)
        if result.interrupted { throw Refusal(.failed, "interrupted") }
        guard result.verdict.pass else { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}
