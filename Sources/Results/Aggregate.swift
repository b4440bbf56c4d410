internal import LoadGenerator
internal import PostRecords
package import Text

/// A combination over all its runs.
package struct Aggregate: Codable, Sendable {
    /// Several measurements of one figure.
    package struct Spread: Codable, Sendable, Equatable {
        package var median: Double
        package var min: Double
        package var max: Double

        /// Nil where one of the measurements has no value, or there are none: what was seen of the others is not what
        /// the combination does.
        package init?(_ values: [Double?]) {
            let sorted = values.compactMap { $0 }.sorted()
            guard let least = sorted.first, let most = sorted.last, sorted.count == values.count else { return nil }
            let middle = sorted.count / 2
            median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
            min = least
            max = most
        }

        package var text: String {
            rounded(min) == rounded(max) ? rounded(median) : "\(rounded(median)) (\(rounded(min))–\(rounded(max)))"
        }
    }

    package var values: [String]
    package var runs: Int
    package var crashes: Int
    // Of each figure one value a run; nil where a run has none.
    /// Lookups answered a second, found or not.
    @ExplicitNull package var lookupsPerSecond: Spread?
    /// Milliseconds; nil where a run had no answer.
    @ExplicitNull package var heavyP99: Spread?
    @ExplicitNull package var smallP99: Spread?
    /// Percent of the small callers' batches answered complete within their SLO; nil where none is set.
    @ExplicitNull package var smallInTime: Spread?
    @ExplicitNull package var errors: Spread?
    package var errorsByName: [String: Spread]
    /// Those that succeeded, as memcached counts them.
    @ExplicitNull package var dialsPerSecond: Spread?
    /// Those that failed besides.
    @ExplicitNull package var failedDialsPerSecond: Spread?
    @ExplicitNull package var timeWaitPeak: Spread?
    @ExplicitNull package var threadsPeak: Spread?
    @ExplicitNull package var rssPeakMiB: Spread?
    /// Batches that were not answered.
    @ExplicitNull package var failedBatches: Spread?
    /// Whether its dials are more than the ports of its addresses sustain.
    package var exhaustsPorts: Bool

    /// - Parameters:
    ///   - results: of the runs that could be measured.
    ///   - heavy: the heavy caller.
    ///   - sustainable: dials a second that the ports of its addresses sustain.
    package init(_ values: [String], results: [PhaseResult], crashes: Int, heavy: String?, sustainable: Double) {
        let measures = results.map { RunMeasures($0, heavy: heavy) }
        func spread(_ value: (PhaseResult) -> Double?) -> Spread? { Spread(results.map(value)) }
        func perSecond(_ count: (PhaseResult.Dials) -> Int) -> Spread? {
            spread { Double(count($0.dials)) / max($0.duration, 1e-3) }
        }
        self.values = values
        runs = results.count
        self.crashes = crashes
        lookupsPerSecond = Spread(measures.map(\.lookupsPerSecond))
        heavyP99 = Spread(measures.map(\.heavyP99))
        smallP99 = Spread(measures.map(\.smallP99))
        smallInTime = Spread(measures.map(\.smallInTime))
        errors = spread { Double($0.lookups.failed) }
        errorsByName = [:]
        for name in Set(results.flatMap(\.lookups.errors.keys)) {
            errorsByName[name] = spread { Double($0.lookups.errors[name] ?? 0) }
        }
        dialsPerSecond = perSecond(\.ok)
        failedDialsPerSecond = perSecond(\.failed)
        timeWaitPeak = spread { Double($0.timeWaitPeak) }
        threadsPeak = spread { $0.threadsPeak.map { Double($0) } }
        rssPeakMiB = spread { $0.rssPeakBytes.map { Double($0) / Double(1 << 20) } }
        failedBatches = Spread(measures.map(\.failedBatches))
        exhaustsPorts = perSecond { $0.ok + $0.failed }.map { $0.median > sustainable } ?? false
    }

    /// Whether it does what it should, in most runs: no error, no batch lost, no crash, all callers answered, and ports
    /// for its dials however long it goes on.
    package var isFeasible: Bool {
        crashes == 0 && errors?.median == 0 && failedBatches?.median == 0 && isAnswered && !exhaustsPorts
    }

    /// Whether nothing failed in any run.
    package var isClean: Bool { errors?.max == 0 && failedBatches?.max == 0 }

    /// Whether small and heavy callers had answers in each run.
    package var isAnswered: Bool { smallP99 != nil && heavyP99 != nil }

    /// Why it is not feasible.
    package var fault: String {
        func text(_ spread: Spread?) -> String { spread?.text ?? "unknown" }
        if crashes > 0 { return "it crashed" }
        if runs == 0 { return "it was not measured" }
        if errors?.median != 0 { return "\(text(errors)) failed lookups" }
        if failedBatches?.median != 0 { return "\(text(failedBatches)) batches were not answered" }
        if smallP99 == nil { return "no answer to the small callers was measured" }
        if heavyP99 == nil { return "no answer to the heavy caller was measured" }
        return "\(text(dialsPerSecond)) dials a second, more than the ports of one address sustain"
    }
}
