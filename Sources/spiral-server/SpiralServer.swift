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
        abstract: "Serves GetPostRecords: looks batches of post URIs up in memcached.",
        discussion: """
            Without options it is the service of the incident: no limit, one source address, two idle \
            connections, each error a write to the log. Settings can be changed while it runs:

              curl -X PATCH -d '{"limit": "request:64", "max-idle": 64}' localhost:8081/admin/settings
            """
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

    static func main() {
        runAndExit()
    }

    func run() throws {
        Signals.holdTermination()
        Signals.ignoreBrokenPipes()
        DescriptorLimit.raise()
        // What a batch of 20,000 takes, values and answer.
        FreedMemory.keep(upTo: 32 << 20)
        let servers = try addresses.servers()
        let settings = try settings.parsed()
        let log = try openLog(settings)
        let records = store.recordStore(latency: settings.storeLatency)
        let engine = try startEngine(servers, settings, log, records)
        let traces = try traces.target().map { try SpanExporter.start(to: $0) }
        let service = Service(
            engine: engine,
            log: log,
            guards: settings.guards,
            store: records,
            ports: try watchPorts(of: servers),
            traces: traces
        )
        let server = try listen(
            on: try addresses.listenAddress(),
            option: "--listen",
            largestBody: try process.largestBody().bytes,
            Endpoint(service)
        )
        let admin = try listen(
            on: try addresses.adminAddress(),
            option: "--admin-listen",
            largestBody: 64 << 10,
            AdminPage(service, settings: settings, logFiles: process.allowLogFile)
        )
        server.start()
        admin.start()
        note("serving \(server.address), admin \(admin.address), memcached \(addresses.memcached)")
        // Not before signals are listened for: each may take a second.
        try Thread(name: "reachability") { servers.addresses.forEach(Self.warnIfUnreachable) }.detach()

        _ = Signals.waitForTermination()
        Signals.releaseTermination()
        let patience = try process.drainPatience()
        note("draining: requests under way have \(patience.text)")
        let finished = server.drain(timeout: patience)
        _ = admin.drain(timeout: .milliseconds(100))
        engine.stop()
        traces?.close(within: .seconds(2))
        let lost = log.close(within: .seconds(2))
        note(
            "stopped" + (finished ? "" : "; requests that took longer than \(patience.text) were cut off")
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
                lanes: process.laneCount,
                store: records,
                errorPolicy: store.onError,
                log: log
            )
        } catch {
            throw Refusal(.machine, "cannot start the lanes: \(error)")
        }
    }

    private func listen(
        on address: SocketAddress,
        option: String,
        largestBody: Int,
        _ responder: any Responder
    ) throws -> Server {
        do {
            return try Server(listeningOn: address, largestBody: largestBody, responder: responder)
        } catch {
            throw Refusal(.machine, "\(option): cannot \(error); choose another address, or stop what holds this one")
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
