internal import ArgumentParser
internal import Commands
internal import FanOut
internal import HTTP
internal import KernelProbe
internal import Memcached
internal import POSIX
internal import PostRecords
internal import Telemetry
internal import Units

@main
struct SpiralServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spiral-server",
        abstract: "Serve GetPostRecords: look batches of post URIs up in memcached.",
        discussion: """
            Without options it is the service of the incident: no limit, one source address, two idle \
            connections, each error a write to the log; but what callers can take of it is bounded. Settings can be \
            changed while it runs:

              curl -X PATCH -d '{"limit": "request:64", "max-idle": 64}' localhost:8081/admin/settings
            """,
        version: "spiral-server \(BuildFacts.current.text)"
    )

    @OptionGroup(title: "Addresses")
    var addresses: AddressOptions

    @OptionGroup(title: "Settings, which can also be changed while it runs")
    var settings: SettingOptions

    @OptionGroup(title: "The database behind the cache")
    var store: StoreOptions

    @OptionGroup(title: "Traces")
    var traces: TraceOptions

    @OptionGroup(title: "The process")
    var process: ProcessOptions

    @OptionGroup(title: "Bounds, which hold whatever the settings say")
    var bounds: BoundOptions

    static func main() {
        runAndExit()
    }

    func run() throws {
        // The token may be a pipe's, which is waited for: signals end that as they end any program.
        let access = try addresses.adminAccess()
        Signals.holdTermination()
        Signals.ignoreBrokenPipes()
        DescriptorLimit.raise()
        _ = try descriptorsLeft()
        let servers = try addresses.servers()
        let largestBody = try process.largestBody().bytes
        let settings = try settings.parsed()
        if let misfit = settings.misfit(servers) { throw Refusal(.usage, "--\(misfit)") }
        if let obstacle = settings.obstacle { throw Refusal(.machine, "--\(obstacle)") }
        let log = try openLog(settings)
        let records = store.recordStore(latency: settings.storeLatency)
        let engine = try startEngine(servers, settings, log, records)
        let (address, adminAddress) = (try addresses.listenAddress(), try addresses.adminAddress())
        let traces = try traces.target().map { try SpanExporter.start(to: $0) }
        let service = Service(
            engine: engine,
            log: log,
            guards: settings.guards,
            store: records,
            ports: try watchPorts(of: servers),
            traces: traces,
            bounds: try bounds.process(body: largestBody)
        )
        try MemoryTrim.start(watching: service.bounds.heldBytes, calm: try bounds.calm())
        let serverBounds = try bounds.server(body: largestBody)
        let server = try listen(option: "--listen") { () throws(SystemCallError) in
            try Server(
                listeningOn: address,
                bounds: serverBounds,
                held: service.bounds.heldBytes,
                counters: service.connections,
                responder: Endpoint(service)
            )
        }
        let page = AdminPage(service, settings: settings, logFiles: process.allowLogFile, access: access)
        let admin = try listen(option: "--admin-listen") { () throws(SystemCallError) in
            try Server(listeningOn: adminAddress, bounds: .admin, threadResponder: page)
        }
        let descriptors = try descriptorsLeft()
        try start(server, admin)
        note("serving \(server.address), admin \(admin.address), memcached \(addresses.memcached)")
        note(descriptors)
        if let family = settings.fanOut.dialer.family, !servers.has(addressesOf: settings.fanOut.dialer) {
            let name = family == .ipv4 ? "IPv4" : "IPv6"
            note("no memcached server has an \(name) address: dialer \(settings.fanOut.dialer) has no effect")
        }
        // Not before signals are listened for: each may take a second.
        try Thread(name: "reachability") { servers.addresses.forEach(Self.warnIfUnreachable) }.detach()

        _ = Signals.waitForTermination()
        Signals.releaseTermination()
        let timeout = try process.drainTime()
        note("draining: requests under way have \(timeout.text)")
        let finished = server.drain(timeout: timeout)
        _ = admin.drain(timeout: .milliseconds(100))
        engine.stop()
        traces?.close(within: .seconds(2))
        let lost = log.close(within: .seconds(2))
        note(
            "stopped" + (finished ? "" : "; requests that took longer than \(timeout.text) were cut off")
                + (lost > 0 ? "; \(lost) error lines were not written in time" : "")
        )
    }

    private func openLog(_ settings: Settings) throws -> ErrorLog {
        do {
            return try ErrorLog(mode: settings.logMode, sink: settings.logSink, mostThreads: process.logThreads)
        } catch {
            throw Refusal(.usage, "--log-sink: cannot \(error)")
        }
    }

    private func startEngine(
        _ servers: ServerList,
        _ settings: Settings,
        _ log: ErrorLog,
        _ records: RecordStore?
    ) throws -> FanOutEngine {
        do {
            return try FanOutEngine(
                servers: servers,
                settings: settings.fanOut,
                lanes: process.laneCount(servers),
                store: records,
                errorPolicy: store.onError,
                log: log,
                messages: .postRecords,
                isReadable: CachedValue.isReadable
            )
        } catch {
            throw Refusal(.machine, "cannot start the lanes: \(error)")
        }
    }

    private func listen(option: String, _ open: () throws(SystemCallError) -> Server) throws -> Server {
        do {
            return try open()
        } catch {
            throw Refusal(.machine, "\(option): cannot \(error); choose another address, or stop what holds this one")
        }
    }

    /// What dials and callers have of the descriptors this process may open.
    /// - Throws: ``Refusal`` when nothing is left for a dial.
    private func descriptorsLeft() throws -> String {
        let limit = DescriptorLimit.current.soft
        let (open, kept) = ((try? ProcessStatus.read().openDescriptors) ?? 0, Dialer.keptDescriptors)
        let text = "\(limit) descriptors: \(open) are open and \(kept) kept free"
        guard limit > open + kept else {
            throw Refusal(
                .machine,
                "\(text), which leaves none for memcached; allow 64 or more (ulimit -n)"
            )
        }
        return "\(text), which leaves \(limit - open - kept) for memcached and callers"
    }

    private func start(_ servers: Server...) throws {
        do {
            for server in servers { try server.start() }
        } catch {
            throw Refusal(.machine, "cannot start the threads that serve: \(error)")
        }
    }

    /// Watches the ports towards all servers; on a unix socket there are none.
    private func watchPorts(of servers: ServerList) throws -> PortWatch? {
        let ports = Set(servers.addresses.compactMap(\.port))
        return ports.isEmpty ? nil : try PortWatch.start(asking: ports)
    }

    /// Serving goes on without memcached: lookups fail until it is back.
    private static func warnIfUnreachable(_ address: SocketAddress) {
        do {
            _ = try Socket.connected(to: address, timeout: .seconds(1))
        } catch {
            note("warning: memcached is not reachable (\(error)); lookups fail until it is")
        }
    }
}
