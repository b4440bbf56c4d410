internal import ArgumentParser
internal import Commands
internal import FanOut
internal import FoundationEssentials
internal import HTTP
internal import Memcached
internal import POSIX
internal import PostRecords
internal import Telemetry
internal import Units

struct AddressOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where requests are served; port 0 lets the kernel choose.", valueName: "host:port"))
    var listen = "127.0.0.1:8080"

    @Option(
        help: ArgumentHelp(
            "Where settings and metrics are served; off loopback only with a token.",
            valueName: "host:port"
        )
    )
    var adminListen = "127.0.0.1:8081"

    @Option(
        help: ArgumentHelp(
            """
            A file whose first line is what requests to it must carry, but for /healthz: as Authorization: Bearer TOKEN, \
            or ?token=TOKEN.
            """,
            valueName: "path"
        )
    )
    var adminTokenFile: String?

    @Option(
        help: ArgumentHelp(
            "memcached servers: host:port, [address]:port or unix:/path, with commas between several (ketama).",
            valueName: "list"
        )
    )
    var memcached = "127.0.0.1:11211"

    func validate() throws {
        _ = try (servers(), listenAddress(), adminAddress())
    }

    func servers() throws -> ServerList {
        try readOption("--memcached", memcached, as: ServerList.init(text:))
    }

    func listenAddress() throws -> SocketAddress {
        guard let address = SocketAddress(text: listen), address.port != nil else {
            throw ValidationError(
                "--listen: '\(listen)' is not HOST:PORT with a numeric address, [ADDRESS]:PORT for IPv6"
            )
        }
        return address
    }

    func adminAddress() throws -> SocketAddress {
        guard let address = SocketAddress(text: adminListen), address.port != nil else {
            throw ValidationError(
                "--admin-listen: '\(adminListen)' is not HOST:PORT with a numeric address, [ADDRESS]:PORT for IPv6"
            )
        }
        guard address.isLoopback || adminTokenFile != nil else {
            throw ValidationError(
                "--admin-listen: \(address) is not loopback; whoever reaches it can change settings: add --admin-token-file"
            )
        }
        return address
    }

    /// - Throws: ``Refusal`` when the token cannot be read.
    func adminAccess() throws -> AccessRule {
        let address = try adminAddress()
        let token: AccessToken?
        do throws(AccessToken.Problem) {
            token = try adminTokenFile.map { path throws(AccessToken.Problem) in try .read(from: path) }
        } catch {
            throw Refusal(.usage, "--admin-token-file: \(error)")
        }
        // One off loopback has a token, or it would have been refused.
        return AccessRule(for: address, token: token)!
    }
}

struct StoreOptions: ParsableArguments {
    @Option(help: "Reads it serves at once; further ones queue.")
    var storeConcurrency = 1024

    @Option(help: "What answers a miss: the database (then the record is set back), or nothing: on or off.")
    var store = Switch.on

    @Option(help: "What a failed lookup answers: empty, or store for the database's record.")
    var onError = ErrorPolicy.empty

    enum Switch: String, ExpressibleByArgument, CaseIterable {
        case on, off
    }

    func validate() throws {
        guard (1...1_000_000).contains(storeConcurrency) else {
            throw ValidationError("--store-concurrency: use a number from 1 to 1000000")
        }
        guard onError == .empty || store == .on else {
            throw ValidationError("--on-error store needs the store: leave out --store off")
        }
    }

    /// - Parameter latency: of each read.
    func recordStore(latency: Duration) -> RecordStore? {
        store == .on ? RecordStore(latency: latency, concurrency: storeConcurrency) : nil
    }
}

struct TraceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "OpenTelemetry collector that gets a span for each batch, as OTLP over HTTP in JSON; none when left out.",
            valueName: "http://host:port"
        )
    )
    var otlpEndpoint: String?

    func validate() throws {
        _ = try target()
    }

    func target() throws -> Target? {
        try otlpEndpoint.map { text in
            try readOption("--otlp-endpoint", text, as: { try Target(text: $0, defaultPath: "/v1/traces") })
        }
    }
}

struct ProcessOptions: ParsableArguments {
    @Option(
        help: """
            Threads that issue and collect lookups, 1 to 64. (default: one a core; beyond four cores, less two for a \
            memcached on this machine)
            """
    )
    var lanes: Int?

    /// - Parameter servers: where memcached is.
    func laneCount(_ servers: ServerList) -> Int {
        lanes
            ?? FanOutEngine.standardLaneCount(
                cores: ProcessInfo.processInfo.activeProcessorCount,
                // As many as Spiral starts its own with.
                memcachedThreads: servers.addresses.contains(where: \.isLoopback) ? 2 : 0
            )
    }

    @Option(help: "Threads that may be blocked writing log lines before the process ends, as Go's does at 10000.")
    var logThreads = ErrorLog.defaultMostThreads

    @Option(
        help: ArgumentHelp(
            "A file that log-sink may be changed to while it runs; repeat it for several. Others are refused.",
            valueName: "path"
        )
    )
    var allowLogFile: [String] = []

    @Option(help: "Largest request body taken.")
    var maxBody = "16MiB"

    @Option(help: "How long requests under way have to finish after SIGTERM.")
    var drainTimeout = "10s"

    func validate() throws {
        guard lanes.map(FanOutEngine.laneCounts.contains) ?? true else {
            throw ValidationError("--lanes: use a number from 1 to 64")
        }
        guard (10...100_000).contains(logThreads) else {
            throw ValidationError("--log-threads: use a number from 10 to 100000")
        }
        _ = try (largestBody(), drainTime())
    }

    func largestBody() throws -> ByteCount {
        let size = try readOption("--max-body", maxBody, as: ByteCount.init(text:))
        guard (1...1 << 30).contains(size.bytes) else { throw ValidationError("--max-body: use 1B to 1GiB") }
        return size
    }

    func drainTime() throws -> Duration {
        try readOption("--drain-timeout", drainTimeout, as: Duration.init(text:))
    }
}

extension ErrorPolicy: ExpressibleByArgument {}
