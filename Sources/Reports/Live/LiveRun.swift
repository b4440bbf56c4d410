package import PostRecords
package import Results
package import Scenarios
internal import Synchronization
internal import Text

/// A run as others follow and steer it while it is played: what it tells them, and what they ask of it.
///
/// The run's own thread tells; pages ask from any thread.
package final class LiveRun: RunObserver, Sendable {
    /// All there is so far, for one who has just come.
    private struct Beginning: Encodable {
        var run: RunResult?
        var settings: SettingsDocument
        var position: String
        var sending: [String: Bool]
    }

    /// What the page becomes, and its data.
    private struct Ending: Encodable {
        var html: String
        var result: RunResult
    }

    /// What is new with each sample.
    private struct News: Encodable {
        var point: TimelinePoint
        var settings: SettingsDocument
        var position: String
        var sending: [String: Bool]
    }

    private struct State {
        var run: RunResult?
        var settings = SettingsDocument(Settings())
        var position = ""
        /// Clients that send by hand, and whether they do.
        var sending: [String: Bool] = [:]
        var requests: [RunRequest] = []
        var watchers: [Int: AsyncStream<[UInt8]>.Continuation] = [:]
        var watchersEver = 0
        var isOver = false

        var beginning: Beginning { Beginning(run: run, settings: settings, position: position, sending: sending) }

        func tell(_ name: String, _ value: some Encodable) {
            guard !watchers.isEmpty else { return }
            let event = Self.event(name, value)
            for watcher in watchers.values { watcher.yield(event) }
        }

        /// One event of the HTML standard's event streams, on one line of data.
        static func event(_ name: String, _ value: some Encodable) -> [UInt8] {
            Array("event: \(name)\ndata: ".utf8) + JSONText.encodeLine(value) + Array("\n\n".utf8)
        }
    }

    private let state = Mutex(State())

    package init() {}

    // MARK: For the run

    package func began(_ run: RunResult) {
        state.withLock { state in
            state.run = run
            state.tell("run", state.beginning)
        }
    }

    package func settingsChanged(_ settings: SettingsDocument, in position: PhasePosition) {
        state.withLock { state in
            state.settings = settings
            state.position = "\(position)"
        }
    }

    package func sendingChanged(_ clients: [String: Bool]) { state.withLock { $0.sending = clients } }

    package func noted(_ event: RunResult.Event) {
        state.withLock { state in
            state.run?.events.append(event)
            state.tell("event", event)
        }
    }

    package func sampled(_ point: TimelinePoint, _ progress: PhaseProgress) {
        state.withLock { state in
            state.run?.timeline.append(point)
            state.tell(
                "point",
                News(point: point, settings: state.settings, position: state.position, sending: state.sending)
            )
        }
    }

    package func phaseEnded(_ phase: PhaseResult, incidentLine: String?) {
        state.withLock { $0.run?.phases.append(phase) }
    }

    /// Tells the whole result, and that nothing follows.
    package func ended(_ run: RunResult?) {
        let (watchers, requests) = state.withLock { state in
            state.isOver = true
            if let run { state.tell("end", Ending(html: HTMLPage.ending(run), result: run)) }
            defer { (state.watchers, state.requests) = ([:], []) }
            return (Array(state.watchers.values), state.requests)
        }
        for watcher in watchers { watcher.finish() }
        for request in requests { request.resolve("the run has ended") }
    }

    package func takeRequests() -> [RunRequest] {
        state.withLock { state in
            defer { state.requests = [] }
            return state.requests
        }
    }

    // MARK: For pages

    /// What is known of the run, as `--json` would write it.
    var runSoFar: RunResult? { state.withLock { $0.run } }

    /// Seconds the charts of the page go back.
    private static let span = 180.0

    /// The stage with a chart, or all charts; nothing before there is a sample.
    func charts(_ name: String?) -> [Markup] {
        guard let run = runSoFar, let last = run.timeline.last else { return [] }
        if let name { return StageView(run).content(name) }
        return RunCharts(run, from: max(0, last.at - Self.span)).all.map(\.figure)
    }

    var settings: SettingsDocument { state.withLock { $0.settings } }

    /// Asks the run for something, and waits until it has seen to it.
    /// - Returns: why it was not done; nil when it was.
    func ask(for action: RunRequest.Action) async -> String? {
        await withCheckedContinuation { answer in
            let isOver = state.withLock { state in
                if !state.isOver {
                    state.requests.append(RunRequest(action) { answer.resume(returning: $0) })
                }
                return state.isOver
            }
            if isOver { answer.resume(returning: "the run has ended") }
        }
    }

    /// The run as server-sent events: `run` with all there is, then an `event` or a `point` as they come, and
    /// `end` with the result. A watcher that falls behind loses the oldest of them.
    func watch() -> AsyncStream<[UInt8]> {
        AsyncStream(bufferingPolicy: .bufferingNewest(64)) { continuation in
            state.withLock { state in
                guard !state.isOver else { return continuation.finish() }
                let number = state.watchersEver
                state.watchersEver += 1
                if state.run != nil { continuation.yield(State.event("run", state.beginning)) }
                state.watchers[number] = continuation
                continuation.onTermination = { [weak self] _ in
                    _ = self?.state.withLock { $0.watchers.removeValue(forKey: number) }
                }
            }
        }
    }
}
