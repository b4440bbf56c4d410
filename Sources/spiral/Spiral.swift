internal import ArgumentParser
internal import Commands

@main
struct Spiral: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spiral",
        abstract:
            "Show ephemeral port exhaustion: in your own programs, and in a replay of the April 2026 Bluesky outage.",
        version: "spiral \(BuildFacts.current.text)",
        subcommands: [
            DoctorCommand.self, DemoCommand.self, RunCommand.self, ReportCommand.self, CompareCommand.self,
            CuresCommand.self, SweepCommand.self, PredictCommand.self, PortsCommand.self, TopCommand.self,
            ExecCommand.self,
            HogCommand.self,
        ]
    )

    static func main() {
        runAndExit()
    }
}
