internal import LoadGenerator
internal import PostRecords

/// The figures of one run that settings are judged by.
package struct RunMeasures {
    package var lookupsPerSecond: Double
    /// Milliseconds; nil when the heavy caller had no answer.
    package var heavyP99: Double?
    /// Of the small caller that waited longest; nil when one that asked had no answer, or none asked.
    package var smallP99: Double?
    /// Of the small caller whose SLO was met least, in percent; nil where none has one, or none asked.
    package var smallInTime: Double?
    package var failedBatches: Double

    /// - Parameter heavy: the heavy caller's name; the others are small.
    package init(_ result: PhaseResult, heavy: String?) {
        lookupsPerSecond = Double(result.lookups.hits + result.lookups.misses) / max(result.duration, 1e-3)
        heavyP99 = result.clients.first { $0.name == heavy }?.latencyMs?.p99
        // Alone, a caller is both.
        let others = result.clients.count > 1 ? result.clients.filter { $0.name != heavy } : result.clients
        let asking = others.filter { $0.batches > 0 }
        let latencies = asking.compactMap { $0.latencyMs?.p99 }
        smallP99 = latencies.count == asking.count ? latencies.max() : nil
        smallInTime = asking.compactMap { $0.slo?.percent }.min()
        failedBatches = Double(result.clients.reduce(0) { $0 + $1.failed })
    }
}
