internal import LoadGenerator
internal import Results
internal import Text

/// For each kind of limit that was measured with three numbers or more: the smallest that gives nearly all there is, and
/// from where on it fails.
struct LimitKnees {
    private static let maxLines = 8

    private(set) var lines: [String] = []

    init(_ plan: SweepPlan, _ ranking: [Aggregate]) {
        guard let column = plan.variations.firstIndex(where: { $0.name == "limit" }) else { return }
        // Combinations that differ in the number of the limit only, in the order of the ranking.
        var curves: [(key: [String], points: [(number: Int, one: Aggregate)])] = []
        var indices: [[String]: Int] = [:]
        for one in ranking where one.runs > 0 {
            guard let (kind, number) = Self.number(in: one.values[column]) else { continue }
            var key = one.values
            key[column] = kind
            if let index = indices[key] {
                curves[index].points.append((number, one))
            } else {
                indices[key] = curves.count
                curves.append((key, [(number, one)]))
            }
        }
        for (key, points) in curves where points.count >= 3 && lines.count < Self.maxLines {
            let others = zip(plan.variations, key).filter { $0.0.name != "limit" }
                .map { " with \($0.0.name)=\($0.1)" }.joined()
            let curve = points.sorted { $0.number < $1.number }
            let found = [Self.knee(curve), Self.cliff(curve, kind: key[column])].compactMap { $0 }
            if !found.isEmpty { lines.append("\(key[column]):N\(others): \(found.joined(separator: " "))") }
        }
    }

    /// The smallest number that gives nearly all there is: of lookups a second, or where all that is sent is answered
    /// whatever the number, of what the heavy caller waits less. What fails, or was not answered, is none of them: to
    /// fail is fast.
    private static func knee(_ curve: [(number: Int, one: Aggregate)]) -> String? {
        let feasible = curve.compactMap { point -> (number: Int, rate: Aggregate.Spread, heavy: Aggregate.Spread)? in
            guard point.one.isFeasible, let rate = point.one.lookupsPerSecond, let heavy = point.one.heavyP99 else {
                return nil
            }
            return (point.number, rate, heavy)
        }
        guard feasible.count >= 2, let most = feasible.map(\.rate.median).max(),
            let least = feasible.map(\.rate.median).min(), let best = feasible.map(\.heavy.median).min()
        else { return nil }
        if least < 0.95 * most, let knee = feasible.first(where: { $0.rate.median >= 0.95 * most }) {
            return "knee at \(knee.number), the smallest limit with 95% of the best throughput "
                + "(\(knee.rate.text) of \(rounded(most)) lookups a second)."
        }
        guard let knee = feasible.first(where: { $0.heavy.median <= 1.2 * best }) else { return nil }
        return
            "all that is sent is answered at any number; knee at \(knee.number), the smallest limit whose heavy-caller "
            + "p99 is within 20% of the best (\(knee.heavy.text) ms, best \(rounded(best)) ms)."
    }

    /// From where on no number is feasible.
    private static func cliff(_ curve: [(number: Int, one: Aggregate)], kind: String) -> String? {
        guard let first = curve.reversed().prefix(while: { !$0.one.isFeasible }).last else { return nil }
        return "Cliff: from \(kind):\(first.number) on, \(first.one.fault)."
    }

    private static func number(in limit: String) -> (kind: String, number: Int)? {
        let parts = limit.split(separator: ":")
        guard parts.count == 2, let number = Int(parts[1]) else { return nil }
        return (String(parts[0]), number)
    }
}
