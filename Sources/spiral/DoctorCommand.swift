internal import ArgumentParser
internal import Commands
internal import Forecast
internal import LoadGenerator
internal import Reports
internal import Results
internal import Scenarios
internal import Text
internal import Units

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check whether this machine can run the reproduction, and how to fix what is missing.",
        discussion: "Exit status 3 if the demo cannot run here, 0 otherwise."
    )

    @Flag(help: "Judge the machine's whole port range instead of the demo's 1,024 ports.")
    var fullRange = false

    @Flag(help: "Judge the machine's own network instead of a namespace.")
    var hostNetwork = false

    @Option(
        name: .customLong("client"),
        help: ArgumentHelp(
            "A planned caller, NAME:uris=LO..HI,rate=R/s; repeat it for several. The demo's own when left out.",
            valueName: "caller"
        )
    )
    var clients: [String] = []

    @Option(help: ArgumentHelp("Where to write the findings as JSON; - for standard output.", valueName: "path"))
    var json: String?

    func validate() throws {
        _ = try specs()
    }

    func run() throws {
        let output = try json.map { try JSONOutput($0) }
        var scenario = try RunCommand.scenario(DemoCommand.name(fullRange, hostNetwork ? .host : .namespace))
        let specs = try specs()
        if !specs.isEmpty { scenario.clients = specs }
        let network: Environment.Network = hostNetwork ? .host : .namespace
        let findings = ScenarioPlayer(scenario, network: network, seed: 1).examine()
        let width = Screen(output: 1).width
        let lines = findings.flatMap(\.lines) + [Self.pointer]
        try JSONOutput.each([
            { if json != "-" { try say(lines.flatMap { $0.wrapped(to: width, indent: "     ") }) } },
            { try output?.write(findings) },
        ])
        guard findings.contains(where: { $0.level == .bad }) else { return }
        throw Refusal(.machine, "the demo cannot run here yet; see the lines marked BAD")
    }

    private static let pointer =
        "What would a kernel setting or a socket option change? 'spiral cures' plays each on this kernel."

    private func specs() throws -> [ClientSpec] {
        try clients.map {
            try readOption("--client", $0, as: ClientSpec.init(text:))
        }
    }
}
