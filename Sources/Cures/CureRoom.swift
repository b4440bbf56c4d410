internal import FanOut
internal import HTTP
internal import KernelProbe
internal import LoadGenerator
internal import Memcached
internal import POSIX
internal import PostRecords
internal import Results
internal import Telemetry
internal import Testbed
internal import Units

/// The clean room a cure is played in: a network namespace, a memcached and a server of its own.
///
/// It belongs to the calling thread, whose end ends the processes too.
final class CureRoom {
    /// Clients and fillers come from addresses of their own, which no dialer takes ports of.
    private static let clientSource = IPv4Address(value: 0x7f00_0201)
    private static let statisticsSource = IPv4Address(value: 0x7f00_0203)
    /// From the end of a round to the next: more than connect() waits by default before it takes a port in TIME_WAIT again.
    static let pause = Duration.milliseconds(1100)
    /// How long small callers send at the least, so that there are some beside the heavy batch.
    private static let shortestRound = Duration.milliseconds(500)
    private static let longestRound = Duration.seconds(600)

    private let plan: CuresPlan
    private let cure: Cure
    private let folder: RunFolder
    private let memcached: MemcachedProcess
    private let proxy: ProxyProcess?
    private let server: ServerProcess
    private var other: OtherProgram?
    /// Open all the time: there may be no port for another.
    private var statistics: TextConnection
    private let workload: Workload
    private let settings: Settings
    let environment: Environment
    private let capacity: Int
    private let roomTime: Duration
    private var peaks = (timeWait: 0, memcachedTimeWait: 0, portsInUse: 0, inFlight: 0)
    private var trend = PortTrend()
    private var batches: [CureMeasurement.Batch] = []
    private var records: [String: ClientRecord] = [:]

    /// Makes the network, starts memcached and server, and fills memcached.
    /// - Throws: ``TestbedError``; ``CureUnavailable`` for what this machine lacks; ``Interrupted``
    init(_ cure: Cure, _ plan: CuresPlan) throws {
        self.cure = cure
        self.plan = plan
        let began = MonotonicInstant.now
        let network = try NetworkSetup(.namespace, portRange: plan.range(cure.ports))
        for sysctl in cure.sysctls { try Self.write(sysctl) }
        environment = Environment(network, seed: plan.seed, clients: plan.clients, arguments: [])
        capacity = network.ports.ports
        folder = try RunFolder()
        var options = MemcachedProcess.Options()
        options.memory = 128
        var settings = plan.settings
        settings.logSink = .file(path: folder.path + "/errors.log")
        settings.apply(try cure.changes(range: network.ports))
        if cure.route == .ipv6 { options.transport = try Self.ipv6() }
        try network.makeOwn(settings.fanOut.dialer)
        if let obstacle = settings.obstacle { throw CureUnavailable("\(obstacle)") }
        self.settings = settings
        var others: [SocketAddress] = []
        switch cure.route {
        case .ipv6: break
        case .unixSocket: options.transport = .unix
        case .addresses(let count):
            options.listen = IPv4Address(value: 0)
            others = (2...UInt32(count)).map { .ipv4(IPv4Address(value: 0x7f00_0000 + $0), port: options.port) }
        case .oneAddress, .proxy, .proxyOnUnixSocket:
            if settings.fanOut.dialer == .rotateDestination { options.listen = IPv4Address(value: 0) }
        }
        let folder = folder
        let memcached = try MemcachedProcess(options, in: folder)
        self.memcached = memcached
        try Self.checkForSignal()
        let proxy = try Self.proxyAddress(cure.route, folder).map {
            try ProxyProcess(on: $0, before: memcached.address, in: folder)
        }
        self.proxy = proxy
        server = try ServerProcess(
            address: network.serverAddress,
            adminAddress: network.adminAddress,
            memcached: [proxy?.address ?? memcached.address] + others,
            Settings.names.flatMap { ["--\($0)", settings[$0]!] }
                // As the incident's service did.
                + ["--abandoned", "finish"],
            in: folder
        )
        roomTime = .now - began
        try Self.checkForSignal()
        workload = Workload(seed: plan.seed, count: plan.uris)
        do {
            // There is one memcached, whatever addresses it goes by.
            // IPv4 addresses are for IPv4 alone.
            let isIPv4 = if case .ipv4 = memcached.address { true } else { false }
            try Preload.run(workload, into: ServerList([memcached.address]), from: isIPv4 ? Self.clientSource : nil)
            statistics = try TextConnection(to: memcached.address, from: isIPv4 ? Self.statisticsSource : nil)
        } catch {
            throw TestbedError("memcached cannot be filled: \(error)")
        }
    }

    private static func proxyAddress(_ route: Cure.Route, _ folder: RunFolder) -> SocketAddress? {
        switch route {
        case .proxy: .ipv4(.loopback, port: 22121)
        case .proxyOnUnixSocket: .unix(path: folder.path + "/proxy.sock")
        case .oneAddress, .addresses, .unixSocket, .ipv6: nil
        }
    }

    private static func ipv6() throws(CureUnavailable) -> MemcachedProcess.Transport {
        do {
            _ = try Socket.listening(on: .ipv6(.ipv6Loopback, port: 11211), backlog: 1)
            return .ipv6
        } catch {
            throw CureUnavailable("IPv6 is off on this machine (\(error)); net.ipv6.conf.lo.disable_ipv6=0 turns it on")
        }
    }

    private static func write(_ sysctl: Cure.Sysctl) throws {
        do {
            try NamespaceSysctl(sysctl.name, sysctl.value).write(outside: [])
        } catch {
            throw CureUnavailable("\(error)")
        }
    }

    /// Plays both rounds.
    /// - Parameter pause: between them.
    /// - Throws: ``TestbedError``, ``Interrupted``
    func play(pause: Duration = CureRoom.pause) throws -> CureMeasurement {
        let beginning = try counters()
        let kernel = try tcpCounters()
        let processorTimes = (server: time(of: server.identifier), memcached: time(of: memcached.identifier))
        let connections = try connectionsTaken()
        let other: OtherProgram
        do {
            other = try OtherProgram(memcached: memcached.address.port == nil ? nil : memcached.address)
        } catch {
            throw TestbedError("the other program cannot be started: \(error)")
        }
        self.other = other
        try play(round: 1)
        try self.pause(for: pause)
        try play(round: 2)
        let dialled = other.end()
        let counted = try counters().change(since: beginning)
        let since = try tcpCounters()
        let afterwards = try connectionsTaken()
        return CureMeasurement(
            settings: SettingsDocument(settings),
            sysctls: Dictionary(cure.sysctls.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
            portsCapacity: capacity,
            batches: batches,
            dials: .init(
                ok: counted.dials.ok,
                failed: counted.dials.failed,
                errorsByCall: counted.dials.errorsByCall,
                countedByMemcached: proxy == nil ? afterwards - connections - dialled.toMemcached.ok : nil
            ),
            timeWaitPeak: peaks.timeWait,
            memcachedTimeWaitPeak: memcached.address.port == nil ? nil : peaks.memcachedTimeWait,
            portsInUsePeak: peaks.portsInUse,
            inFlightPeak: max(peaks.inFlight, counted.inFlightPeak),
            others: dialled,
            clients: [CuresPlan.heavyName, CuresPlan.smallName].compactMap { records[$0]?.result },
            cpuSeconds: .init(
                server: (time(of: server.identifier) - processorTimes.server).inSeconds,
                memcached: (time(of: memcached.identifier) - processorTimes.memcached).inSeconds
            ),
            rssPeakBytes: try? ProcessStatus.peakResidentBytes(of: server.identifier),
            memcachedRSSPeakBytes: try? ProcessStatus.peakResidentBytes(of: memcached.identifier),
            timeWaitOverflows: since["TcpExtTCPTimeWaitOverflow"] - kernel["TcpExtTCPTimeWaitOverflow"],
            resets: since["TcpOutRsts"] - kernel["TcpOutRsts"],
            refusals: counted.refusals,
            roomMilliseconds: roomTime.inMilliseconds
        )
    }

    func end() {
        _ = other?.end()
        server.terminate(timeout: .zero)
        proxy?.terminate()
        memcached.terminate()
    }

    // MARK: Rounds

    private func play(round: Int) throws {
        for _ in 0..<plan.batchesPerRound { try playBatch(round: round) }
    }

    /// One batch of the heavy caller, with small callers before, beside and after it.
    private func playBatch(round: Int) throws {
        let before = try counters()
        let clients = plan.clients.map { $0.phased(seed: plan.seed &+ UInt64(batches.count), within: nil) }
        let form = RequestForm(to: Target(address: server.address, path: Endpoint.path))
        let load: Load
        do {
            load = try Load(
                clients.map { Load.Client($0) },
                Load.Options(form, from: SourceAddresses(Self.clientSource), timeout: .seconds(300)),
                workload
            )
            try load.start(for: nil)
        } catch {
            throw TestbedError("the callers cannot be started: \(error)")
        }
        defer { load.abandon() }
        let start = MonotonicInstant.now
        var sampled = start
        while !load.isOver {
            try pause(for: .milliseconds(10))
            try checkProcesses()
            let heavy = load.recorders[0].record
            if heavy.batches > 0, heavy.ended == heavy.batches, .now - start >= Self.shortestRound { load.stop() }
            guard .now - start < Self.longestRound else {
                throw TestbedError("a batch is unanswered after \(Self.longestRound.text)")
            }
            if .now - sampled >= .milliseconds(250) {
                try sample()
                sampled = .now
            }
        }
        // The answers are out; the last connections are closing.
        try pause(for: .milliseconds(30))
        try sample()
        let counted = try counters().change(since: before)
        peaks.inFlight = max(peaks.inFlight, counted.inFlightPeak)
        let heavy = load.recorders[0].record
        batches.append(
            .init(
                round: round,
                uris: heavy.uris,
                found: heavy.found,
                errors: counted.lookups.errors,
                milliseconds: heavy.result.latencyMs?.max
            )
        )
        for record in load.recorders.map(\.record) {
            if records[record.name]?.add(record) == nil { records[record.name] = record }
        }
    }

    private func sample() throws {
        do {
            let sample = try PortSample.take(after: trend, boundOnly: false)
            trend.add(sample)
            // Of what the server dials.
            let port = (proxy?.address ?? memcached.address).port
            let held = port.flatMap { sample.use.rows(towardsPort: $0).map(\.held).max() } ?? 0
            let timeWait = port.flatMap { sample.use.destinations[$0] }?[.timeWait] ?? 0
            peaks.portsInUse = max(peaks.portsInUse, held)
            peaks.timeWait = max(peaks.timeWait, timeWait)
            if let port = memcached.address.port {
                peaks.memcachedTimeWait = max(peaks.memcachedTimeWait, try SocketDiagnostics.timeWait(atPort: port))
            }
        } catch {
            throw TestbedError("the kernel does not list its sockets: \(error)")
        }
    }

    // MARK: What both ends count

    private func counters() throws(TestbedError) -> CounterSnapshot { try server.counters(takePeaks: true) }

    private func tcpCounters() throws -> TCPCounters {
        do {
            return try .current()
        } catch {
            throw TestbedError("the kernel does not say what TCP counted: \(error)")
        }
    }

    private func time(of process: Int32) -> Duration {
        (try? ProcessStatus.processorTime(of: process)) ?? .zero
    }

    /// memcached's `total_connections`.
    private func connectionsTaken() throws -> Int {
        do {
            let count = try statistics.statistics()["total_connections"].flatMap { Int($0) }
            if let count { return count }
        } catch {
            throw TestbedError("memcached does not say what it counted: \(error)")
        }
        throw TestbedError("memcached does not say total_connections")
    }

    private func checkProcesses() throws {
        if let exit = server.poll() {
            throw TestbedError("spiral-server ended (\(exit))\(folder.lastWords("server.log"))")
        }
        if let exit = memcached.poll() {
            throw TestbedError("memcached ended (\(exit))\(folder.lastWords("memcached.log"))")
        }
    }

    private func pause(for duration: Duration) throws {
        guard Signals.waitForTermination(upTo: duration) == nil else { throw Interrupted() }
    }

    private static func checkForSignal() throws {
        guard Signals.waitForTermination(upTo: .zero) == nil else { throw Interrupted() }
    }
}

/// What a cure needs and this machine does not have.
struct CureUnavailable: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
