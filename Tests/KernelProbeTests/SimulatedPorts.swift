import POSIX
import Units

@testable import KernelProbe

/// Programs that dial at even rates, as sock_diag would list their connections at any moment: no kernel, no clock.
struct SimulatedPorts {
    /// One that dials.
    struct Dialler {
        var source = IPAddress(text: "127.32.0.1")!
        var destination = IPEndpoint(text: "127.0.0.1:11211")!
        /// Whether bind() chooses the port.
        var isBound = true
        var perSecond: Double
        /// So many come at once, at the same rate.
        var burst = 1
        /// Seconds a connection is open; nil for one that never closes.
        var open: Double? = 0
        /// Whether the other end closes first, which leaves no TIME_WAIT here.
        var isClosedByPeer = false
        /// When it begins and ends to dial.
        var from = 0.0
        var until = Double.infinity
    }

    /// What holds a port.
    private struct Connection {
        var opened: Double
        var closed: Double?
        /// Seconds it holds its port after that.
        var rest: Double

        func isHeld(at time: Double) -> Bool { closed.map { $0 + rest > time } ?? true }

        func isTimeWait(at time: Double) -> Bool { closed.map { $0 <= time } ?? false }
    }

    let settings: NamespaceSettings
    let diallers: [Dialler]
    /// Of each dialler, for each port of the range: its last connection there.
    private var connections: [[Connection?]]
    private(set) var connects = 0
    /// When a dial of each dialler first found no port.
    private(set) var exhausted: [Int: Double] = [:]
    /// Of each dialler: dials so far, and where it looks for a port next.
    private var dials: [Int]
    private var places: [Int]
    /// The clock's zero, so that ages before the beginning are none below zero.
    private static let zero: UInt64 = 1_000_000_000_000

    /// - Parameter diallers: each with a source and destination of its own.
    init(_ settings: NamespaceSettings, _ diallers: [Dialler]) {
        self.settings = settings
        self.diallers = diallers
        let size = settings.range.highestPort - settings.range.lowestPort + 1
        connections = diallers.map { _ in [Connection?](repeating: nil, count: size) }
        dials = diallers.map { _ in 0 }
        places = dials
    }

    static func instant(_ seconds: Double) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: zero + UInt64(seconds * 1e9))
    }

    /// Lets the programs dial up to a moment.
    mutating func run(to time: Double) {
        while true {
            let due = diallers.indices.map {
                diallers[$0].from + Double(dials[$0] / diallers[$0].burst * diallers[$0].burst) / diallers[$0].perSecond
            }
            guard let who = due.indices.min(by: { due[$0] < due[$1] }), due[who] <= time else { return }
            dials[who] += 1
            if due[who] < diallers[who].until { dial(who, at: due[who]) }
        }
    }

    private mutating func dial(_ who: Int, at time: Double) {
        guard let port = freePort(for: who, at: time) else {
            if exhausted[who] == nil { exhausted[who] = time }
            return
        }
        connections[who][port] = Connection(
            opened: time,
            closed: diallers[who].open.map { time + $0 },
            rest: diallers[who].isClosedByPeer ? 0 : 60
        )
        places[who] = port / 2
        connects += 1
    }

    /// The next free one of the parity its call prefers, or of the other.
    private func freePort(for who: Int, at time: Double) -> Int? {
        let half = (connections[who].count + 1) / 2
        let reuse = settings.reuse(from: diallers[who].source, to: diallers[who].destination.address)
        for parity in diallers[who].isBound ? [1, 0] : [0, 1] {
            for step in 1...half {
                let port = (places[who] + step) % half * 2 + parity
                if port < connections[who].count, isFree(port, for: who, reuse, at: time) { return port }
            }
        }
        return nil
    }

    private func isFree(_ port: Int, for who: Int, _ reuse: TimeWaitReuse, at time: Double) -> Bool {
        diallers.indices.allSatisfy { other in
            guard let connection = connections[other][port], connection.isHeld(at: time) else { return true }
            if diallers[who].isBound { return diallers[other].source != diallers[who].source }
            if diallers[other].isBound { return false }
            guard other == who else { return true }
            return connection.isTimeWait(at: time)
                && reuse.allows(age: Int((time - connection.closed!) * 1000), at: Self.instant(time))
        }
    }

    /// What one look at it would show.
    func sample(at time: Double, after trend: PortTrend) -> PortSample {
        var table = SocketTable()
        for (dialler, connections) in zip(diallers, connections) {
            for (port, connection) in connections.enumerated() {
                guard let connection, connection.isHeld(at: time) else { continue }
                let isTimeWait = connection.isTimeWait(at: time)
                table.add(
                    ListedSocket(
                        isIPv6Socket: false,
                        state: (isTimeWait ? TCPState.timeWait : .established).rawValue,
                        local: IPEndpoint(dialler.source, port: UInt16(settings.range.lowestPort + port)),
                        remote: dialler.destination,
                        timeWaitLeft: isTimeWait ? UInt32((60 - (time - connection.closed!)) * 1000) : 0,
                        inode: isTimeWait ? 0 : UInt32(connection.opened * 1000) + 1,
                        isIPv6Only: false
                    )
                )
            }
        }
        let tick = tick(at: time)
        return PortSample(
            use: PortUse(table, settings, taken: tick.taken, knowledge: trend.knowledge()),
            tick: tick
        )
    }

    func tick(at time: Double) -> PortTick {
        var counters = TCPCounters()
        counters["TcpActiveOpens"] = connects
        let timeWait = connections.reduce(0) { sum, held in
            sum + held.count { $0.map { $0.isHeld(at: time) && $0.isTimeWait(at: time) } ?? false }
        }
        return PortTick(taken: Self.instant(time), counters: counters, timeWait: timeWait)
    }
}
