internal import ArgumentParser
internal import Commands
internal import POSIX
internal import Scenarios
internal import Units

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a scenario: one that comes with Spiral, or a file of your own.",
        discussion: """
            Scenarios that come with it: \(ScenarioLibrary.names.joined(separator: ", ")).

            'spiral run --schema' prints a file with every key there is; 'spiral run --show NAME' prints one of the \
            above, to begin with. Exit status 0 if all expectations passed, 1 if one failed, 2 if the file is wrong, 3 if \
            this machine cannot run it.
            """
    )

    private static let largestFile = ByteCount(bytes: 16 << 20)

    @Argument(
        help: ArgumentHelp(
            "Name of a scenario, or path of a file in YAML of up to \(largestFile); - for standard input.",
            valueName: "scenario"
        )
    )
    var scenario: String?

    @Flag(help: "Read the file and say what is wrong with it, without playing it.")
    var check = false

    @Flag(help: "Print a scenario with every key there is.")
    var schema = false

    @Flag(help: "Print a JSON Schema of scenario files, by which editors complete and check them.")
    var jsonSchema = false

    @Flag(help: "Print the scenario's file instead of playing it.")
    var show = false

    @Flag(help: "List the scenarios that come with it.")
    var list = false

    @OptionGroup
    var options: PlayOptions

    func validate() throws {
        guard schema || jsonSchema || list || scenario != nil else {
            throw ValidationError(
                "name a scenario or a file; there are \(ScenarioLibrary.names.joined(separator: ", "))"
            )
        }
    }

    func run() throws {
        if list { return try say(try Self.summaries()) }
        if schema { return try JSONOutput("-", option: "--schema").write(Array(ScenarioSchema.example.utf8)) }
        if jsonSchema { return try JSONOutput("-", option: "--json-schema").write(ScenarioSchema.json) }
        if show { return try JSONOutput("-", option: "--show").write(try Self.bytes(of: scenario!)) }
        let plan = try Self.scenario(scenario!)
        if check {
            let seconds = plan.phases.reduce(Duration.zero) { $0 + $1.duration }
            return try say([
                "\(scenario!): \(plan.name), \(plan.phases.count) phases, \(seconds) of load; nothing is wrong"
            ])
        }
        try options.play(plan)
    }

    /// Reads a scenario of the library, or a file.
    /// - Throws: ``Refusal`` naming each mistake with line and column.
    static func scenario(_ name: String) throws -> Scenario {
        let bytes = try bytes(of: name)
        do {
            return try Scenario(yaml: bytes)
        } catch {
            throw Refusal(.usage, error.problems.map { "\(name):\($0)" }.joined(separator: "\n"))
        }
    }

    /// A line for each scenario of the library: its name, how long its load takes, and what it is.
    private static func summaries() throws -> [String] {
        var table: [(name: String, text: String)] = []
        for name in ScenarioLibrary.names {
            let scenario = try scenario(name)
            let seconds = Int(scenario.phases.reduce(Duration.zero) { $0 + $1.duration }.inSeconds)
            table.append((name, "\(seconds) s  \(scenario.description)"))
        }
        let widest = table.map(\.name.count).max() ?? 0
        return table.map { $0.name + String(repeating: " ", count: widest - $0.name.count) + "  " + $0.text }
    }

    private static func bytes(of name: String) throws -> [UInt8] {
        if let text = ScenarioLibrary.yaml(name) { return Array(text.utf8) }
        do {
            return try name == "-"
                ? InputFile.standardInput(upTo: largestFile) : InputFile.contents(of: name, upTo: largestFile)
        } catch  where error.name != "ENOENT" || name == "-" {
            throw Refusal(.usage, "cannot \(error)")
        } catch {
            let hint =
                ScenarioLibrary.suggestion(for: name).map { "did you mean '\($0)'?" }
                ?? "there are \(ScenarioLibrary.names.joined(separator: ", "))"
            throw Refusal(.usage, "there is no scenario '\(name)', and no such file (\(error)); \(hint)")
        }
    }
}
