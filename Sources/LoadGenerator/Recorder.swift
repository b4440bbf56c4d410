internal import Synchronization
internal import Telemetry
internal import Units

/// Collects what became of one client's batches. Called from the sender's thread and others.
package final class Recorder: Sendable {
    private struct State {
        var record: ClientRecord
        var inFlight = 0
        var window = Counts()
    }

    private struct Counts {
        var due = 0
        var failed = 0
        var complete = 0
        var inTime = 0
        var latency = LatencyHistogram()
        /// Of the complete ones, and of all others, failed ones included.
        var completeLatency = LatencyHistogram()
        var otherLatency = LatencyHistogram()
    }

    /// What ended in a while.
    package struct Window: Sendable {
        package var due: Int
        package var answered: Int
        /// Batches that failed, or were not sent.
        package var failed: Int
        /// Answered with a record for each URI.
        package var complete: Int
        /// Complete within the SLO; nil without one.
        package var inTime: Int?
        /// In milliseconds; nil when nothing was answered.
        package var p50: Double?
        package var p99: Double?
        /// The same of the complete ones.
        package var completeP50: Double?
        package var completeP99: Double?
        /// Of the batches that failed, and of answers with a record missing.
        package var incompleteP99: Double?

        package var isEmpty: Bool { due == 0 && answered == 0 && failed == 0 }
    }

    package let name: String
    /// The time in which a batch should be answered; nil where none is set.
    private let slo: Duration?
    private let overlaps: BatchOverlaps?
    private let state: Mutex<State>

    /// - Parameter overlaps: of the batches of this client and others.
    package init(name: String, slo: Duration? = nil, overlaps: BatchOverlaps? = nil) {
        self.name = name
        self.slo = slo
        self.overlaps = overlaps
        var record = ClientRecord(name: name)
        record.slo = slo?.inMilliseconds
        state = Mutex(State(record: record))
    }

    // MARK: A batch's way

    /// A batch is due.
    package func begin(uris: Int) {
        overlaps?.begin(uris: uris)
        state.withLock { state in
            state.record.batches += 1
            state.record.uris += uris
            state.window.due += 1
        }
    }

    /// The sender turns to a batch that is due.
    func pickUp(after lateness: Duration) {
        state.withLock { $0.record.latencies.lateness.record(lateness) }
    }

    /// A batch waits for others to end, as no more may be in flight.
    func holdBack() {
        state.withLock { $0.record.heldBack += 1 }
    }

    /// A batch gets a connection.
    func depart() {
        state.withLock { state in
            state.inFlight += 1
            state.record.connections.needed = max(state.record.connections.needed, state.inFlight)
        }
    }

    /// The first byte of a batch is sent.
    func send(after lag: Duration) {
        state.withLock { $0.record.latencies.sendLag.record(lag) }
    }

    /// A batch has given its connection back, or lost it.
    func release() {
        state.withLock { $0.inFlight -= 1 }
    }

    func connect() {
        state.withLock { $0.record.connections.opened += 1 }
    }

    func redial() {
        state.withLock { $0.record.connections.redialled += 1 }
    }

    /// An answer came, whatever is in it.
    func note(status: Int, bytes: Int) {
        state.withLock { state in
            state.record.statuses[status, default: 0] += 1
            state.record.answerBytes += bytes
        }
    }

    /// A batch was answered in full.
    package func succeed(_ tally: AnswerCheck.Tally, latency: Duration, service: Duration) {
        overlaps?.end()
        state.withLock { state in
            state.record.ok += 1
            state.record.found += tally.records - tally.empty
            state.record.empty += tally.empty
            if tally.empty == 0 { state.record.complete? += 1 }
            state.record.latencies.answered.record(latency)
            state.record.latencies.service.record(service)
            if let slo, latency <= slo, tally.empty == 0 { state.record.inTime += 1 }
            state.window.latency.record(latency)
            if tally.empty == 0 {
                state.window.complete += 1
                state.window.completeLatency.record(latency)
                if let slo, latency <= slo { state.window.inTime += 1 }
            } else {
                state.window.otherLatency.record(latency)
            }
        }
    }

    /// A batch was not answered as it should be.
    /// - Parameter waited: since it was due.
    package func fail(_ name: String, after waited: Duration) {
        overlaps?.end()
        state.withLock { state in
            state.record.failed += 1
            state.record.errors[name, default: 0] += 1
            state.record.latencies.waited.record(waited)
            state.window.failed += 1
            state.window.otherLatency.record(waited)
        }
    }

    /// A batch is given up before it got a connection.
    func giveUpUnsent(after waited: Duration) {
        overlaps?.end()
        state.withLock { state in
            state.record.unsent += 1
            state.record.latencies.waited.record(waited)
            state.window.failed += 1
            state.window.otherLatency.record(waited)
        }
    }

    /// Batches that were due are not sent, as the load ends before the sender has come to them.
    func skip(_ batches: Int, uris: Int, after waited: Duration) {
        state.withLock { state in
            state.record.batches += batches
            state.record.uris += uris
            state.record.unsent += batches
            state.record.latencies.waited.record(waited, count: batches)
            state.window.due += batches
            state.window.failed += batches
            state.window.otherLatency.record(waited, count: batches)
        }
    }

    /// The load ends while a batch is in flight.
    func giveUpUnanswered(after waited: Duration) {
        overlaps?.end()
        state.withLock { state in
            state.record.abandoned += 1
            state.record.latencies.waited.record(waited)
        }
    }

    // MARK: What was recorded

    /// Batches due and not yet ended.
    package var pending: Int { state.withLock { $0.record.batches - $0.record.ended } }

    /// What is recorded so far.
    package var record: ClientRecord { state.withLock { $0.record } }

    package var result: ClientResult { record.result }

    /// What ended since this was last called.
    package func takeWindow() -> Window {
        state.withLock { state in
            let window = state.window
            state.window = Counts()
            return Window(
                due: window.due,
                answered: window.latency.count,
                failed: window.failed,
                complete: window.complete,
                inTime: slo.map { _ in window.inTime },
                p50: window.latency.milliseconds(atPercentile: 50),
                p99: window.latency.milliseconds(atPercentile: 99),
                completeP50: window.completeLatency.milliseconds(atPercentile: 50),
                completeP99: window.completeLatency.milliseconds(atPercentile: 99),
                incompleteP99: window.otherLatency.milliseconds(atPercentile: 99)
            )
        }
    }
}
