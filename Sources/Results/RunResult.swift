internal import LoadGenerator
internal import PostRecords

/// A run as `--json` writes it.
package struct RunResult: Codable, Sendable {
    package static let currentSchema = "spiral-run/2"
    /// What it wrote before there was a way to say that nothing was measured.
    static let schemaWithZeros = "spiral-run/1"
    package var schema = RunResult.currentSchema
    /// Nil until it is written, and in results of before.
    package var build: ResultBuild?
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
    /// What it shows, in sentences made from its own figures; nil in results of versions that did not tell it.
    package var story: [String]?
    package var verdict: Verdict
    /// Whether it ended before the last phase, by a signal or by what ``interruptedBecause`` says.
    package var interrupted = false
    /// What it could not go on without; nil when a signal ended it, or nothing.
    package var interruptedBecause: String?

    package init(
        scenario: String,
        description: String,
        environment: Environment,
        phases: [PhaseResult] = [],
        events: [Event] = [],
        timeline: [TimelinePoint] = [],
        cascade: [CascadeStage] = [],
        predictions: [Prediction] = [],
        fidelity: [String] = [],
        verdict: Verdict
    ) {
        self.scenario = scenario
        self.description = description
        self.environment = environment
        self.phases = phases
        self.events = events
        self.timeline = timeline
        self.cascade = cascade
        self.predictions = predictions
        self.fidelity = fidelity
        self.verdict = verdict
    }

    /// Something that happened at one moment of the run.
    package struct Event: Codable, Sendable {
        /// What happened.
        package enum Kind: String, Codable, Sendable {
            case phase, setting, client, fault, death, restart
        }

        /// Seconds since the first phase began.
        package var at: Double
        package var kind: Kind
        package var text: String
        /// True when somebody asked for it while it was played; nil otherwise.
        package var byHand: Bool?

        package init(
            at: Double,
            kind: Kind,
            text: String,
            byHand: Bool? = nil
        ) {
            self.at = at
            self.kind = kind
            self.text = text
            self.byHand = byHand
        }
    }

    /// Whether the run came out as expected, and what did not.
    package struct Verdict: Codable, Sendable {
        package var pass: Bool
        package var text: String
        /// What did not happen as expected, one line each.
        package var missing: [String]

        package init(
            pass: Bool,
            text: String,
            missing: [String]
        ) {
            self.pass = pass
            self.text = text
            self.missing = missing
        }
    }
}
