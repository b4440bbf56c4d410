internal import ArgumentParser
internal import Commands

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Plays the incident, the band-aid and the fix, and says whether all of it happened.",
        discussion: """
            Starts its own memcached and spiral-server in a network namespace of its own, so that nothing on \
            this machine is changed or used up. Ctrl-C ends it at any moment and leaves nothing behind.

            The same as 'spiral run demo'. Ends with 0 when the incident was reproduced and healed, 1 when a stage \
            of it did not happen, 3 when this machine cannot run it.
            """
    )

    @Flag(help: "Use the machine's whole port range instead of 1,024 ports: slower, and the incident's own numbers.")
    var fullRange = false

    @OptionGroup
    var options: PlayOptions

    func run() throws {
        // The host's port range stays as it is.
        let name = fullRange || options.hostNetwork ? "demo-full-range" : "demo"
        try options.play(try RunCommand.scenario(name))
    }
}
