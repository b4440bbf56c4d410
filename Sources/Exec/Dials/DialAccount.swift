internal import POSIX

/// What came of the dials of a command, by destination, source, call and errno. A pure value: times in, counts out.
package struct DialAccount: Sendable {
    /// Destinations and sources that have a row of their own; what others did is in the sums.
    static let maxRows = 1024

    /// How a dial ended.
    enum Outcome: Sendable, Equatable {
        case connected
        case failed(InterceptedCall, errno: CInt?)
        /// The program closed it before it was known.
        case abandoned
    }

    /// Dials by outcome. What is in progress is neither.
    package struct Tally: Sendable, Equatable {
        package internal(set) var ok = 0
        package internal(set) var failed = 0
        package internal(set) var abandoned = 0
        package internal(set) var inProgress = 0

        package var total: Int { ok + failed + abandoned + inProgress }

        mutating func add(_ outcome: Outcome) {
            switch outcome {
            case .connected: ok += 1
            case .failed: failed += 1
            case .abandoned: abandoned += 1
            }
        }
    }

    package private(set) var total = Tally()
    /// Failures by call and errno; "unknown" for one that the program alone was told.
    private(set) var errors: [InterceptedCall: [String: Int]] = [:]
    private(set) var destinations: [IPEndpoint: Tally] = [:]
    private(set) var sources: [IPAddress: Tally] = [:]
    /// Every source address, up to ``maxSources``: a rotating dialer has a new one for each dial.
    private var seenSources: Set<IPAddress> = []
    private static let maxSources = 1 << 17
    /// Failures that were asked for.
    package private(set) var injected = 0
    /// Dials the dialer had nothing to say about: other families, other networks, sockets bound by the program.
    package private(set) var unrouted = 0
    /// Dials that had to wait for another one to end, and the most at once.
    package private(set) var held = 0
    package private(set) var inProgressPeak = 0
    /// Calls that could not be looked into, and those of another instruction set: counted nowhere else.
    package private(set) var unseen = 0
    package private(set) var foreign = 0
    /// Set-ups of io_uring that were refused.
    package private(set) var ringsRefused = 0
    private(set) var first: MonotonicInstant?
    private(set) var last: MonotonicInstant?
    private var rate = PeakRate()
    /// Dials begun, over time.
    private(set) var begun = TimeSteps<DialCount>()

    package init() {}

    /// Source addresses there were, or the most that are counted.
    package var sourceCount: Int { seenSources.count }
    package var countsAllSources: Bool { seenSources.count < Self.maxSources }

    /// Dials begun in the busiest second.
    package var perSecondPeak: Int { rate.peak }

    /// A dial begins; `destination` is nil for one that does not come as far as connect().
    mutating func begin(at now: MonotonicInstant) {
        if first == nil { first = now }
        last = now
        rate.add(at: now)
        begun.add(DialCount(), at: now)
    }

    /// It has ended.
    mutating func end(_ outcome: Outcome, from source: IPEndpoint?, to destination: IPEndpoint?) {
        total.add(outcome)
        if case .failed(let call, let errno) = outcome {
            errors[call, default: [:]][errno.map { SystemCallError.name(of: $0) } ?? "unknown", default: 0] += 1
        }
        if let destination { row(&destinations, destination) { $0.add(outcome) } }
        guard let source = source?.address else { return }
        row(&sources, source) { $0.add(outcome) }
        if seenSources.count < Self.maxSources { seenSources.insert(source) }
    }

    /// It goes on, to be ended by ``conclude(_:from:to:)``.
    mutating func progress(from source: IPEndpoint?, to destination: IPEndpoint) {
        total.inProgress += 1
        inProgressPeak = max(inProgressPeak, total.inProgress)
        row(&destinations, destination) { $0.inProgress += 1 }
        if let source { row(&sources, source.address) { $0.inProgress += 1 } }
    }

    mutating func conclude(_ outcome: Outcome, from source: IPEndpoint?, to destination: IPEndpoint) {
        total.inProgress -= 1
        if destinations[destination] != nil { destinations[destination]?.inProgress -= 1 }
        if let source, sources[source.address] != nil { sources[source.address]?.inProgress -= 1 }
        end(outcome, from: source, to: destination)
    }

    mutating func noteInjected() { injected += 1 }
    mutating func noteUnrouted() { unrouted += 1 }
    mutating func noteHeld() { held += 1 }
    mutating func noteUnseen() { unseen += 1 }
    mutating func noteForeign() { foreign += 1 }
    mutating func noteRing() { ringsRefused += 1 }

    /// Failures for want of a port.
    var shortages: Int {
        ["EADDRINUSE", "EADDRNOTAVAIL"].reduce(0) { $0 + failures(.bind, $1) + failures(.connect, $1) }
    }

    /// Failures of a call with an errno of that name.
    func failures(_ call: InterceptedCall, _ name: String) -> Int { errors[call]?[name] ?? 0 }

    private func row<Key>(
        _ rows: inout [Key: Tally],
        _ key: Key,
        _ change: (inout Tally) -> Void
    ) {
        if rows[key] != nil || rows.count < Self.maxRows { change(&rows[key, default: Tally()]) }
    }
}

/// The most events of any second, by tenths of seconds.
struct PeakRate: Sendable {
    private static let slots = 10
    private var counts = [Int](repeating: 0, count: slots)
    private var tick: UInt64 = 0
    private var sum = 0
    private(set) var peak = 0

    mutating func add(at now: MonotonicInstant) {
        let current = now.nanoseconds / 100_000_000
        if current > tick {
            // Slots that have gone by since, all of them at the most.
            for step in 1...min(current - tick, UInt64(Self.slots)) {
                let slot = Int((tick &+ step) % UInt64(Self.slots))
                sum -= counts[slot]
                counts[slot] = 0
            }
            tick = current
        }
        counts[Int(tick % UInt64(Self.slots))] += 1
        sum += 1
        peak = max(peak, sum)
    }
}
