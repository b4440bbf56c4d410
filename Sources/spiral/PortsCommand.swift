internal import ArgumentParser
internal import Commands
internal import HTTP
internal import KernelProbe
internal import POSIX
internal import Reports
internal import Text

struct PortsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports",
        abstract: "Show which ephemeral ports are taken, towards each destination, and when there will be none left.",
        discussion: """
            Looks at the kernel's sockets (sock_diag), as ss does, of both families. A row is one source address and \
            one destination, the busiest first: ports it holds, the share of the range that its next dials cannot \
            have, how many ports are in TIME-WAIT (TW) for 60 s, and how many its source address holds at all. \
            Rates need two samples: the first lines come after --interval.

              spiral ports
              spiral ports --to 11211
              spiral ports --pid "$(pidof spiral-server)"
              spiral ports --once --fail-above 80% --fail-below 5m
              spiral ports --listen 127.0.0.1:9151
            """
    )

    @Option(help: ArgumentHelp("Only towards this port, as in 11211.", valueName: "port"))
    var to: UInt16?

    @Option(help: ArgumentHelp("Only from this address.", valueName: "ip"))
    var from: String?

    @Option(help: ArgumentHelp("A process: its network namespace, and the destinations it dials.", valueName: "pid"))
    var pid: Int32?

    @Option(
        help: ArgumentHelp("A network namespace, by the name that ip-netns(8) knows, or a path.", valueName: "name")
    )
    var netns: String?

    @Option(help: "Order of rows: \(PortView.Order.allCases.map(\.rawValue).joined(separator: ", ")).")
    var sort = PortView.Order.busiest.rawValue

    @Option(help: "Rows shown at most, and with --listen exported.")
    var rows: Int?

    @OptionGroup
    var watch: WatchOptions

    @Flag(help: "Name what each source address holds under the rows.")
    var sources = false

    @Flag(help: "One sample with rates, as --count 1.")
    var once = false

    @OptionGroup
    var thresholds: PortsThresholds

    @Option(
        help: ArgumentHelp("Where to write a line of JSON for each sample; - for standard output.", valueName: "path")
    )
    var json: String?

    @Option(
        help: ArgumentHelp("Serve the figures to Prometheus instead, until it is ended.", valueName: "host:port")
    )
    var listen: String?

    func validate() throws {
        _ = try view()
        _ = try listenAddress()
        guard to != 0 else { throw ValidationError("--to: use a port from 1 to 65535") }
        guard pid.map({ $0 > 0 }) ?? true else { throw ValidationError("--pid: use the id of a process") }
        guard pid == nil || netns == nil else { throw ValidationError("--pid and --netns: use one of them") }
        guard (1...PortUse.maxRows).contains(rows ?? 1) else {
            throw ValidationError("--rows: use a number from 1 to \(PortUse.maxRows)")
        }
        if listen != nil, once || json != nil || watch.count != nil {
            throw ValidationError("--listen serves until it is ended: leave out --once, --count and --json")
        }
    }

    func run() throws {
        Signals.holdTermination()
        Signals.ignoreBrokenPipes()
        var namespace = PortsNamespace(process: pid, name: netns)
        if let address = try listenAddress() {
            try serve(on: address, &namespace)
            return
        }
        try namespace.enter()
        var output = try json.map { try JSONLines($0) }
        let screen = Screen(output: 1)
        let view = try view(namespace) { if json == nil { screen.print($0) } }
        var report = PortsReport(
            view: view,
            rows: rows ?? 20,
            showsSources: sources,
            screen: json == nil ? screen : nil
        )
        var sampler = PortSampler(atMostEach: try watch.period())
        try look(&sampler, isForced: true)
        try watch.repeatedly(isLate: true, once ? 1 : watch.count) { number in
            try namespace.checkStillThere()
            try look(&sampler, isForced: number == 0)
            report.show(sampler.trend)
            var isRead = screen.failure == nil
            if let document = PortDocument.now(sampler.trend, view) { isRead = try output?.write(document) ?? isRead }
            try thresholds.check(sampler.trend, view)
            return isRead
        }
        try screen.checkWritten()
    }

    private func look(_ sampler: inout PortSampler, isForced: Bool) throws {
        do throws(SystemCallError) {
            try isForced ? sampler.look() : sampler.step()
        } catch {
            throw Refusal(.machine, SocketDiagnostics.explanation(of: error))
        }
    }

    private func serve(on address: SocketAddress, _ namespace: inout PortsNamespace) throws {
        // The listener is of this namespace, where Prometheus is; all threads from then on are in the other.
        let exporter = PortExporter(maxRows: rows ?? PortExporter.defaultRows)
        let server: Server
        do {
            server = try Server(listeningOn: address, bounds: PortExporter.bounds, threadResponder: exporter)
        } catch {
            throw Refusal(.machine, "--listen: cannot \(error); choose another address, or stop what holds this one")
        }
        try namespace.enter()
        let view = try view(namespace) { try say($0) }
        do {
            exporter.show(try PortWatch.start(), view)
            try server.start()
        } catch {
            throw Refusal(.machine, "cannot start to watch and serve: \(error)")
        }
        try say(["serving http://\(server.address)/metrics"])
        defer { _ = server.drain(timeout: .seconds(1)) }
        // Whoever keeps it running learns that it has nothing to look at any more, and starts it anew.
        while Signals.waitForTermination(upTo: .seconds(1)) == nil { try namespace.checkStillThere() }
    }

    private func view() throws -> PortView {
        var view = PortView()
        view.port = to
        view.source = try from.map { text in
            guard let address = IPAddress(text: text) else {
                throw ValidationError("--from: '\(text)' is not an IP address")
            }
            return address
        }
        guard let order = PortView.Order(rawValue: sort) else {
            let orders = PortView.Order.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--sort: '\(sort)' is no order; use \(orders)")
        }
        view.order = order
        return view
    }

    /// The same for the destinations of the process, where it has any.
    private func view(_ namespace: PortsNamespace, _ say: ([String]) throws -> Void) throws -> PortView {
        var view = try view()
        guard let pid, to == nil else { return view }
        let destinations = try namespace.destinations(of: pid)
        guard !destinations.isEmpty else {
            try say([
                "process \(pid) had no connection open when looked at: all of its network namespace's destinations"
            ])
            return view
        }
        view.destinations = Set(destinations.map(\.endpoint))
        let named = destinations.prefix(3).map { "\($0.endpoint) (\(grouped($0.sockets)) open)" }
        let more = destinations.count > 3 ? " and \(grouped(destinations.count - 3)) more" : ""
        try say(["process \(pid) dials \(named.joined(separator: ", "))\(more)"])
        return view
    }

    private func listenAddress() throws -> SocketAddress? {
        try listen.map { text in
            guard let address = SocketAddress(text: text), address.port != nil else {
                throw ValidationError(
                    "--listen: '\(text)' is not HOST:PORT with a numeric address, [ADDRESS]:PORT for IPv6"
                )
            }
            return address
        }
    }
}
