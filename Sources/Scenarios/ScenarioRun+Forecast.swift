internal import FanOut
internal import Forecast
internal import KernelProbe
internal import LoadGenerator
internal import Memcached
internal import POSIX
internal import PostRecords
internal import Results
internal import Testbed
internal import Units

/// What a run predicts of a phase, to be compared with what happened.
extension ScenarioRun {
    /// The dials that should have succeeded, and how that number comes about; nil where it cannot be predicted, and why.
    func expectedDials(
        _ obstacle: String?,
        idle: Int,
        ports: DialForecast.Ports,
        start: MonotonicInstant,
        failed: Int
    ) -> (expected: Int?, reasoning: String) {
        if let obstacle { return (nil, obstacle) }
        var ports = ports
        if case .exactly(let free, _) = ports {
            let isUntouched = free == network.ports.ports
            let since = isUntouched ? start : beginning
            // On the machine's own network ports may be in TIME_WAIT since before the run.
            let isShort = .now - since < PortRange.timeWait && (isUntouched || hasOwnSource)
            ports = .exactly(free, mayReturn: !isShort)
        }
        return DialForecast(
            batches: overlaps.groups,
            maxIdle: settings.fanOut.maxIdle,
            limit: settings.fanOut.limit,
            idle: idle,
            ports: ports,
            failedLookups: failed
        ).result
    }

    /// Whether what the dialer's source address holds is this run's.
    private var hasOwnSource: Bool {
        if network.network == .namespace { return true }
        guard case .bind(let source) = settings.fanOut.dialer else { return false }
        return !heldBefore.contains(source)
    }

    /// When the ports ran out, predicted and seen.
    /// - Parameter free: ports that were free at the beginning; nil where nothing can be predicted.
    func exhaustion(
        _ plan: PhasePlan,
        start: MonotonicInstant,
        idle: Int,
        free: Int?
    ) -> PhaseResult.Exhaustion? {
        let begin = (start - beginning).inSeconds
        let measured = timeline.first { $0.phase == plan.name && $0.portsInUse >= network.ports.ports }
            .map { max(0, ($0.portsAt ?? $0.at) - begin) }
        // Ports that were in TIME_WAIT before may be free again when a phase takes long.
        let isShort = free == network.ports.ports || (MonotonicInstant.now - beginning) < PortRange.timeWait
        var predicted: Double?
        // When a closed loop or Poisson arrivals send is not known beforehand.
        let isPlanned = plan.clients.allSatisfy { $0.schedule.count(within: plan.duration) != nil }
        if let free, isShort, isPlanned {
            var simulation = PortSimulation(ports: network.ports.ports, maxIdle: settings.fanOut.maxIdle)
            simulation.idle = idle
            simulation.resting = network.ports.ports - free - idle
            predicted = simulation.run(phased(plan), for: plan.duration).exhaustedAfter
        }
        return predicted == nil && measured == nil ? nil : .init(predicted: predicted, measured: measured)
    }

    /// What the dialer has of the ports.
    /// - Parameter use: as it is now.
    func dialerPorts(_ use: PortUse) -> DialForecast.Ports {
        let (dialer, lateBind) = (settings.fanOut.dialer, settings.fanOut.lateBind)
        switch dialer {
        case .rotate, .rotateWithin, .rotateDestination: return .ample
        case .kernel, .bind: break
        }
        if case .bind(let source) = dialer, !lateBind {
            return .exactly(max(0, network.ports.ports - (use.sources[source]?.held ?? 0)), mayReturn: false)
        }
        // A port that anybody has bound is none that connect() chooses.
        let free = use.rows(towardsPort: network.memcachedPort).map(\.freeToConnect).min() ?? use.freeForNewPair
        return .atLeast(max(0, free - use.perhapsBound))
    }
}
