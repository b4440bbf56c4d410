internal import LoadGenerator
internal import PostRecords

/// Two results of one scenario, and where they differ by more than noise.
package struct Comparison {
    private struct Figure: Sendable {
        var name: String
        /// Differences below it are noise whatever their share.
        var floor: Double
        /// Whether more of it is worse; nil where neither is.
        var moreIsWorse: Bool?
        var value: @Sendable (PhaseResult) -> Double
    }

    private let before: RunResult
    private let after: RunResult
    private let tolerance: Double
    /// What got worse, one line each.
    package private(set) var regressions: [String] = []
    private var rows: [String] = []

    /// - Parameter tolerance: share of the value before, 0.1 for 10%.
    package init(_ before: RunResult, _ after: RunResult, tolerance: Double) {
        self.before = before
        self.after = after
        self.tolerance = tolerance
        for phase in before.phases { compare(phase) }
    }

    /// A table of the differences, and the regressions, for a pull request.
    package var markdown: [String] {
        var lines = ["## \(before.scenario): \(before.verdict.text) → \(after.verdict.text)", ""]
        if before.scenario != after.scenario {
            lines += ["Not the same scenario: the second is \(after.scenario).", ""]
        }
        if rows.isEmpty {
            lines.append("No figure differs by more than \(rounded(tolerance * 100))%.")
        } else {
            lines += ["| phase | figure | before | after | change |", "|---|---|---:|---:|---:|"] + rows
        }
        lines.append("")
        lines += regressions.isEmpty ? ["No regression."] : ["Regressions:"] + regressions.map { "- \($0)" }
        return lines
    }

    private static let figures: [Figure] = [
        .init(name: "records found", floor: 10, moreIsWorse: false) { Double($0.lookups.hits) },
        .init(name: "failed lookups", floor: 10, moreIsWorse: true) { Double($0.lookups.failed) },
        .init(name: "unreadable values", floor: 10, moreIsWorse: true) { Double($0.lookups.unreadable) },
        .init(name: "dials", floor: 50, moreIsWorse: true) { Double($0.dials.ok) },
        .init(name: "TIME_WAIT, peak", floor: 50, moreIsWorse: true) { Double($0.timeWaitPeak) },
        .init(name: "in flight, peak", floor: 50, moreIsWorse: nil) { Double($0.inFlightPeak) },
        .init(name: "threads, peak", floor: 10, moreIsWorse: true) { Double($0.threadsPeak) },
        .init(name: "memory, peak MiB", floor: 20, moreIsWorse: true) { Double($0.rssPeakBytes >> 20) },
        .init(name: "restarts", floor: 0.5, moreIsWorse: true) { Double($0.restarts) },
    ]

    private mutating func compare(_ old: PhaseResult) {
        guard let new = after.phases.first(where: { $0.name == old.name }) else {
            return regressions.append("phase \(old.name) was not played")
        }
        for figure in Self.figures { compare(figure.name, figure.value(old), figure.value(new), old.name, figure) }
        for client in old.clients {
            guard let other = new.clients.first(where: { $0.name == client.name }) else { continue }
            for (name, path) in [("p50 ms", \ClientResult.Latency.p50), ("p99 ms", \.p99)] {
                let figure = Figure(name: "\(client.name) \(name)", floor: 1, moreIsWorse: true) { _ in 0 }
                compare(figure.name, client.latencyMs[keyPath: path], other.latencyMs[keyPath: path], old.name, figure)
            }
            let failed = Figure(name: "\(client.name) batches failed", floor: 0.5, moreIsWorse: true) { _ in 0 }
            compare(failed.name, Double(client.failed), Double(other.failed), old.name, failed)
        }
        for claim in old.expectations where claim.pass {
            if let now = new.expectations.first(where: { $0.text == claim.text }), !now.pass {
                regressions.append("\(old.name): \(claim.text) held, and does not now (observed \(now.observed))")
            }
        }
    }

    private mutating func compare(_ name: String, _ old: Double, _ new: Double, _ phase: String, _ figure: Figure) {
        let difference = new - old
        guard abs(difference) > max(figure.floor, tolerance * abs(old)) else { return }
        let change = old == 0 ? "new" : "\(difference > 0 ? "+" : "")\(rounded(100 * difference / old))%"
        rows.append("| \(phase) | \(name) | \(rounded(old)) | \(rounded(new)) | \(change) |")
        if figure.moreIsWorse == (difference > 0) {
            regressions.append("\(phase): \(name) \(rounded(old)) → \(rounded(new)) (\(change))")
        }
    }
}
