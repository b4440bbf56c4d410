package import KernelProbe
package import Text
internal import Units

/// The budget of ephemeral ports for connections that come at an even rate, whoever opens them: arithmetic alone.
package struct ConnectionForecast: Codable, Sendable, Equatable {
    /// What is asked: rate, time a connection lasts, ports and reuse.
    package struct Question: Sendable {
        /// New connections a second.
        package var perSecond: Double
        /// Seconds each is open.
        package var open = 0.0
        /// Ports of one source address.
        package var ports: Int
        /// Sets of ports there are: source addresses, and where connect() chooses, pairs of source and destination.
        package var sets = 1
        /// Whether bind() chooses the port.
        package var isBound = false
        package var reuse = TimeWaitReuse.never
        /// net.ipv4.tcp_max_tw_buckets: connections beyond it close without TIME_WAIT; nil for no bound.
        package var maxTimeWait: Int?
        /// Seconds looked at.
        package var seconds = 600.0

        package init(perSecond: Double, ports: Int) {
            self.perSecond = perSecond
            self.ports = ports
        }
    }

    package var schema = PortForecast.currentSchema
    package var dialsPerSecond: Double
    package var portsOfAddress: Int
    package var portSets: Int
    package var capacity: Int
    /// Seconds a port is taken after its connection closed, and with the connection.
    package var restSeconds: Double
    package var heldSeconds: Double
    package var sustainableDialsPerSecond: Double
    /// Seconds until a dial finds no port; nil when each finds one.
    @ExplicitNull package var exhaustedAfter: Double?
    package var failure: String
    /// In the seconds looked at.
    package var dials: Int
    package var failedDials: Int
    package var seconds: Double
    /// Ports taken at most, and what share of all that is.
    package var portsPeak: Int
    package var utilisation: Double
    /// How many times the rate could be sustained; nil without one.
    @ExplicitNull package var headroom: Double?
    package var addressesNeeded: Int

    package init(_ question: Question) {
        dialsPerSecond = question.perSecond
        portsOfAddress = question.ports
        portSets = question.sets
        capacity = Int(min(Double(question.ports) * Double(question.sets), 1e15))
        restSeconds = (question.isBound ? .never : question.reuse).seconds
        heldSeconds = restSeconds + question.open
        sustainableDialsPerSecond = Double(capacity) / heldSeconds
        failure = question.isBound ? "bind: EADDRINUSE" : "connect: EADDRNOTAVAIL"
        seconds = question.seconds
        // Ports taken in steady state, were there as many.
        let inTimeWait = min(question.perSecond * restSeconds, question.maxTimeWait.map(Double.init) ?? .infinity)
        let needed = question.perSecond * question.open + inTimeWait
        let asked = question.perSecond * seconds
        if needed > Double(capacity), Double(capacity) / question.perSecond < seconds {
            exhaustedAfter = Double(capacity) / question.perSecond
            // All there are once, and again each time the first of them come back.
            let rounds = (seconds / heldSeconds).rounded(.down)
            let rest = min(Double(capacity), question.perSecond * (seconds - rounds * heldSeconds))
            dials = Int(min(asked, rounds * Double(capacity) + rest))
        } else {
            exhaustedAfter = nil
            dials = Int(asked)
        }
        failedDials = Int(asked) - dials
        portsPeak = min(capacity, Int(min(needed, asked).rounded(.up)))
        utilisation = capacity > 0 ? Double(portsPeak) / Double(capacity) : 1
        headroom = question.perSecond > 0 ? sustainableDialsPerSecond / question.perSecond : nil
        addressesNeeded = max(1, Int((needed / Double(max(1, question.ports))).rounded(.up)))
    }

    /// For people to read.
    package var lines: [String] {
        let sets = portSets == 1 ? "" : " x \(grouped(portSets)) sets of addresses"
        let open = heldSeconds > restSeconds ? ", open for \(rounded(heldSeconds - restSeconds)) s before" : ""
        var lines = [
            "ports        \(grouped(portsOfAddress)) of one address\(sets), each taken for \(rounded(restSeconds)) s after "
                + "its connection closed\(open)",
            "sustains     \(rounded(sustainableDialsPerSecond)) new connections a second",
            "demand       \(rounded(dialsPerSecond)) new connections a second",
        ]
        if let exhaustedAfter {
            lines += [
                "runs out     after \(rounded(exhaustedAfter)) s; from then on dials fail with \(failure)",
                "             of \(grouped(dials + failedDials)) dials in \(rounded(seconds)) s, \(grouped(failedDials)) fail",
                "to avoid it  \(grouped(addressesNeeded)) source addresses",
            ]
        } else {
            let headroom = headroom.map { ", headroom \(rounded($0))x" } ?? ""
            lines.append("runs out     not within \(rounded(seconds)) s")
            lines.append(
                "uses         \(percent(utilisation)) of the ports, \(grouped(portsPeak)) at most\(headroom)"
            )
        }
        return lines
    }
}
