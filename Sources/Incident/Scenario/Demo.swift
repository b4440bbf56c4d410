internal import KernelProbe
internal import LoadGenerator
internal import POSIX

/// Plays the incident and its cures from beginning to end.
package struct Demo {
    package var plan: DemoPlan
    package var network: Stage.Network
    package var seed: UInt64
    package var progress: Progress

    package init(plan: DemoPlan, network: Stage.Network, seed: UInt64, progress: Progress) {
        self.plan = plan
        self.network = network
        self.seed = seed
        self.progress = progress
    }

    /// What this machine allows for the plan.
    package func examine() -> [Finding] {
        Doctor(
            clients: [plan.smallClient, plan.heavyClient],
            portRange: network == .host ? nil : plan.portRange,
            network: network
        ).examine()
    }

    /// Sets the stage, plays the phases, and takes everything down again, whatever happens.
    /// - Returns: the result; of the phases that were played when a signal ended it early.
    /// - Throws: ``StageError`` when it cannot be played here.
    package func play() throws -> RunResult {
        DescriptorLimit.raise()
        let folder = try RunFolder()
        let stage = try Stage(network, portRange: network == .host ? nil : plan.portRange)
        let clients = [plan.smallClient, plan.heavyClient]
        var result = RunResult(
            scenario: "demo",
            environment: Environment(stage, seed: seed, clients: clients),
            verdict: .init([], planned: plan.phases.count)
        )
        do {
            let run = try ScenarioRun(
                on: stage,
                in: folder,
                seed: seed,
                posts: max(50_000, plan.heavyBatch),
                progress: progress
            )
            // Takes the processes down on every way out.
            defer { run.end() }
            for (index, phase) in plan.phases.enumerated() {
                let place = "\(index + 1)/\(plan.phases.count)"
                progress.print(
                    ["", "\(place) \(phase.name): \(phase.title)"] + phase.changes.map { "    \($0.name) = \($0.text)" }
                )
                result.phases.append(try run.play(phase, place: place))
                result.events = run.events
                if phase.name == "incident", let line = run.incidentLine() { progress.print(["    logged: \(line)"]) }
            }
        } catch is Interrupted {
            progress.print(["interrupted; everything that was started is being stopped"])
            result.interrupted = true
        }
        result.verdict = .init(result.phases, planned: plan.phases.count)
        return result
    }
}
