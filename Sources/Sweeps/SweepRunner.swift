package import Exec
internal import LoadGenerator
internal import POSIX
internal import PostRecords
package import Results
internal import Scenarios
internal import Testbed
internal import Text
internal import Units

/// Measures the cells of a sweep one after the other, each with a memcached, a server and a network namespace of its own,
/// or with somebody's own server in a room.
package struct SweepRunner {
    /// Shows lines to whoever waits.
    private let show: ([String]) -> Void
    private var kept: KeptResult
    private var result: SweepResult
    /// What programs of somebody's own begin with.
    private let signals: SignalState
    private let descriptors: DescriptorLimit
    /// Why the last attempt to keep the result failed.
    package var unsaved: String? { kept.unsaved }

    /// - Parameters:
    ///   - begun: what there is so far, of its plan.
    ///   - signals: as they stood when this process was started.
    package init(
        _ begun: SweepResult,
        file: String?,
        signals: SignalState,
        show: @escaping ([String]) -> Void
    ) {
        self.signals = signals
        descriptors = .current
        result = begun
        kept = KeptResult(in: file, of: "the sweep", show: show)
        self.show = show
    }

    /// Measures what is not measured yet.
    /// - Returns: the result; of what was measured when a signal ended it early.
    /// - Throws: ``TestbedError`` when no cell could be measured here.
    package mutating func run() throws -> SweepResult {
        let plan = result.plan
        if plan.service == nil {
            _ = try (Executables.memcached(), Executables.server())
        } else {
            // The load's connections are this process's own.
            DescriptorLimit.raise()
        }
        let done = Set(result.runs.filter(\.isMeasured).map(\.cell))
        let cells = plan.cells.filter { !done.contains($0) }
        result.runs.removeAll { !$0.isMeasured }
        result.interrupted = false
        var clock = SweepClock(plan)
        for (index, cell) in cells.enumerated() {
            let name = "[\(done.count + index + 1)/\(done.count + cells.count)] \(plan.text(cell.values))"
            let began = MonotonicInstant.now
            let run = try measure(cell, named: name)
            if result.interrupted { break }
            result.runs.append(run)
            kept.save(result)
            clock.note(cell, took: .now - began)
            show(["\(name): \(summary(run))" + (clock.text(cells[(index + 1)...]).map { "; \($0)" } ?? "")])
        }
        result.analyze()
        kept.save(result)
        return result
    }

    /// - Parameter name: of the measurement, for those who wait.
    private mutating func measure(_ cell: SweepPlan.Cell, named name: String) throws -> SweepResult.Run {
        if let service = result.plan.service { return try measure(service, cell) }
        do {
            var scenario = try result.plan.scenario(cell.values)
            // A server that dies ends its cell, not the sweep.
            scenario.setup.restarts = false
            let player = ScenarioPlayer(
                scenario,
                network: .namespace,
                seed: result.plan.seed,
                observers: [SlowCellNotes(name) { [show] in show([$0]) }]
            )
            let played = try player.play()
            result.environment = result.environment ?? played.environment
            if let reason = played.interruptedBecause { return .init(cell: cell, error: reason) }
            if played.interrupted { result.interrupted = true }
            return .init(cell: cell, result: played.phases.first { $0.name == "measured" })
        } catch let error as TestbedError {
            return .init(cell: cell, error: "\(error)")
        }
    }

    private mutating func measure(_ service: ServicePlan, _ cell: SweepPlan.Cell) throws -> SweepResult.Run {
        do {
            let plan = result.plan
            let own = ServiceCell(
                plan: plan,
                service: service,
                values: cell.values,
                signals: signals,
                descriptors: descriptors
            )
            let measured = try own.measure()
            result.environment = result.environment ?? measured.environment
            return .init(cell: cell, service: measured.result)
        } catch is Interrupted {
            result.interrupted = true
            return .init(cell: cell)
        } catch let error as TestbedError {
            return .init(cell: cell, error: "\(error)")
        }
    }

    private func summary(_ run: SweepResult.Run) -> String {
        guard let measures = run.measures(result.plan) else { return "failed: \(run.error ?? "no result")" }
        let rate =
            measures.lookupsPerSecond.map { "\(rounded($0)) lookups/s" }
            ?? "\(rounded(measures.answersPerSecond)) batches/s"
        let complete =
            run.service == nil ? "" : ", complete \(measures.completePercent.map { "\(rounded($0))%" } ?? "-")"
        let errors = measures.errorsByName?.max { $0.value < $1.value }.map { ", \($0.key) \(grouped($0.value))" }
        return "\(rate), small p99 \(measures.smallP99.map { rounded($0) } ?? "-") ms\(complete)" + (errors ?? "")
    }
}
