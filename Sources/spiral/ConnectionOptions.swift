internal import ArgumentParser
internal import Commands
internal import Forecast
internal import KernelProbe
internal import POSIX
internal import Units

/// `spiral predict` for any service: connections at an even rate, or those of a running program.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "New connections a second to one remote destination, in place of callers.",
            valueName: "rate"
        )
    )
    var connections: String?

    @Option(help: "With --connections: how long each is open. 0s when left out.")
    var open: String?

    @Flag(help: "With --connections: the destination is on this machine, where tcp_tw_reuse=2 reuses ports.")
    var loopback = false

    @Option(help: ArgumentHelp("Measure a running program for some seconds, and answer for it.", valueName: "pid"))
    var fromPid: Int32?

    @Option(help: "net.ipv4.tcp_tw_reuse_delay, since Linux 6.14: 1ms to 60s.")
    var twReuseDelay: String?

    /// Looks at a program, and the time between two.
    private static let looks = 5
    private static let distance = Duration.seconds(1)

    func validate() throws {
        _ = try rate()
        _ = try openTime()
        _ = try delay()
        guard fromPid.map({ $0 > 0 }) ?? true else { throw ValidationError("--from-pid: use the id of a process") }
        guard connections == nil || fromPid == nil else {
            throw ValidationError("--connections and --from-pid: use one of them")
        }
        for (option, isGiven) in [("--open", open != nil), ("--loopback", loopback)] where isGiven {
            guard connections != nil else { throw ValidationError("\(option) goes with --connections") }
        }
    }

    private func openTime() throws -> Double {
        try open.map { try readOption("--open", $0, as: { try Duration(text: $0) }).inSeconds } ?? 0
    }

    /// What asks in place of clients, and leaves no use for their options; nil where clients do.
    var inPlaceOfClients: String? {
        connections != nil ? "--connections" : fromPid != nil ? "--from-pid" : nil
    }

    private func rate() throws -> Double? {
        try connections.map { try readOption("--connections", $0, as: Rate.init(text:)).perSecond }
    }

    func delay() throws -> Duration? {
        guard let twReuseDelay else { return nil }
        let delay = try readOption("--tw-reuse-delay", twReuseDelay, as: { try Duration(text: $0) })
        guard delay >= .milliseconds(1), delay <= .seconds(60) else {
            throw ValidationError("--tw-reuse-delay: the kernel takes 1ms to 60s")
        }
        return delay
    }

    /// What connections at an even rate come to; nil where nobody asks.
    /// - Parameters:
    ///   - question: whose ports, ways to choose them, TIME_WAIT and time are taken over.
    ///   - machine: what this machine has set, where its ports are asked for.
    func forecast(_ question: PortForecast.Question, machine: NamespaceSettings?) throws -> ConnectionForecast? {
        guard let rate = try rate() else { return nil }
        var question = question
        question.isLoopback = loopback
        do {
            var connections = try question.connections(perSecond: rate)
            connections.open = try openTime()
            connections.maxTimeWait = machine?.maxTimeWaitBuckets
            return ConnectionForecast(connections)
        } catch let problem as PortForecast.Problem {
            throw Refusal(.usage, "\(problem)")
        }
    }

    /// What a running program's connections come to; nil where nobody asks.
    /// - Throws: ``Refusal`` when it cannot be looked at.
    func measured() throws -> MeasuredForecast? {
        guard let fromPid else { return nil }
        Signals.holdTermination()
        var namespace = PortsNamespace(process: fromPid, name: nil, option: "--from-pid")
        try namespace.enter()
        let destinations = Set(try namespace.destinations(of: fromPid).map(\.endpoint))
        var sampler = PortSampler()
        let begin = MonotonicInstant.now
        do throws(SystemCallError) {
            for look in 0..<Self.looks {
                if look > 0, Signals.waitForTermination(upTo: Self.distance) != nil { break }
                try sampler.look()
            }
        } catch {
            throw Refusal(.machine, SocketDiagnostics.explanation(of: error))
        }
        let outlooks = sampler.trend.outlooks.filter {
            destinations.isEmpty || destinations.contains($0.row.pair.destination)
        }
        guard let settings = sampler.trend.latest?.use.settings, !outlooks.isEmpty else {
            throw Refusal(.failed, "--from-pid: nothing in the network namespace of process \(fromPid) dials")
        }
        return MeasuredForecast(outlooks, settings, seconds: (MonotonicInstant.now - begin).inSeconds)
    }
}
