/// Ports of one set that are held: of an address, of a pair of ends, or of all programs that bind.
package struct PortPool: Sendable, Equatable {
    /// Seconds a closed connection's port stays held.
    static let seconds = 60

    /// Held by connections in any state but TIME_WAIT, by listening and by bound sockets.
    package var open = 0
    /// Held by connections in TIME_WAIT, and by those in FIN_WAIT2 that are no process's any more, by whole seconds since
    /// they closed: the first is less than one second ago.
    package private(set) var closed = [UInt32](repeating: 0, count: PortPool.seconds)

    package init() {}

    package init(open: Int, closed: [UInt32]) {
        self.open = open
        for (index, count) in closed.prefix(Self.seconds).enumerated() { self.closed[index] = count }
    }

    package var timeWait: Int { Int(closed.reduce(0, +)) }

    package var held: Int { open + timeWait }

    mutating func add(_ hold: SocketHold) {
        if let age = hold.age { closed[min(Self.seconds - 1, age / 1000)] += 1 } else { open += 1 }
    }

    /// Connections that closed within the last `seconds`; a part of a second counts as that part of its ports.
    package func closed(within seconds: Double) -> Double {
        let whole = Int(min(seconds, Double(Self.seconds)))
        let part = whole < Self.seconds ? Double(closed[whole]) * (seconds - Double(whole)) : 0
        return Double(closed[..<whole].reduce(0, +)) + part
    }

    /// Seconds for which connections have been closing, if they do so evenly; nil without any.
    var span: Double? {
        guard let oldest = closed.lastIndex(where: { $0 > 0 }) else { return nil }
        guard oldest > 0 else { return 1 }
        // The oldest second is as full, beside the others, as much of it had passed.
        let perSecond = Double(closed[..<oldest].reduce(0, +)) / Double(oldest)
        return Double(oldest) + (perSecond > 0 ? min(1, Double(closed[oldest]) / perSecond) : 1)
    }
}
