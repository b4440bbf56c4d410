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
    /// Batches answered a second.
    @ExplicitNull package var answersPerSecond: Spread?
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
    /// Batches answered without a record for each URI, where each had one in the cache.
    @ExplicitNull package var incompleteBatches: Spread?
    /// Batches answered complete, in percent of all that were due.
    @ExplicitNull package var completePercent: Spread?
    /// Ports that the busiest source address held at once.
    @ExplicitNull package var portsInUsePeak: Spread?
    /// Whether its dials are more than the ports of its addresses sustain.
    package var exhaustsPorts: Bool

    /// - Parameters:
    ///   - measures: of the runs that could be measured.
    ///   - sustainable: dials a second that the ports of its addresses sustain.
    package init(_ values: [String], _ measures: [RunMeasures], crashes: Int, sustainable: Double) {
        self.values = values
        runs = measures.count
        self.crashes = crashes
        lookupsPerSecond = Spread(measures.map(\.lookupsPerSecond))
        answersPerSecond = Spread(measures.map(\.answersPerSecond))
        heavyP99 = Spread(measures.map(\.heavyP99))
        smallP99 = Spread(measures.map(\.smallP99))
        smallInTime = Spread(measures.map(\.smallInTime))
        errors = Spread(measures.map(\.errors))
        errorsByName = [:]
        let byName = measures.compactMap(\.errorsByName)
        for name in Set(byName.flatMap(\.keys)) {
            errorsByName[name] = Spread(byName.map { Double($0[name] ?? 0) })
        }
        dialsPerSecond = Spread(measures.map(\.dialsPerSecond))
        failedDialsPerSecond = Spread(measures.map(\.failedDialsPerSecond))
        portsInUsePeak = Spread(measures.map(\.portsInUsePeak))
        timeWaitPeak = Spread(measures.map(\.timeWaitPeak))
        threadsPeak = Spread(measures.map(\.threadsPeak))
        rssPeakMiB = Spread(measures.map { $0.rssPeakBytes.map { $0 / Double(1 << 20) } })
        failedBatches = Spread(measures.map(\.failedBatches))
        incompleteBatches = Spread(measures.map(\.incompleteBatches))
        completePercent = Spread(measures.map(\.completePercent))
        let tried = Spread(measures.map { one in one.dialsPerSecond.map { $0 + (one.failedDialsPerSecond ?? 0) } })
        let seen = Spread(measures.map { $0.exhaustsPorts.map { $0 ? 1 : 0 } })
        exhaustsPorts = seen.map { $0.median >= 0.5 } ?? tried.map { $0.median > sustainable } ?? false
    }

    /// Whether it does what it should, in most runs: no error, no batch lost, no crash, all callers answered, and ports
    /// for its dials however long it goes on. What was not measured does not count against it.
    package var isFeasible: Bool {
        runs > 0 && crashes == 0 && failures.allSatisfy { ($0.spread?.median ?? 0) == 0 } && isAnswered
            && !exhaustsPorts
    }

    /// Whether nothing failed in any run.
    package var isClean: Bool { runs > 0 && failures.allSatisfy { ($0.spread?.max ?? 0) == 0 } }

    /// Whether small and heavy callers had answers in each run.
    package var isAnswered: Bool { smallP99 != nil && heavyP99 != nil }

    /// Why it is not feasible.
    package var fault: String {
        if crashes > 0 { return "it crashed" }
        if runs == 0 { return "it was not measured" }
        if let failure = failures.first(where: { ($0.spread?.median ?? 0) != 0 }) {
            return "\(failure.spread?.text ?? "unknown") \(failure.name)"
        }
        if smallP99 == nil { return "no answer to the small callers was measured" }
        if heavyP99 == nil { return "no answer to the heavy caller was measured" }
        return "\(dialsPerSecond?.text ?? "unknown") dials a second, more than the ports of one address sustain"
    }

    /// What ought to be zero.
    private var failures: [(spread: Spread?, name: String)] {
        [
            (errors, "failed lookups"), (failedBatches, "batches were not answered"),
            (incompleteBatches, "batches were answered without all their records"),
        ]
    }
}
