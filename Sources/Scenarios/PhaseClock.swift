internal import POSIX

/// When things are due in a phase: faults, samples, the restart of a server, the end. Time in, what is due out.
struct PhaseClock {
    let start: MonotonicInstant
    /// When no more batches are due.
    private(set) var end: MonotonicInstant
    private let sampleInterval: Duration
    private var nextSample: MonotonicInstant
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

    /// Whether a sample is due. Those that were missed are not made up for.
    mutating func takeSample(at now: MonotonicInstant) -> Bool {
        guard now >= nextSample else { return false }
        nextSample = max(now, nextSample + sampleInterval)
        return true
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
