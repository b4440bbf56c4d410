package import LoadGenerator
package import PostRecords
package import Results
package import Testbed

/// Follows a run while it is played, and may steer it. All calls come from the run's own thread.
package protocol RunObserver: AnyObject {
    /// What is known before the first phase.
    /// - Throws: ``TestbedError`` when it cannot follow the run, which is not played then.
    func began(_ run: RunResult) throws(TestbedError)
    func phaseBegan(_ position: PhasePosition, changes: [SettingChange])
    func settingsChanged(_ settings: SettingsDocument, in position: PhasePosition)
    func noted(_ event: RunResult.Event)
    /// Clients of the phase that send by hand, and whether each sends one batch after the other.
    func sendingChanged(_ clients: [String: Bool])
    /// Something happened that nobody planned.
    func warned(_ text: String)
    func sampled(_ point: TimelinePoint, _ progress: PhaseProgress)
    /// - Parameter incidentLine: the incident's own log line as the server wrote it; the first time there is one.
    func phaseEnded(_ phase: PhaseResult, incidentLine: String?)
    /// The run ends early; what it started is being stopped.
    /// - Parameter reason: what it cannot go on without; nil when a signal ended it.
    func interrupted(because reason: String?)
    /// - Parameter run: nil when the run could not be played to a result.
    func ended(_ run: RunResult?)
    /// What has been asked of the run since the last call; each is resolved by the run.
    func takeRequests() -> [RunRequest]
}

extension RunObserver {
    package func began(_ run: RunResult) throws(TestbedError) {}
    package func phaseBegan(_ position: PhasePosition, changes: [SettingChange]) {}
    package func settingsChanged(_ settings: SettingsDocument, in position: PhasePosition) {}
    package func noted(_ event: RunResult.Event) {}
    package func sendingChanged(_ clients: [String: Bool]) {}
    package func warned(_ text: String) {}
    package func sampled(_ point: TimelinePoint, _ progress: PhaseProgress) {}
    package func phaseEnded(_ phase: PhaseResult, incidentLine: String?) {}
    package func interrupted(because reason: String?) {}
    package func ended(_ run: RunResult?) {}
    package func takeRequests() -> [RunRequest] { [] }
}

/// A phase among all phases of a run.
package struct PhasePosition: Sendable, CustomStringConvertible {
    /// From 1.
    package var number: Int
    package var count: Int
    package var name: String
    package var title: String

    package var description: String { "\(number)/\(count) \(name)\(title.isEmpty ? "" : ": \(title)")" }
}

/// How far a phase is when a sample is taken.
package struct PhaseProgress: Sendable {
    package var position: PhasePosition
    /// Since it began.
    package var elapsed: Duration
    /// How long batches are due in it.
    package var planned: Duration
    package var settings: SettingsDocument
    /// Ports of one source address.
    package var capacity: Int
    /// What the server counted since the phase began.
    package var counted: CounterSnapshot
}

/// Something that somebody wants of a run.
package struct RunRequest: Sendable {
    /// What a viewer asks of the run.
    package enum Action: Sendable {
        case change([SettingChange])
        /// What a client is to send that sends by hand.
        case send(Load.Order, client: String)
        /// To a process.
        case inject(Fault)
        /// The phase ends when the batches in flight are answered.
        case nextPhase
        /// The same, and no other phase begins.
        case end
    }

    package var action: Action
    /// Takes the reason for which it was not done; nil when it was.
    package var resolve: @Sendable (_ refusal: String?) -> Void

    package init(_ action: Action, resolve: @escaping @Sendable (_ refusal: String?) -> Void) {
        self.action = action
        self.resolve = resolve
    }
}
