internal import ArgumentParser
internal import Commands
internal import Forecast
internal import KernelProbe
internal import LoadGenerator
internal import PostRecords
internal import Scenarios
internal import Units

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Calculate when ephemeral ports run out, and what it takes to avoid it.",
        discussion: """
            Nothing is run: batches are simulated as clients send them, each dial takes a port, and the port stays in \
            TIME_WAIT. Without options it is the incident on a default kernel. For any service, say how many \
            connections a second it opens to one remote destination, or have a running one measured.

              spiral predict --connections 600/s
              spiral predict --from-pid "$(pidof my-service)"
              spiral predict --client feed:uris=50,rate=100/s --max-idle 2
              spiral predict --ports 28232 --sources 8 --hosts 40 --client all:uris=1..50,rate=4000/s
            """
    )

    @Option(help: "Ports of one address: a number, or 'machine' for the range of this machine. 28232 when left out.")
    var ports: String?

    @OptionGroup
    var connections: ConnectionOptions

    @Option(
        help:
            "Addresses dialled from and to: kernel, bind:IP, rotate, rotate:PREFIX or rotate-destination. bind:127.32.0.1 when left out, kernel with --connections."
    )
    var dialer: String?

    @Option(help: "Let connect() choose the port of a bound address: true or false. false when left out.")
    var lateBind: String?

    @Option(help: "Idle connections kept. 2 when left out.")
    var maxIdle: String?

    @Option(
        help:
            "Lookups in flight at once: none, or a limit of no more than the idle connections kept. none when left out."
    )
    var limit: String?

    @Option(help: "One get for each URI, or for many: per-uri or multiget:CHUNK. per-uri when left out.")
    var fanout: String?

    @Option(help: "Source addresses that a dialer of your own rotates over.")
    var sources: Int?

    @Option(help: "Addresses and ports that memcached is reached at.")
    var destinations: Int?

    @Option(help: "net.ipv4.tcp_tw_reuse: 0, 1 or 2. 2 when left out, and the machine's own with --ports machine.")
    var twReuse: Int?

    @Flag(help: "memcached is on another machine: tcp_tw_reuse=2 reuses ports on loopback only.")
    var remote = false

    @Option(help: "Hosts that the batches go to in turn. 1 when left out.")
    var hosts: Int?

    @Option(
        help: ArgumentHelp(
            "A caller, as spiral-load takes them; repeat it. The demo's own when left out.",
            valueName: "name:uris=lo..hi,rate=r/s"
        )
    )
    var client: [String] = []

    @Option(help: "How long the callers send. 10m when left out.")
    var duration: String?

    @Option(help: ArgumentHelp("Where to write the answer as JSON; - for standard output.", valueName: "path"))
    var json: String?

    func validate() throws {
        try refuseUnused()
        // What the machine has is asked when it runs: a refusal of it is no wrong usage.
        let anyMachine = NamespaceSettings(range: PortRange(lowestPort: 1, highestPort: 1))
        _ = try question(ports == "machine" ? anyMachine : nil)
    }

    /// What somebody says counts, or is refused.
    private func refuseUnused() throws {
        guard let asked = connections.inPlaceOfClients else { return }
        var unused = [
            ("--client", !client.isEmpty), ("--max-idle", maxIdle != nil), ("--limit", limit != nil),
            ("--fanout", fanout != nil),
        ]
        if connections.fromPid != nil {
            unused += [
                ("--ports", ports != nil), ("--dialer", dialer != nil), ("--late-bind", lateBind != nil),
                ("--sources", sources != nil), ("--destinations", destinations != nil), ("--hosts", hosts != nil),
                ("--tw-reuse", twReuse != nil), ("--tw-reuse-delay", connections.twReuseDelay != nil),
                ("--remote", remote), ("--duration", duration != nil),
            ]
        }
        if connections.loopback { unused.append(("--remote", remote)) }
        if let (option, _) = unused.first(where: \.1) {
            let with = connections.loopback && option == "--remote" ? "--loopback" : asked
            throw ValidationError("\(option) says nothing with \(with): leave out one of them")
        }
    }

    /// - Parameter machine: what this machine has set, where its ports are asked for.
    private func question(_ machine: NamespaceSettings?) throws -> PortForecast.Question {
        var settings = Settings()
        for (name, text) in [
            ("dialer", dialer ?? (connections.connections == nil ? "bind:127.32.0.1" : "kernel")),
            ("late-bind", lateBind ?? "false"), ("max-idle", maxIdle ?? "2"), ("limit", limit ?? "none"),
            ("fanout", fanout ?? "per-uri"),
        ] {
            do {
                try settings.set(name, to: text)
            } catch {
                throw ValidationError("--\(error)")
            }
        }
        let given = try client.map { try readOption("--client", $0, as: ClientSpec.init(text:)) }
        let clients = given.isEmpty ? try RunCommand.scenario("demo").clients : given
        var question = PortForecast.Question(budget: try budget(machine), settings: settings, clients: clients)
        let hosts = hosts ?? 1
        for (option, value) in [("--sources", sources ?? 1), ("--destinations", destinations ?? 1), ("--hosts", hosts)]
        where !(1...100_000_000).contains(value) {
            throw ValidationError("\(option): use a number from 1 to 100000000")
        }
        let twReuse = twReuse ?? machine?.twReuse ?? 2
        guard (0...2).contains(twReuse) else { throw ValidationError("--tw-reuse: use 0, 1 or 2") }
        question.sources = sources
        question.destinations = destinations
        question.twReuse = twReuse
        question.twReuseDelay = try connections.delay() ?? machine.map(\.twReuseDelay) ?? .seconds(1)
        question.isLoopback = !remote
        question.hosts = hosts
        question.duration = try readOption("--duration", duration ?? "10m", as: { try Duration(text: $0) })
        if let closed = clients.first(where: { $0.schedule.meanRate == nil }) {
            throw ValidationError(
                "--client: when \(closed.name) sends is known only when it is answered: write a rate in place of closed="
            )
        }
        let batches = clients.reduce(0.0) { $0 + ($1.schedule.meanRate?.perSecond ?? 0) } * question.duration.inSeconds
        guard batches <= 1_000_000 else {
            throw ValidationError("--duration: \(Int(batches)) batches are too many to simulate; use a shorter one")
        }
        return question
    }

    /// What this machine has set, where its ports are asked for.
    private func machine() throws(Refusal) -> NamespaceSettings? {
        guard ports == "machine" else { return nil }
        let settings: NamespaceSettings
        do {
            settings = try NamespaceSettings.current()
        } catch {
            throw Refusal(.machine, "the port range cannot be read: \(error)")
        }
        guard settings.range.ports > 0 else {
            throw Refusal(
                .machine,
                "this machine's range has no port that is not in net.ipv4.ip_local_reserved_ports: every dial fails"
            )
        }
        return settings
    }

    private func budget(_ machine: NamespaceSettings?) throws -> PortRange {
        if let machine { return machine.range }
        guard let count = Int(ports ?? "28232"), (1...65_535).contains(count) else {
            throw ValidationError("--ports: use a number from 1 to 65535, or machine")
        }
        return PortRange(lowestPort: 1, highestPort: count)
    }

    func run() throws {
        let output = try json.map { try JSONOutput($0) }
        if let measured = try connections.measured() {
            if json != "-" { try say(measured.lines) }
            try output?.write(measured)
            return
        }
        let machine = try machine()
        let question = try question(machine)
        if let even = try connections.forecast(question, machine: machine) {
            if json != "-" { try say(even.lines) }
            try output?.write(even)
            return
        }
        let forecast: PortForecast
        do {
            forecast = try PortForecast(question)
        } catch {
            throw Refusal(.usage, "\(error)")
        }
        try JSONOutput.each([
            { if json != "-" { try say(forecast.lines) } },
            { try output?.write(forecast) },
        ])
    }
}
