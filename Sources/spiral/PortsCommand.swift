internal import ArgumentParser
internal import Commands
internal import KernelProbe
internal import POSIX
internal import Reports

struct PortsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports",
        abstract: "Shows how many ephemeral ports are taken towards a destination, and when there will be none left.",
        discussion: """
            Looks at the kernel's sockets (sock_diag), as ss does. Ports in use are those of the source address \
            that holds most, as each source address has the whole range to itself. TIME-WAIT sockets hold theirs \
            for 60 s. Without --to or --pid it looks at all TCP sockets of this network namespace.

              spiral ports --to 11211
              spiral ports --pid "$(pidof spiral-server)"
            """
    )

    @Option(help: ArgumentHelp("Destination port, as in 11211.", valueName: "port"))
    var to: UInt16?

    @Option(help: ArgumentHelp("Only sockets from this address.", valueName: "ip"))
    var from: String?

    @Option(
        help: ArgumentHelp(
            "A process: its network namespace, and the destination it has most connections to.",
            valueName: "pid"
        )
    )
    var pid: Int32?

    @OptionGroup
    var watch: WatchOptions

    @Flag(help: "Name the busiest source addresses under each line.")
    var sources = false

    @Option(help: ArgumentHelp("Where to write the last look as JSON; - for standard output.", valueName: "path"))
    var json: String?

    func validate() throws {
        _ = try source()
        guard to != 0 else { throw ValidationError("--to: use a port from 1 to 65535") }
        guard pid.map({ $0 > 0 }) ?? true else { throw ValidationError("--pid: use the id of a process") }
    }

    func run() throws {
        Signals.holdTermination()
        let output = try json.map { try JSONOutput($0) }
        let screen = Screen(output: json == "-" ? 2 : 1)
        let source = try source()
        let port = try destination(screen)
        if json != "-" {
            let budget = try PortBudget.current()
            let towards = port.map { "towards port \($0)" } ?? "towards anywhere"
            screen.print([
                "\(towards): ports \(budget.lowestPort)-\(budget.highestPort), "
                    + "\(Int(budget.sustainableDialsPerSecond)) dials/s for ever from each source address"
            ])
        }
        var trend = PortTrend()
        var last: PortReport?
        try watch.repeatedly { number in
            do {
                trend.add(try PortSample.take(towardsPort: port, from: source))
            } catch {
                throw Refusal(.machine, "the kernel does not tell its sockets: \(error)")
            }
            guard let report = PortReport(trend) else { return }
            last = report
            guard json != "-" else { return }
            if number % 20 == 0 { screen.print([PortReport.header]) }
            screen.print([report.line])
            if sources {
                screen.print(report.busiestSources.map { "    \($0.address) \($0.ports)" })
            }
        }
        if let last { try output?.write(last) }
    }

    private func source() throws -> IPv4Address? {
        try from.map { text in
            guard let address = IPv4Address(text: text) else {
                throw ValidationError("--from: '\(text)' is not an IPv4 address")
            }
            return address
        }
    }

    /// The port to look at; for a process, enters its network namespace first.
    private func destination(_ screen: Screen) throws -> UInt16? {
        guard let pid else { return to }
        do {
            let inodes = try ProcessStatus.socketInodes(of: pid)
            try NetworkNamespace.enter(ofProcess: pid)
            if let to { return to }
            guard let busiest = try SocketDiagnostics.destinations(ofInodes: inodes).first else {
                throw Refusal(
                    .failed,
                    "--pid: process \(pid) has no TCP connection now; name its destination with --to"
                )
            }
            if json != "-" {
                screen.print(["process \(pid) has \(busiest.sockets) sockets towards \(busiest.endpoint)"])
            }
            return busiest.endpoint.port
        } catch let error as SystemCallError {
            throw Refusal(.machine, "--pid: cannot look into process \(pid): \(error); run as its user, or as root")
        }
    }
}
