internal import POSIX
internal import Units

/// Ports that come and go, going on as they do.
struct PortFlow {
    /// What was held when it was looked at.
    var pool: PortPool
    /// Seconds a closed connection keeps its port from the dials that are asked about.
    var hold: Double
    /// Ports taken and connections closed a second. Fewer closed than taken is growth, which has no end.
    var opened: Double
    var closed: Double
    /// Ports taken and connections closed between the look and now.
    var openedSince = 0.0
    var closedSince = 0.0

    /// Ports more than at the look that are held `time` seconds after it.
    /// - Parameters:
    ///   - now: seconds between the look and now.
    ///   - full: when so many are in TIME_WAIT that the kernel keeps no more of them.
    func gain(at time: Double, now: Double, full: Double) -> Double {
        let ahead = max(0, time - now)
        // What closes beyond that time is free at once.
        let aheadFull = max(0, time - max(now, full))
        let taken = openedSince + opened * ahead - min(opened, closed) * aheadFull
        return taken - returned(by: time, now: now, full: full)
    }

    private func returned(by time: Double, now: Double, full: Double) -> Double {
        let within = min(hold, Double(PortPool.seconds))
        let old = pool.closed(within: within) - pool.closed(within: max(0, within - time))
        // Those that closed since then, and will.
        let until = min(time - hold, full)
        guard until > 0 else { return old }
        let since = now > 0 ? closedSince * min(1, until / now) : 0
        return old + since + closed * max(0, until - now)
    }
}

/// How ports that bind() chose go on to spread: over the odd ones, which all bound addresses take first, and from there
/// on as far as the address that holds most of all.
struct BoundFlow {
    var flow: PortFlow
    /// Odd ports that are not bound yet.
    var oddLeft: Int
    /// What the address with most holds, and what becomes of it.
    var busiest: (held: Int, flow: PortFlow)?
    /// Odd ports there are.
    var oddPorts: Int

    func gain(at time: Double, now: Double, full: Double) -> Double {
        let odd = min(flow.gain(at: time, now: now, full: full), Double(oddLeft))
        guard let busiest else { return odd }
        let beyond = Double(busiest.held - oddPorts)
        return odd + max(0, beyond + busiest.flow.gain(at: time, now: now, full: full)) - max(0, beyond)
    }
}

/// When the ports are all taken.
struct PortProjection {
    /// Ports free at the look.
    var free: Int
    /// Ports that a search may pass over: one, where the range is odd.
    var unreachable = 0
    var flows: [PortFlow]
    /// Ports that bind() chooses, where they are in the way.
    var bound: BoundFlow?
    /// Seconds since the look.
    var now = 0.0
    /// Seconds from the look until the namespace has all the TIME_WAIT sockets it may have.
    var full = Double.infinity

    /// Seconds from now until a dial finds no port; nil when each finds one, going on like this.
    var secondsLeft: Double? {
        var earlier = (time: now, left: left(at: now))
        if earlier.left <= 0 { return 0 }
        // After the longest hold all that closed is back, and what is left changes evenly.
        let end = Int(now) + PortPool.seconds + 2
        for second in 1...end {
            let time = now + Double(second)
            let later = left(at: time)
            if later <= 0 {
                return earlier.time - now + (time - earlier.time) * earlier.left / (earlier.left - later)
            }
            earlier = (time, later)
        }
        let growth = flows.reduce(0) { $0 + max(0, $1.opened - $1.closed) }
        return growth > 0 ? earlier.time - now + earlier.left / growth : nil
    }

    /// Ports that dials can reach `time` seconds after the look.
    func left(at time: Double) -> Double {
        let gains = flows.reduce(0) { $0 + $1.gain(at: time, now: now, full: full) }
        return Double(free - unreachable) - gains - (bound?.gain(at: time, now: now, full: full) ?? 0)
    }
}
