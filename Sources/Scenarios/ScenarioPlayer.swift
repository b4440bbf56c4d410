package import Forecast
internal import KernelProbe
internal import POSIX
package import Results
internal import Testbed
internal import Text

/// Plays a scenario from beginning to end.
package struct ScenarioPlayer {
    /// The first port of a narrowed range.
    private static let lowestPort = 32768

    package var scenario: Scenario
    package var network: Environment.Network
    package var seed: UInt64
    /// The command line, for the report.
    package var arguments: [String]
    /// Who follows the run.
    package var observers: [any RunObserver]
    /// Whether an observer may change the settings.
    package var isSteerable: Bool
    /// Which build plays it; nil where that is of no interest.
    package var build: ResultBuild?

    package init(
        _ scenario: Scenario,
        network: Environment.Network,
        seed: UInt64,
        arguments: [String] = [],
        observers: [any RunObserver] = [],
        isSteerable: Bool = false,
        build: ResultBuild? = nil
    ) {
        self.scenario = scenario
        self.network = network
        self.seed = seed
        self.arguments = arguments
        self.observers = observers
        self.isSteerable = isSteerable
        self.build = build
    }

    private var portRange: PortRange? {
        guard network == .namespace, let ports = scenario.setup.ports else { return nil }
        return PortRange(lowestPort: Self.lowestPort, highestPort: Self.lowestPort + ports - 1)
    }

    /// What this machine allows for the scenario.
    package func examine() -> [Finding] {
        Doctor(clients: scenario.clients, portRange: portRange, network: network).examine()
    }

    /// Sets everything up, plays the phases, and takes everything down again, whatever happens.
    /// - Returns: the result; of the phases that were played when a signal ended it early, or a process that died.
    /// - Throws: ``TestbedError`` when it cannot be played here.
    package func play() throws -> RunResult {
        DescriptorLimit.raise()
        let folder = try RunFolder()
        let setup = try NetworkSetup(
            network,
            portRange: portRange,
            twReuse: scenario.setup.twReuse,
            sysctls: scenario.setup.sysctls
        )
        var result = RunResult(
            scenario: scenario.name,
            description: scenario.description,
            environment: Environment(setup, seed: seed, clients: scenario.clients, arguments: arguments),
            verdict: .init(pass: false, text: "not ended", missing: [])
        )
        result.build = build
        // Told on the way out; nothing when there is no result.
        var ended: RunResult?
        defer { for observer in observers { observer.ended(ended) } }
        for observer in observers { try observer.began(result) }
        var isPlaying = false
        do {
            let run = try ScenarioRun(
                scenario,
                in: setup,
                folder: folder,
                seed: seed,
                observers: observers,
                isSteerable: isSteerable
            )
            // Takes the processes down on every way out.
            defer { run.end() }
            result.environment.memoryLimit = run.memoryLimit
            result.environment.lanes = run.lanes
            for (index, phase) in scenario.phases.enumerated() where !run.isEnding {
                let position = PhasePosition(
                    number: index + 1,
                    count: scenario.phases.count,
                    name: phase.name,
                    title: phase.title
                )
                isPlaying = true
                for observer in observers { observer.phaseBegan(position, changes: phase.changes) }
                // Of a phase that is cut off, what was seen still counts.
                defer { (result.events, result.timeline) = (run.events, run.timeline) }
                let phaseResult = try run.play(phase, position)
                result.phases.append(phaseResult)
                let line = run.takeIncidentLine()
                for observer in observers { observer.phaseEnded(phaseResult, incidentLine: line) }
            }
        } catch is Interrupted {
            for observer in observers { observer.interrupted(because: nil) }
            result.interrupted = true
        } catch let error as TestbedError where isPlaying {
            // The phases that were played still count.
            for observer in observers { observer.interrupted(because: "\(error)") }
            result.interrupted = true
            result.interruptedBecause = "\(error)"
        }
        result.cascade = result.measuredCascade(sustainableDialsPerSecond: setup.ports.sustainableDialsPerSecond)
        result.predictions = result.comparedPredictions()
        result.fidelity = RunResult.generalFidelity + fidelity(setup, result)
        result.verdict = .init(result.phases, planned: scenario.phases.count, shown: scenario.verdict)
        result.story = RunStory(result).sentences
        ended = result
        return result
    }

    private func fidelity(_ setup: NetworkSetup, _ result: RunResult) -> [String] {
        var notes: [String] = []
        if result.events.contains(where: { $0.byHand == true }) {
            notes.append("Somebody steered it by hand; what was changed when stands among the changes.")
        }
        if setup.ports.ports != 28_232 {
            notes.append(
                "\(grouped(setup.ports.ports)) ephemeral ports instead of a default kernel's 28,232. That changes when they run "
                    + "out, what share of lookups fails after the first batch, and what a bind() that fails costs: it looks at "
                    + "every port, 6 to 10 ms for 28,232 and 0.2 ms for 1,024. It does not change why and with which error "
                    + "lookups fail, that callers' answers are incomplete, or what each change does about it."
            )
        }
        if scenario.setup.restarts {
            notes.append(
                "Counts of a server that died are those of its last sample, up to half a second before; what callers saw is complete."
            )
        }
        if network == .host { notes.append("Played on the machine's own network, beside its other programs.") }
        return notes
    }
}

extension RunResult {
    /// In what ways every run differs from the outage.
    fileprivate static let generalFidelity = [
        "One machine and one server stand for a fleet; memcached is on the same machine.",
        "Lookups are held in flight by a few threads, not by a goroutine each; threads grow from blocked log writes alone.",
        "The database behind the cache is made up: any URI has a post, after a set time.",
        "Go's heap and its garbage collector are missing: memory grows by connections, queued batches and blocked writers only.",
    ]
}
