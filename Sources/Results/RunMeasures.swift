internal import LoadGenerator
internal import PostRecords

/// The figures of one run that settings are judged by.
package struct RunMeasures {
    package var lookupsPerSecond: Double
    package var heavyP99: Double
    package var smallP99: Double
    package var smallInTime: Double?
    package var failedBatches: Double

    package init(_ result: PhaseResult) {
        lookupsPerSecond = Double(result.lookups.hits + result.lookups.misses) / max(result.duration, 1e-3)
        let bySize = result.clients.sorted { Self.meanSize($0) > Self.meanSize($1) }
        heavyP99 = bySize.first?.latencyMs.p99 ?? 0
        // Alone, a caller is both.
        let small = bySize.count > 1 ? Array(bySize.dropFirst()) : bySize
        smallP99 = small.map(\.latencyMs.p99).max() ?? 0
        smallInTime = small.compactMap { $0.slo?.percent }.min()
        failedBatches = Double(result.clients.reduce(0) { $0 + $1.failed })
    }

    private static func meanSize(_ client: ClientResult) -> Double {
        client.batches == 0 ? 0 : Double(client.uris) / Double(client.batches)
    }
}
