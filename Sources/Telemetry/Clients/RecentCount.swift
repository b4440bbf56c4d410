internal import POSIX

/// Events of the last seconds, second by second.
struct RecentCount {
    /// Whole seconds that are looked back on.
    static let seconds = 10
    private var counts = [Int](repeating: 0, count: seconds + 1)
    private var current: Int

    init(at now: MonotonicInstant) {
        current = Self.second(now)
    }

    mutating func add(_ amount: Int, at now: MonotonicInstant) {
        advance(to: now)
        counts[current % counts.count] += amount
    }

    /// In the present second and those before it.
    mutating func total(at now: MonotonicInstant) -> Int {
        advance(to: now)
        return counts.reduce(0, +)
    }

    private mutating func advance(to now: MonotonicInstant) {
        let second = Self.second(now)
        guard second > current else { return }
        for passed in (current + 1)...min(second, current + counts.count) {
            counts[passed % counts.count] = 0
        }
        // Slots stand for seconds by their remainder, so a long silence clears all of them.
        current = second
    }

    private static func second(_ instant: MonotonicInstant) -> Int { Int(instant.nanoseconds / 1_000_000_000) }
}
