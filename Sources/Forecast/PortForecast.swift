internal import FanOut
package import KernelProbe
internal import Limits
package import LoadGenerator
internal import Memcached
internal import POSIX
package import PostRecords
package import Text
internal import Units

/// The budget of ephemeral ports as arithmetic, and as a simulation of the batches that are due.
package struct PortForecast: Codable, Sendable {
    package static let currentSchema = "spiral-predict/1"

    /// What is asked: batches, their size and rate, ports and reuse.
    package struct Question: Sendable {
        package var budget: PortRange
        package var settings: Settings
        package var clients: [ClientSpec]
        /// Source addresses that dials rotate over; nil for as many as the dialer has.
        package var sources: Int?
        /// Addresses memcached is reached at; nil for as many as the dialer has.
        package var destinations: Int?
        /// net.ipv4.tcp_tw_reuse.
        package var twReuse = 2
        /// net.ipv4.tcp_tw_reuse_delay; nil for a kernel before 6.14, which goes by whole seconds.
        package var twReuseDelay: Duration? = .seconds(1)
        /// Whether memcached is reached over loopback, for which tcp_tw_reuse=2 counts.
        package var isLoopback = true
        package var hosts = 1
        package var duration = Duration.seconds(600)

        package init(budget: PortRange, settings: Settings, clients: [ClientSpec]) {
            self.budget = budget
            self.settings = settings
            self.clients = clients
        }
    }

    /// Why arithmetic cannot tell.
    package struct Problem: Error, CustomStringConvertible {
        package var description: String
    }

    package var schema = PortForecast.currentSchema
    package var settings: SettingsDocument
    package var clients: [String]
    package var hosts: Int
    /// Ports that one pair of addresses has.
    package var portsOfAddress: Int
    /// Sets of ports that dials can choose among: source addresses, or pairs of source and destination.
    package var portSets: Int
    /// Ports together.
    package var capacity: Int
    /// Seconds a port is taken after its connection has closed.
    package var restSeconds: Double
    /// Dials a second that a host sustains.
    package var sustainableDialsPerSecond: Double
    /// Dials a second of one host, on average.
    package var dialsPerSecond: Double
    /// Ports in TIME_WAIT at steady state, were there enough.
    package var restingPorts: Int
    /// Seconds until the first dial finds no port; nil when none fails in the time looked at.
    package var exhaustedAfter: Double?
    /// What fails then.
    package var failure: String
    /// In the time looked at, on one host.
    package var dials: Int
    package var failedDials: Int
    package var portsPeak: Int
    /// Share of the ports taken at most, 0 to 1.
    package var utilisation: Double
    /// How many times as many dials a second could be sustained, on average; nil when there are none.
    @ExplicitNull package var headroom: Double?
    /// Seconds looked at.
    package var seconds: Double
    /// Source addresses that a host needs, so that no dial ever fails.
    package var addressesNeeded: Int
    /// Hosts that are needed instead, with the addresses there are; nil when no number is enough.
    package var hostsNeeded: Int?

    /// - Throws: ``Problem`` where dials depend on timing, and where there are no ports.
    package init(_ question: Question) throws(Problem) {
        guard question.budget.ports > 0 else { throw Problem(description: "all ports of the range are reserved") }
        let fanOut = question.settings.fanOut
        let chunk = if case .multiget(let chunk) = fanOut.fanout { chunk } else { 1 }
        if let bound = fanOut.limit.bound, bound > fanOut.maxIdle {
            throw Problem(
                description:
                    "limit \(fanOut.limit) with max-idle \(fanOut.maxIdle): how often it dials depends on timing; "
                    + "measure it with 'spiral sweep', or keep \(bound) connections idle"
            )
        }
        settings = SettingsDocument(question.settings)
        clients = question.clients.map(\.description)
        hosts = question.hosts
        portsOfAddress = question.budget.ports
        let loopback = IPv4Address.usableLoopback.count
        let canReuse: Bool
        switch fanOut.dialer {
        case .bind, .rotate, .rotateWithin:
            let sources = question.sources ?? fanOut.dialer.sources ?? 1
            // A port chosen by bind() is taken for the address; one chosen by connect(), for the pair. ip(7)
            portSets = fanOut.lateBind ? Self.product(sources, question.destinations ?? 1) : sources
            failure = fanOut.lateBind ? "connect: EADDRNOTAVAIL" : "bind: EADDRINUSE"
            canReuse = fanOut.lateBind
        case .kernel, .rotateDestination:
            let destinations = question.destinations ?? (fanOut.dialer == .kernel ? 1 : loopback)
            portSets = Self.product(question.sources ?? 1, destinations)
            failure = "connect: EADDRNOTAVAIL"
            canReuse = true
        }
        // connect() takes a port in TIME_WAIT again where it may; bind() never does.
        let reuse = canReuse ? question.reuse : .never
        restSeconds = reuse.seconds
        capacity = Self.product(portsOfAddress, portSets)
        sustainableDialsPerSecond = Double(capacity) / restSeconds

        var simulation = PortSimulation(ports: capacity, maxIdle: fanOut.maxIdle, limit: fanOut.limit.bound)
        simulation.reuse = reuse
        simulation.chunk = chunk
        simulation.hosts = question.hosts
        let outcome = simulation.run(question.clients, for: question.duration)
        exhaustedAfter = outcome.exhaustedAfter
        dials = outcome.dials
        failedDials = outcome.failedDials
        portsPeak = outcome.portsPeak
        seconds = question.duration.inSeconds

        simulation.ports = .max / 4
        let unbounded = simulation.run(question.clients, for: question.duration)
        dialsPerSecond = Double(unbounded.dials) / seconds
        restingPorts = Int(min(1e15, dialsPerSecond * restSeconds))
        let setsNeeded = (unbounded.portsPeak + portsOfAddress - 1) / portsOfAddress
        addressesNeeded = max(1, setsNeeded)
        utilisation = Double(outcome.portsPeak) / Double(max(1, capacity))
        headroom = dialsPerSecond > 0 ? sustainableDialsPerSecond / dialsPerSecond : nil
        hostsNeeded = Self.hostsNeeded(question, simulation, capacity: capacity)
    }

    /// The fewest hosts with which no dial fails, found by halving.
    private static func hostsNeeded(_ question: Question, _ simulation: PortSimulation, capacity: Int) -> Int? {
        func isEnough(_ hosts: Int) -> Bool {
            var simulation = simulation
            simulation.ports = capacity
            simulation.hosts = hosts
            return simulation.run(question.clients, for: question.duration).exhaustedAfter == nil
        }
        var high = 1
        while !isEnough(high) {
            high *= 2
            // One batch alone is too much for a host.
            if high > 1 << 20 { return nil }
        }
        var low = high / 2
        while high - low > 1 {
            let middle = (low + high) / 2
            if isEnough(middle) { high = middle } else { low = middle }
        }
        return high
    }

    private static func product(_ left: Int, _ right: Int) -> Int {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? .max / 4 : min(product, .max / 4)
    }

    /// For people to read.
    package var lines: [String] {
        let sets = portSets == 1 ? "" : " x \(grouped(portSets)) sets of addresses"
        let host = hosts == 1 ? "" : ", on each of \(grouped(hosts)) hosts"
        var lines = [
            "ports        \(grouped(portsOfAddress)) of one address\(sets), each taken for \(rounded(restSeconds)) s after its connection closed",
            "sustains     \(rounded(sustainableDialsPerSecond)) new connections a second\(host)",
            "demand       \(rounded(dialsPerSecond)) new connections a second\(host), averaged over \(rounded(seconds)) s: "
                + clients.joined(separator: " "),
            "TIME_WAIT    \(grouped(restingPorts)) at steady state, with unlimited ports",
        ]
        if let exhaustedAfter {
            lines.append("runs out     after \(rounded(exhaustedAfter)) s; from then on dials fail with \(failure)")
            lines.append(
                "             of \(grouped(dials + failedDials)) dials in \(rounded(seconds)) s, \(grouped(failedDials)) fail"
            )
            lines.append("to avoid it  \(grouped(addressesNeeded)) source addresses per host")
            lines.append(
                hostsNeeded.map {
                    "             or \($0 == hosts ? "these" : grouped($0)) hosts with the addresses there are"
                }
                    ?? "             one batch alone takes more ports than a host has: more hosts do not help"
            )
        } else {
            lines.append("runs out     not within \(rounded(seconds)) s; \(grouped(portsPeak)) ports are taken at most")
            let headroom = headroom.map { ", headroom \(rounded($0))x" } ?? ""
            lines.append("uses         \(percent(utilisation)) of the ports at most\(headroom)")
        }
        return lines
    }
}
