package import POSIX
internal import Units

/// What several moments of one step of time come to together.
package protocol StepValue: Sendable, Equatable {
    mutating func merge(_ other: Self)
}

/// Values over time in a bounded number of equal steps: when there are too many, each two become one.
package struct TimeSteps<Value: StepValue>: Sendable, Equatable {
    private static var most: Int { 600 }

    /// In nanoseconds.
    private var step: UInt64 = 100_000_000
    private var start: MonotonicInstant?
    private var values: [Value?] = []

    package init() {}

    /// Counts a value into the step that holds this moment.
    package mutating func add(_ value: Value, at now: MonotonicInstant) {
        let start = self.start ?? now
        self.start = start
        let since = now > start ? now.nanoseconds - start.nanoseconds : 0
        while since / step >= UInt64(Self.most) { halve() }
        let index = Int(since / step)
        while values.count <= index { values.append(nil) }
        if values[index]?.merge(value) == nil { values[index] = value }
    }

    private mutating func halve() {
        values = stride(from: 0, to: values.count, by: 2).map { index in
            guard index + 1 < values.count, let later = values[index + 1] else { return values[index] }
            guard var both = values[index] else { return later }
            both.merge(later)
            return both
        }
        step *= 2
    }

    /// In seconds.
    package var stepSeconds: Double { Double(step) / 1e9 }

    /// Each step's beginning in seconds since `beginning`, and its value; nil where there was none.
    package func points(since beginning: MonotonicInstant) -> [(at: Double, value: Value?)] {
        guard let start else { return [] }
        let offset = (start - beginning).inSeconds
        return values.enumerated().map { (offset + Double($0.offset) * stepSeconds, $0.element) }
    }
}

/// Dials begun in a step.
struct DialCount: StepValue {
    var count = 1

    mutating func merge(_ other: DialCount) { count += other.count }
}

/// The most ports of one source address and the most TIME_WAIT sockets of all in a step.
package struct PortLevels: StepValue {
    var held: Int
    var timeWait: Int

    package mutating func merge(_ other: PortLevels) {
        held = max(held, other.held)
        timeWait = max(timeWait, other.timeWait)
    }
}
