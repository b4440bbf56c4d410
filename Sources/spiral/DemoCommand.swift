internal import ArgumentParser
internal import Commands
internal import KernelProbe
internal import Results

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run the incident, the workaround and the fix; report pass or fail.",
        discussion: """
            Starts its own memcached and spiral-server in a network namespace of its own, so that nothing on \
            this machine is changed or used up. Ctrl-C ends it at any moment and leaves nothing behind.

            The same as 'spiral run demo'. Exit status 0 if the incident was reproduced and healed, 1 if an expectation \
            failed, 3 if this machine cannot run it.

            'spiral cures' plays what else people propose in place of the fix.
            """
    )

    @Flag(help: "Use the machine's whole port range instead of 1,024 ports: about 100 seconds instead of 60.")
    var fullRange = false

    @OptionGroup
    var options: PlayOptions

    func run() throws {
        try options.play(try RunCommand.scenario(Self.name(fullRange, options.network)))
        guard !options.quiet, ![options.json, options.report].contains("-") else { return }
        try say(["", "Why not just SO_REUSEADDR, tcp_tw_reuse, a wider range? 'spiral cures' plays each of them."])
    }

    /// The host's port range stays as it is; a container's may have been narrowed from without.
    static func name(_ fullRange: Bool, _ network: Environment.Network) -> String {
        let isNarrow = network == .namespace || (try? PortRange.current().ports <= widest) == true
        return fullRange || !isNarrow ? "demo-full-range" : "demo"
    }

    /// Ports up to which a batch ends within seconds, though each failing bind() looks at all of them.
    private static let widest = 4_096
}
