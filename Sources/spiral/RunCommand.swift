internal import ArgumentParser
internal import Commands
internal import POSIX
internal import Scenarios

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Plays a scenario: one that comes with Spiral, or a file of your own.",
        discussion: """
            Scenarios that come with it: \(ScenarioLibrary.names.joined(separator: ", ")).

            'spiral run --schema' prints a file with every key there is; 'spiral run --show NAME' prints one of the \
            above, to begin with. Ends with 0 when all expectations held, 1 when one did not, 2 when the file is \
            wrong, 3 when this machine cannot run it.
            """
    )

    @Argument(help: ArgumentHelp("Name of a scenario, or path of a file in YAML.", valueName: "scenario"))
    var scenario: String?

    @Flag(help: "Read the file and say what is wrong with it, without playing it.")
    var check = false

    @Flag(help: "Print a scenario with every key there is.")
    var schema = false

    @Flag(help: "Print the scenario's file instead of playing it.")
    var show = false

    @OptionGroup
    var options: PlayOptions

    func validate() throws {
        guard schema || scenario != nil else {
            throw ValidationError(
                "name a scenario or a file; there are \(ScenarioLibrary.names.joined(separator: ", "))"
            )
        }
    }

    func run() throws {
        if schema { return print(ScenarioSchema.example, terminator: "") }
        if show { return print(try Self.text(scenario!), terminator: "") }
        let plan = try Self.scenario(scenario!)
        if check {
            let seconds = plan.phases.reduce(Duration.zero) { $0 + $1.duration }
            return print(
                "\(scenario!): \(plan.name), \(plan.phases.count) phases, \(seconds) of load; nothing is wrong"
            )
        }
        try options.play(plan)
    }

    /// Reads a scenario of the library, or a file.
    /// - Throws: ``Refusal`` naming each mistake with line and column.
    static func scenario(_ name: String) throws -> Scenario {
        let text = try text(name)
        do {
            return try Scenario(yaml: text)
        } catch {
            throw Refusal(.usage, error.problems.map { "\(name):\($0)" }.joined(separator: "\n"))
        }
    }

    private static func text(_ name: String) throws -> String {
        if let text = ScenarioLibrary.yaml(name) { return text }
        do {
            return String(decoding: try Descriptor.reading(name).readSome(upTo: 1 << 20), as: UTF8.self)
        } catch {
            let hint = ScenarioLibrary.suggestion(for: name).map { "; did you mean '\($0)'?" } ?? ""
            throw Refusal(.usage, "there is no scenario '\(name)', and no such file (\(error))\(hint)")
        }
    }
}
