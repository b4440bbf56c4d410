package import POSIX

/// When the whole list of sockets may be asked for again, so that looking takes no more than 1% of a core, whatever is
/// open: two thirds of that for regular looks, the rest for what will not wait.
package struct LookSchedule: Sendable {
    package static let least = Duration.seconds(1)
    /// Time between two looks, in their costs.
    private static let regularRest = 150
    private static let urgentRest = 20
    /// What may be spent within ``window``.
    private static let window = Duration.seconds(60)
    private static let budget = Duration.milliseconds(600)

    private var looks: [(ended: MonotonicInstant, cost: Duration)] = []

    /// Between two looks at the least.
    private let least: Duration

    package init(least: Duration = LookSchedule.least) {
        self.least = least
    }

    /// - Parameters:
    ///   - ended: when a look was done.
    ///   - cost: processor time it took.
    package mutating func add(ended: MonotonicInstant, cost: Duration) {
        looks.append((ended, cost))
        looks.removeAll { ended - $0.ended > Self.window }
    }

    /// - Parameter isUrgent: whether something began, or is about to end, that the last look did not show.
    package func isDue(at now: MonotonicInstant, isUrgent: Bool) -> Bool {
        guard let last = looks.last else { return true }
        let since = now - last.ended
        if since >= max(least, last.cost * Self.regularRest) { return true }
        guard isUrgent, since >= max(least, last.cost * Self.urgentRest) else { return false }
        let spent = looks.filter { now - $0.ended < Self.window }.reduce(Duration.zero) { $0 + $1.cost }
        return spent + last.cost <= Self.budget
    }
}
