internal import POSIX

/// When things are due in a phase: faults, samples, the restart of a server, the end. Time in, what is due out.
struct PhaseClock {
    /// What a sample needs next.
    enum SampleStep {
        case nothing
        /// A look at the ports is begun.
        case look
        /// All else is read, and stands beside the ports as they were last seen.
        case read
    }

    /// How long a sample waits for a look: who watches wants the rest meanwhile.
    private static let longestLook = Duration.milliseconds(200)

    let start: MonotonicInstant
    /// When no more batches are due.
    private(set) var end: MonotonicInstant
    private let sampleInterval: Duration
    private var nextSample: MonotonicInstant
    /// When the sample that has begun is read at the latest; nil between two.
    private var readBy: MonotonicInstant?
    private var faults: ArraySlice<Fault>
    private var restart: MonotonicInstant?

    init(_ plan: PhasePlan, start: MonotonicInstant, sampleInterval: Duration) {
        self.start = start
        self.sampleInterval = sampleInterval
        end = start + plan.duration
        nextSample = start
        faults = plan.faults.sorted { $0.at < $1.at }[...]
    }

    /// The next fault that is due; nil when none is.
    mutating func takeFault(at now: MonotonicInstant) -> Fault? {
        guard let fault = faults.first, now >= start + fault.at else { return nil }
        return faults.removeFirst()
    }

    /// Samples that were missed are not made up for.
    /// - Parameter isLooking: whether a look at the ports is under way.
    mutating func takeSampleStep(at now: MonotonicInstant, isLooking: Bool) -> SampleStep {
        if let readBy {
            guard !isLooking || now >= readBy else { return .nothing }
            self.readBy = nil
            return .read
        }
        guard now >= nextSample else { return .nothing }
        nextSample = max(now, nextSample + sampleInterval)
        readBy = now + Self.longestLook
        return .look
    }

    /// The server is to be started again; the earliest time counts.
    mutating func scheduleRestart(at instant: MonotonicInstant) {
        restart = min(restart ?? instant, instant)
    }

    mutating func takeRestart(at now: MonotonicInstant) -> Bool {
        guard let restart, now >= restart else { return false }
        self.restart = nil
        return true
    }

    /// No more batches are due from now on.
    mutating func endEarly(at now: MonotonicInstant) {
        end = min(end, now)
    }
}
