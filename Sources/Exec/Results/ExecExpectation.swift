internal import Text
package import Units

/// A claim about a result, as in `dials.failed == 0` or `portsPeak < 20%`.
package struct ExecExpectation: Sendable {
    /// The claim as it was written.
    package let text: String
    private let name: String
    private let comparison: Comparison
    private let bound: Double
    /// The bound is a share of the capacity.
    private let isPercent: Bool

    private enum Comparison: String, CaseIterable {
        case equal = "==", unequal = "!=", less = "<", lessOrEqual = "<=", more = ">", moreOrEqual = ">="

        func holds(_ left: Double, _ right: Double) -> Bool {
            switch self {
            case .equal: left == right
            case .unequal: left != right
            case .less: left < right
            case .lessOrEqual: left <= right
            case .more: left > right
            case .moreOrEqual: left >= right
            }
        }
    }

    /// Names that a claim may use, besides `dials.errors.ERRNO`, and `dials.errors.bind.ERRNO` and its like.
    package static let names = [
        "dials.ok", "dials.failed", "dials.inProgress", "dials.abandoned", "dials.total", "dialsPerSecond",
        "connectsPerSecondPeak", "inProgressPeak", "portsPeak", "portsCapacity", "timeWaitPeak", "sourceCount",
        "destinationCount", "exitStatus", "seconds", "outlook.percentOfDefault",
    ]
    private static let ofCapacity = ["portsPeak", "timeWaitPeak"]

    /// - Throws: ``UnitTextError`` with what is wrong: the form, or a name that is none.
    package init(text: String) throws(UnitTextError) {
        self.text = text
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 3, let comparison = Comparison(rawValue: words[1]) else {
            throw UnitTextError(text: text, expected: "a claim: write it as 'dials.failed == 0' or 'portsPeak < 20%'")
        }
        let name = words[0].hasPrefix("connects.") ? "dials." + words[0].dropFirst(9) : words[0]
        guard Self.names.contains(name) || Self.errorParts(name) != nil else {
            let hint = nearest(name, of: Self.names).map { "did you mean '\($0)'?" }
            throw UnitTextError(
                text: words[0],
                expected:
                    "a name of the result; \(hint ?? "there are \(Self.names.joined(separator: ", ")) and dials.errors.ERRNO")"
            )
        }
        isPercent = words[2].hasSuffix("%") && Self.ofCapacity.contains(name)
        let number = isPercent ? String(words[2].dropLast()) : words[2]
        guard let bound = Double(number), bound.isFinite else {
            throw UnitTextError(
                text: words[2],
                expected:
                    "a number\(words[2].hasSuffix("%") ? "; percent are of the capacity, for \(Self.ofCapacity.joined(separator: " and "))" : "")"
            )
        }
        self.name = name
        self.comparison = comparison
        self.bound = bound
    }

    /// What was observed, and whether the claim holds; what was not measured holds nothing.
    package func judge(_ result: ExecResult) -> ExecResult.Judged {
        var observed = Self.value(name, of: result)
        if isPercent {
            observed = observed.flatMap { value in result.portsCapacity.map { value / Double(max(1, $0)) * 100 } }
        }
        let pass = observed.map { comparison.holds($0, bound) } ?? false
        return ExecResult.Judged(text: text, observed: observed, pass: pass)
    }

    /// The call, or nil for any, and the errno that a name asks for.
    private static func errorParts(_ name: String) -> (call: String?, errno: String)? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 || parts.count == 4, parts[0] == "dials", parts[1] == "errors" else { return nil }
        let call = parts.count == 4 ? parts[2] : nil
        guard call == nil || call == "bind" || call == "connect", let errno = parts.last else { return nil }
        return InjectedFault.errno(named: errno) == nil && errno != "unknown" ? nil : (call, errno)
    }

    private static func value(_ name: String, of result: ExecResult) -> Double? {
        if let (call, errno) = errorParts(name) {
            return result.connects.map { connects in
                Double(connects.errors.reduce(0) { $0 + (call == nil || call == $1.key ? $1.value[errno] ?? 0 : 0) })
            }
        }
        if name == "seconds" { return result.seconds }
        if name == "outlook.percentOfDefault" { return result.outlook?.percentOfDefault }
        let whole: Int? =
            switch name {
            case "dials.ok": result.connects?.ok
            case "dials.failed": result.connects?.failed
            case "dials.inProgress": result.connects?.inProgress
            case "dials.abandoned": result.connects?.abandoned
            case "dials.total": result.connects?.total
            case "dialsPerSecond", "connectsPerSecondPeak": result.connectsPerSecondPeak
            case "inProgressPeak": result.inProgressPeak
            case "portsPeak": result.portsPeak
            case "portsCapacity": result.portsCapacity
            case "timeWaitPeak": result.timeWaitPeak
            case "sourceCount": result.sourceCount
            case "destinationCount": result.connects.map { _ in result.destinations.count }
            case "exitStatus": result.exitStatus.map { Int($0) }
            default: nil
            }
        return whole.map { Double($0) }
    }
}
