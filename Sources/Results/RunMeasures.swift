internal import LoadGenerator
internal import PostRecords

/// The figures of one run that settings are judged by, whoever measured them. What was not measured is nil.
package struct RunMeasures {
    /// Lookups answered a second, found or not.
    package var lookupsPerSecond: Double?
    /// Batches answered a second.
    package var answersPerSecond: Double
    /// Milliseconds; nil when the heavy caller had no answer.
    package var heavyP99: Double?
    /// Of the small caller that waited longest; nil when one that asked had no answer, or none asked.
    package var smallP99: Double?
    /// Of the small caller whose SLO was met least, in percent; nil where none has one, or none asked.
    package var smallInTime: Double?
    package var failedBatches: Double
    /// Batches answered without a record for each URI, where each had one in the cache.
    package var incompleteBatches: Double?
    /// Batches answered complete, in percent of all that were due.
    package var completePercent: Double?
    /// Failed lookups, all and by name.
    package var errors: Double?
    package var errorsByName: [String: Int]?
    /// Those that succeeded.
    package var dialsPerSecond: Double?
    /// Those that failed besides.
    package var failedDialsPerSecond: Double?
    package var portsInUsePeak: Double?
    package var timeWaitPeak: Double?
    package var threadsPeak: Double?
    package var rssPeakBytes: Double?
    /// Whether ports were seen not to last; nil where the dials have to be compared with what the ports sustain.
    package var exhaustsPorts: Bool?

    /// - Parameter heavy: the heavy caller's name; the others are small.
    package init(_ result: PhaseResult, heavy: String?) {
        let seconds = max(result.duration, 1e-3)
        self.init(result.clients, seconds: seconds, heavy: heavy)
        failedBatches = Double(result.clients.reduce(0) { $0 + $1.failed })
        lookupsPerSecond = Double(result.lookups.hits + result.lookups.misses) / seconds
        errors = Double(result.lookups.failed)
        errorsByName = result.lookups.errors
        dialsPerSecond = Double(result.dials.ok) / seconds
        failedDialsPerSecond = Double(result.dials.failed) / seconds
        portsInUsePeak = Double(result.portsInUsePeak)
        timeWaitPeak = Double(result.timeWaitPeak)
        threadsPeak = result.threadsPeak.map { Double($0) }
        rssPeakBytes = result.rssPeakBytes.map { Double($0) }
    }

    /// - Parameters:
    ///   - heavy: the heavy caller's name; the others are small.
    ///   - isCompletenessKnown: whether every URI that is asked for has a record.
    package init(_ result: ServiceResult, heavy: String?, isCompletenessKnown: Bool) {
        let seconds = max(result.duration, 1e-3)
        self.init(result.clients, seconds: seconds, heavy: heavy)
        if isCompletenessKnown {
            let answered = result.clients.reduce(0) { $0 + $1.answered }
            incompleteBatches = complete(result.clients).map { Double(answered - $0) }
        }
        dialsPerSecond = Double(result.dials.ok) / seconds
        failedDialsPerSecond = result.dials.failed.map { Double($0) / seconds }
        portsInUsePeak = result.portsInUsePeak.map { Double($0) }
        timeWaitPeak = result.timeWaitPeak.map { Double($0) }
        threadsPeak = result.threadsPeak.map { Double($0) }
        rssPeakBytes = result.rssPeakBytes.map { Double($0) }
        exhaustsPorts = result.exhaustsPorts
    }

    /// What the callers saw.
    private init(_ clients: [ClientResult], seconds: Double, heavy: String?) {
        let due = clients.reduce(0) { $0 + $1.due }
        let answered = clients.reduce(0) { $0 + $1.answered }
        answersPerSecond = Double(answered) / seconds
        heavyP99 = clients.first { $0.name == heavy }?.latencyMs?.p99
        // Alone, a caller is both.
        let others = clients.count > 1 ? clients.filter { $0.name != heavy } : clients
        let asking = others.filter { $0.batches > 0 }
        let latencies = asking.compactMap { $0.latencyMs?.p99 }
        smallP99 = latencies.count == asking.count ? latencies.max() : nil
        smallInTime = asking.compactMap { $0.slo?.percent }.min()
        failedBatches = Double(due - answered)
        completePercent = due == 0 ? nil : complete(clients).map { 100 * Double($0) / Double(due) }
    }

    private func complete(_ clients: [ClientResult]) -> Int? {
        clients.reduce(0 as Int?) { sum, client in sum.flatMap { sum in client.complete.map { sum + $0 } } }
    }
}

extension SweepResult.Run {
    /// Nil when it could not be measured.
    package func measures(_ plan: SweepPlan) -> RunMeasures? {
        if let service {
            return RunMeasures(
                service,
                heavy: plan.heavyClient,
                isCompletenessKnown: plan.service?.isCompletenessKnown ?? false
            )
        }
        return result.map { RunMeasures($0, heavy: plan.heavyClient) }
    }
}
