internal import Results
internal import Units

/// How long the rest of a sweep takes, from what its measurements took so far. A combination that was measured takes
/// as long again; of one that was not, only the least is known: its batches may be answered late.
struct SweepClock {
    private let plan: SweepPlan
    private var took: [[String]: [Duration]] = [:]

    /// Setting a combination up and taking it down again.
    private static let overhead = Duration.seconds(1)

    init(_ plan: SweepPlan) {
        self.plan = plan
    }

    mutating func note(_ cell: SweepPlan.Cell, took duration: Duration) {
        took[cell.values, default: []].append(duration)
    }

    /// The least that a measurement takes: its load alone.
    var least: Duration {
        .nanoseconds(Int64((plan.warmUp + plan.duration) * 1e9)) + Self.overhead
    }

    /// For the measurements that are left.
    /// - Returns: their time, and how many of them are of combinations that were not measured yet.
    func left(_ cells: ArraySlice<SweepPlan.Cell>) -> (time: Duration, unknown: Int) {
        var sum = Duration.zero
        var unknown = 0
        for cell in cells {
            if let known = took[cell.values], !known.isEmpty {
                sum += known.reduce(.zero, +) / known.count
            } else {
                sum += least
                unknown += 1
            }
        }
        return (sum, unknown)
    }

    /// What is said of the measurements that are left; nil where there are none.
    func text(_ cells: ArraySlice<SweepPlan.Cell>) -> String? {
        guard !cells.isEmpty else { return nil }
        let (time, unknown) = left(cells)
        guard unknown > 0 else { return "about \(Self.text(time)) left" }
        let slowest = took.values.joined().max() ?? least
        let most = time + max(.zero, slowest - least) * unknown
        // What is twice as long is another time.
        let range =
            most > time * 1.5 ? "\(Self.text(time)) to \(Self.text(most)) left" : "about \(Self.text(most)) left"
        return
            "\(range), more if one of \(unknown) \(unknown == 1 ? "measurement" : "measurements") of combinations not seen yet is slower"
    }

    private static func text(_ duration: Duration) -> String {
        let seconds = Int(duration.inSeconds.rounded())
        return seconds < 90 ? "\(seconds) s" : "\((seconds + 30) / 60) min"
    }
}
