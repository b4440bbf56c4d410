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

    @Option(help: "Ports of one address: a number, or 'machine' for the range of this machine.")
    var ports = "28232"

    @OptionGroup
    var connections: ConnectionOptions

    @Option(
        help:
            "Addresses dialled from and to: kernel, bind:IP, rotate or rotate-destination. bind:127.32.0.1 when left out, kernel with --connections."
    )
    var dialer: String?

    @Option(help: "Let connect() choose the port of a bound address: true or false.")
    var lateBind = "false"

    @Option(help: "Idle connections kept.")
    var maxIdle = "2"

    @Option(help: "Lookups in flight at once: none, or a limit of no more than the idle connections kept.")
    var limit = "none"

    @Option(help: "One get for each URI, or for many: per-uri or multiget:CHUNK.")
    var fanout = "per-uri"

    @Option(help: "Source addresses that a dialer of your own rotates over.")
    var sources: Int?

    @Option(help: "Addresses and ports that memcached is reached at.")
    var destinations: Int?

    @Option(help: "net.ipv4.tcp_tw_reuse: 0, 1 or 2. 2 when left out, and the machine's own with --ports machine.")
    var twReuse: Int?

    @Flag(help: "memcached is on another machine: tcp_tw_reuse=2 reuses ports on loopback only.")
    var remote = false

    @Option(help: "Hosts that the batches go to in turn.")
    var hosts = 1

    @Option(
        help: ArgumentHelp(
            "A caller, as spiral-load takes them; repeat it. The demo's own when left out.",
            valueName: "name:uris=lo..hi,rate=r/s"
        )
    )
    var client: [String] = []

    @Option(help: "How long the callers send.")
    var duration = "10m"

    @Option(help: ArgumentHelp("Where to write the answer as JSON; - for standard output.", valueName: "path"))
    var json: String?

    func validate() throws {
        _ = try question()
    }

    private func question() throws -> PortForecast.Question {
        var settings = Settings()
        for (name, text) in [
            ("dialer", dialer ?? (connections.connections == nil ? "bind:127.32.0.1" : "kernel")),
            ("late-bind", lateBind), ("max-idle", maxIdle), ("limit", limit), ("fanout", fanout),
        ] {
            do {
                try settings.set(name, to: text)
            } catch {
                throw ValidationError("--\(error)")
            }
        }
        let given = try client.map { try readOption("--client", $0, as: ClientSpec.init(text:)) }
        let clients = given.isEmpty ? try RunCommand.scenario("demo").clients : given
        var question = PortForecast.Question(budget: try budget(), settings: settings, clients: clients)
        for (option, value) in [("--sources", sources ?? 1), ("--destinations", destinations ?? 1), ("--hosts", hosts)]
        where !(1...100_000_000).contains(value) {
            throw ValidationError("\(option): use a number from 1 to 100000000")
        }
        let machine = try machine()
        let twReuse = twReuse ?? machine?.twReuse ?? 2
        guard (0...2).contains(twReuse) else { throw ValidationError("--tw-reuse: use 0, 1 or 2") }
        question.sources = sources
        question.destinations = destinations
        question.twReuse = twReuse
        question.twReuseDelay = try connections.delay() ?? machine.map(\.twReuseDelay) ?? .seconds(1)
        question.isLoopback = !remote
        question.hosts = hosts
        question.duration = try readOption("--duration", duration, as: { try Duration(text: $0) })
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
    private func machine() throws -> NamespaceSettings? {
        guard ports == "machine" else { return nil }
        do {
            return try NamespaceSettings.current()
        } catch {
            throw Refusal(.machine, "the port range cannot be read: \(error)")
        }
    }

    private func budget() throws -> PortRange {
        if let machine = try machine() { return machine.range }
        guard let count = Int(ports), (1...65_535).contains(count) else {
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
        if let even = try connections.forecast(question(), machine: machine()) {
            if json != "-" { try say(even.lines) }
            try output?.write(even)
            return
        }
        let forecast: PortForecast
        do {
            forecast = try PortForecast(try question())
        } catch let problem as PortForecast.Problem {
            throw Refusal(.usage, "\(problem)")
        }
        try JSONOutput.each([
            { if json != "-" { try say(forecast.lines) } },
            { try output?.write(forecast) },
        ])
    }
}
