package import KernelProbe
internal import Text

/// What somebody does not want of a namespace's ports, as a value: `--fail-above` and `--fail-below`.
package struct PortAlarm: Sendable, Equatable {
    /// More than so many hundredths of a row's ports taken; nil for no such bound.
    package var percent: Double?
    /// No port left in fewer seconds than this; nil for no such bound.
    package var seconds: Double?

    package init(percent: Double? = nil, seconds: Double? = nil) {
        self.percent = percent
        self.seconds = seconds
    }

    /// The first thing that is not as wanted, or that nobody can know to be: what is not known passes nothing.
    /// - Returns: a sentence naming the row, or nil when all is well.
    package func problem(in trend: PortTrend, _ view: PortView) -> String? {
        guard percent != nil || seconds != nil else { return nil }
        guard let use = trend.latest?.use else { return "the kernel's sockets were not looked at" }
        let outlooks = view.outlooks(trend)
        for outlook in outlooks {
            if let problem = problem(of: outlook, connectsPerSecond: trend.connectsPerSecond) {
                return "\(outlook.row.pair.source) to \(outlook.row.pair.destination): \(problem)"
            }
        }
        guard outlooks.isEmpty, let newPair = trend.newPair else { return nil }
        // Towards a destination that nobody has reached, ports that others bound can be in the way.
        if use.settings.range.ports == 0 { return "all ports of the range are reserved: every dial fails" }
        if newPair.state == .exhausted {
            return "bind() chose all ports there are: no dial that binds nothing finds one"
        }
        if let percent, exceeds(percent, capacity: use.settings.range.ports, free: newPair.free) {
            return "bind() chose \(grouped(use.bound.held)) of \(grouped(use.settings.range.ports)) ports, which no "
                + "dial without a bind gets: above \(rounded(percent))%"
        }
        return nil
    }

    func problem(of outlook: PortOutlook, connectsPerSecond: Double?) -> String? {
        let row = outlook.row
        let isOut = outlook.state == .exhausted
        let free = isOut ? 0 : outlook.free
        let unsure = max(0, free - (row.choice == .bind ? 0 : row.perhapsBlocked))
        if let percent, exceeds(percent, capacity: row.capacity, free: free) {
            let taken = isOut ? 100 : (row.capacity - free) * 100 / row.capacity
            return "\(taken)% of \(grouped(row.capacity)) ports are taken, which is above \(rounded(percent))%"
        }
        if let percent, exceeds(percent, capacity: row.capacity, free: unsure) {
            return "who chose \(grouped(row.perhapsBlocked)) ports is not known: more than "
                + "\(rounded(percent))% may be taken"
        }
        guard let seconds else { return nil }
        if let left = outlook.secondsLeft {
            guard left < seconds else { return nil }
            return "no port is left in \(rounded(left)) s, which is below \(rounded(seconds)) s"
        }
        guard outlook.state == .unknown else { return nil }
        // However fast the row's dials come, they are no more than all of the namespace's.
        if let connectsPerSecond, unsure > 0, Double(unsure) >= seconds * connectsPerSecond { return nil }
        let reusable = row.freeAtMost
        if free == 0, reusable > 0 {
            return "whether a port is left is not known: none if bind() chose them, \(grouped(reusable)) otherwise"
        }
        return "how long \(grouped(free)) ports last is not known, so nobody can say that it is \(rounded(seconds)) s"
    }

    /// Whether the ports taken are more than so many hundredths: in whole ports, so that a bound that is met exactly is
    /// not exceeded.
    private func exceeds(_ percent: Double, capacity: Int, free: Int) -> Bool {
        capacity == 0 || Double((capacity - free) * 100) > percent * Double(capacity)
    }
}
