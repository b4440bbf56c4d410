internal import KernelProbe
internal import LoadGenerator
internal import POSIX

/// Plays a scenario from beginning to end.
package struct ScenarioPlayer {
    /// Addresses a narrowed port range begins at.
    private static let lowestPort = 32768

    package var scenario: Scenario
    package var network: Stage.Network
    package var seed: UInt64
    package var progress: Progress
    /// The command line, for the report.
    package var arguments: [String]
    /// Shows the run in browsers while it is played; nil for none.
    package var live: LiveServer?

    package init(
        _ scenario: Scenario,
        network: Stage.Network,
        seed: UInt64,
        progress: Progress,
        arguments: [String] = [],
        live: LiveServer? = nil
    ) {
        self.scenario = scenario
        self.network = network
        self.seed = seed
        self.progress = progress
        self.arguments = arguments
        self.live = live
    }

    private var portRange: PortBudget? {
        guard network == .namespace, let ports = scenario.ground.ports else { return nil }
        return PortBudget(lowestPort: Self.lowestPort, highestPort: Self.lowestPort + ports - 1)
    }

    /// What this machine allows for the scenario.
    package func examine() -> [Finding] {
        Doctor(clients: scenario.clients, portRange: portRange, network: network).examine()
    }

    /// Sets the stage, plays the phases, and takes everything down again, whatever happens.
    /// - Returns: the result; of the phases that were played when a signal ended it early.
    /// - Throws: ``StageError`` when it cannot be played here.
    package func play() throws -> RunResult {
        DescriptorLimit.raise()
        let folder = try RunFolder()
        let stage = try Stage(network, portRange: portRange, twReuse: scenario.ground.twReuse)
        var result = RunResult(
            scenario: scenario.name,
            description: scenario.description,
            environment: Environment(stage, seed: seed, clients: scenario.clients, arguments: arguments),
            verdict: .init([], planned: scenario.phases.count, held: scenario.verdict)
        )
        try live?.open()
        // Tells the result on the way out; nothing when there is none.
        var ended: RunResult?
        defer { live?.close(ended) }
        live?.run.begin(result)
        do {
            let run = try ScenarioRun(
                scenario,
                on: stage,
                in: folder,
                seed: seed,
                progress: progress,
                live: live?.run
            )
            // Takes the processes down on every way out.
            defer { run.end() }
            result.environment.memoryLimit = run.memoryLimit
            for (index, phase) in scenario.phases.enumerated() where !run.isEnding {
                let place = "\(index + 1)/\(scenario.phases.count)"
                progress.print(
                    ["", "\(place) \(phase.name)\(phase.title.isEmpty ? "" : ": \(phase.title)")"]
                        + phase.changes.map { "    \($0.name) = \($0.text)" }
                )
                // Of a phase that is cut off, what was seen still counts.
                defer { (result.events, result.timeline) = (run.events, run.timeline) }
                let phaseResult = try run.play(phase, place: place)
                result.phases.append(phaseResult)
                live?.run.finished(phaseResult)
                if let line = run.takeIncidentLine() { progress.print(["    logged: \(line)"]) }
            }
        } catch is Interrupted {
            progress.print(["interrupted; everything that was started is being stopped"])
            result.interrupted = true
        }
        result.cascade = result.measuredCascade(sustainableDialsPerSecond: stage.ports.sustainableDialsPerSecond)
        result.predictions = result.comparedPredictions()
        result.fidelity = RunResult.generalFidelity + fidelity(stage, result)
        result.verdict = .init(result.phases, planned: scenario.phases.count, held: scenario.verdict)
        ended = result
        return result
    }

    private func fidelity(_ stage: Stage, _ result: RunResult) -> [String] {
        var notes: [String] = []
        if result.events.contains(where: { $0.text.hasSuffix("by hand") }) {
            notes.append("Somebody steered it by hand; what was changed when stands among the changes.")
        }
        if stage.ports.ports != 28_232 {
            notes.append("\(grouped(stage.ports.ports)) ephemeral ports instead of a default kernel's 28,232.")
        }
        if scenario.ground.restarts {
            notes.append(
                "Counts of a server that died are those of its last look, up to half a second before; what clients saw is whole."
            )
        }
        if network == .host { notes.append("Played on the machine's own network, beside its other programs.") }
        return notes
    }
}
