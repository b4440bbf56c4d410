internal import ArgumentParser
internal import Commands

@main
struct SpiralLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spiral-load",
        abstract: "Sends batches of post URIs, or other requests, at set times, whatever the server makes of them.",
        subcommands: [SendCommand.self, MergeCommand.self],
        defaultSubcommand: SendCommand.self
    )

    static func main() {
        runAndExit()
    }
}
