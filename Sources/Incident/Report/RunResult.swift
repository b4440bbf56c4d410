package import LoadGenerator
package import PostRecords

/// A run as `--json` writes it.
package struct RunResult: Codable, Sendable {
    package static let currentSchema = "spiral-run/2"
    /// What it wrote before there was a way to say that nothing was measured.
    static let schemaWithZeros = "spiral-run/1"
    package var schema = RunResult.currentSchema
    package var scenario: String
    package var description: String
    package var environment: Environment
    package var phases: [PhaseResult] = []
    package var events: [Event] = []
    package var timeline: [TimelinePoint] = []
    package var cascade: [CascadeStage] = []
    package var predictions: [Prediction] = []
    /// How this run differs from the outage it replays.
    package var fidelity: [String] = []
    package var verdict: Verdict
    /// Whether a signal ended it before the last phase.
    package var interrupted = false

    /// The table of the phases, what was expected of each, and the verdict.
    package var summary: [String] {
        var lines = [""] + PhaseTable.lines(phases) + [""]
        for phase in phases {
            for expectation in phase.expectations {
                let mark = expectation.pass ? "pass" : "FAIL"
                lines.append("\(mark) \(phase.name): \(expectation.text) (observed \(expectation.observed))")
            }
            let names = "dials.expected"
            if phase.dials.expected == nil, phase.expectations.contains(where: { $0.text.contains(names) }) {
                lines.append("     \(phase.name): \(names) is not predicted: \(phase.dials.reasoning)")
            }
        }
        lines += ["", "verdict: \(verdict.text)"]
        lines += verdict.missing.map { "  \($0)" }
        return lines
    }

    package struct Event: Codable, Sendable {
        package enum Kind: String, Codable, Sendable {
            case phase, setting, client, fault, death, restart
        }

        /// Seconds since the first phase began.
        package var at: Double
        package var kind: Kind
        package var text: String
    }

    package struct Verdict: Codable, Sendable {
        package var pass: Bool
        package var text: String
        /// What did not happen as expected, one line each.
        package var missing: [String]
    }
}

/// What a run ran on.
package struct Environment: Codable, Sendable {
    package var kernel: String
    package var cores: Int
    package var memcached: String
    package var libmemcached: String
    package var network: Stage.Network
    package var portRange: [Int]
    package var tcpTwReuse: String
    package var nofile: Int
    package var seed: UInt64
    package var clients: [String]
    /// How the server's memory is bounded; nil where it is not.
    package var memoryLimit: String?
    package var spiral: String
    package var arguments: [String]
    /// When it was played: date and time in UTC.
    package var date: String
}

/// What happened in one phase.
package struct PhaseResult: Codable, Sendable {
    package struct Dials: Codable, Sendable {
        package var ok: Int
        package var failed: Int
        /// What the arithmetic says `ok` should be; nil where it cannot be predicted.
        @ExplicitNull package var expected: Int?
        /// How ``expected`` comes about, or why it is nil.
        package var reasoning: String
    }

    package struct Exhaustion: Codable, Sendable {
        /// Seconds from the beginning of the phase, as a simulation of its batches has it; nil when it has no end of
        /// the ports, or cannot tell.
        package var predicted: Double?
        /// The same as it was seen, twice a second; nil when it did not happen.
        package var measured: Double?
    }

    package struct Observation: Codable, Sendable {
        package var text: String
        package var observed: String
        package var pass: Bool
    }

    package var name: String
    package var title: String
    /// Seconds since the first phase began.
    package var start: Double
    /// In seconds.
    package var duration: Double
    package var settings: SettingsDocument
    package var lookups: CounterSnapshot.Lookups
    package var dials: Dials
    /// When the ports of one address ran out; nil where that was neither predicted nor happened.
    package var exhaustion: Exhaustion?
    package var writeBacks: CounterSnapshot.WriteBacks
    package var inFlightPeak: Int
    /// TIME_WAIT sockets towards memcached, from any source address.
    package var timeWaitPeak: Int
    /// Ports the busiest source address held at once.
    package var portsInUsePeak: Int
    /// Ports one source address has.
    package var portsCapacity: Int
    package var clients: [ClientResult]
    /// Of the server; nil when it was never seen.
    @ExplicitNull package var threadsPeak: Int?
    @ExplicitNull package var rssPeakBytes: Int?
    package var logLines: CounterSnapshot.LogLines
    package var restarts: Int
    /// Batches the server did not look up, by the guard that refused them.
    package var refusals: [String: Int]
    package var expectations: [Observation]
}
