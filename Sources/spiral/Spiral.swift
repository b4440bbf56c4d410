internal import ArgumentParser
internal import Commands

@main
struct Spiral: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spiral",
        abstract: "Replays the April 2026 Bluesky outage on this machine's kernel, with a real memcached.",
        version: "spiral \(BuildFacts.current.text)",
        subcommands: [
            DoctorCommand.self, DemoCommand.self, RunCommand.self, ReportCommand.self, CompareCommand.self,
            SweepCommand.self, PredictCommand.self, PortsCommand.self, TopCommand.self, ExecCommand.self,
            HogCommand.self,
        ]
    )

    static func main() {
        runAndExit()
    }
}
