internal import LoadGenerator
package import Results
internal import Text

/// For each kind of limit that was measured with three numbers or more: the smallest that gives nearly all there is, and
/// from where on it fails. Of somebody's own server it is what is called limit, or else the first that has numbers.
package struct LimitKnees {
    private static let maxLines = 8

    private(set) var lines: [String] = []
    /// The combinations at the knees.
    package private(set) var knees: [[String]] = []
    /// What has the numbers.
    private let name: String

    package init(_ plan: SweepPlan, _ ranking: [Aggregate]) {
        guard let column = plan.limitColumn else {
            name = ""
            return
        }
        name = plan.variations[column].name
        // Combinations that differ in the number of the limit only, in the order of the ranking.
        var curves: [(key: [String], points: [(number: Int, one: Aggregate)])] = []
        var indices: [[String]: Int] = [:]
        for one in ranking where one.runs > 0 {
            guard let (kind, number) = SweepPlan.limitNumber(in: one.values[column]) else { continue }
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
            let others = zip(plan.variations, key).filter { $0.0.name != name }
                .map { " with \($0.0.name)=\($0.1)" }.joined()
            let curve = points.sorted { $0.number < $1.number }
            let knee = knee(curve)
            if let knee, let one = curve.first(where: { $0.number == knee.number })?.one { knees.append(one.values) }
            let found = [knee?.text, cliff(curve, kind: key[column])].compactMap { $0 }
            if !found.isEmpty { lines.append("\(label(key[column], "N"))\(others): \(found.joined(separator: " "))") }
        }
    }

    /// The smallest number that gives nearly all there is: of lookups a second, or where all that is sent is answered
    /// whatever the number, of what the heavy caller waits less. What fails, or was not answered, is none of them: to
    /// fail is fast.
    private func knee(_ curve: [(number: Int, one: Aggregate)]) -> (number: Int, text: String)? {
        let feasible = curve.compactMap {
            point -> (number: Int, rate: Aggregate.Spread, heavy: Aggregate.Spread, isLookups: Bool)? in
            let rate = point.one.lookupsPerSecond ?? point.one.answersPerSecond
            guard point.one.isFeasible, let rate, let heavy = point.one.heavyP99 else {
                return nil
            }
            return (point.number, rate, heavy, point.one.lookupsPerSecond != nil)
        }
        guard feasible.count >= 2, let most = feasible.map(\.rate.median).max(),
            let least = feasible.map(\.rate.median).min(), let best = feasible.map(\.heavy.median).min()
        else { return nil }
        if least < 0.95 * most, let knee = feasible.first(where: { $0.rate.median >= 0.95 * most }) {
            let what = knee.isLookups ? "lookups" : "answers"
            let text =
                "knee at \(knee.number), the smallest \(name) with 95% of the best throughput "
                + "(\(knee.rate.text) of \(rounded(most)) \(what) a second)."
            return (knee.number, text)
        }
        guard let knee = feasible.first(where: { $0.heavy.median <= 1.2 * best }) else { return nil }
        let text =
            "all that is sent is answered at any number; knee at \(knee.number), the smallest \(name) whose heavy-caller "
            + "p99 is within 20% of the best (\(knee.heavy.text) ms, best \(rounded(best)) ms)."
        return (knee.number, text)
    }

    /// From where on no number is feasible.
    private func cliff(_ curve: [(number: Int, one: Aggregate)], kind: String) -> String? {
        guard let first = curve.reversed().prefix(while: { !$0.one.isFeasible }).last else { return nil }
        return "Cliff: from \(label(kind, "\(first.number)")) on, \(first.one.fault)."
    }

    /// `request:64` of a kind of limit, `pool=64` of plain numbers.
    private func label(_ kind: String, _ number: String) -> String {
        kind.isEmpty ? "\(name)=\(number)" : "\(kind):\(number)"
    }
}
