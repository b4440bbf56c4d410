internal import Text

extension ExecResult {
    private static let rowsShown = 10

    /// The result for a person to read.
    package var summary: [String] {
        guard let connects else { return judgedLines }
        guard connects.total > 0 else { return ["no TCP connection was dialled"] + notes + judgedLines }
        var lines = [headline(connects)]
        var table = TextTable(header: ["destination", "ok", "failed", "in progress", "abandoned"])
        for row in destinations.prefix(Self.rowsShown) {
            table.add(
                [row.destination ?? ""]
                    + [row.ok, row.failed, row.inProgress, row.abandoned].map { grouped($0) }
            )
        }
        if !destinations.isEmpty { lines += table.lines }
        if destinations.count > Self.rowsShown {
            lines.append("and \(grouped(destinations.count - Self.rowsShown)) more")
        }
        for (call, errors) in connects.errors.sorted(by: { $0.key < $1.key }) {
            for (errno, count) in errors.sorted(by: { $0.value > $1.value }) {
                lines.append("\(call) failed with \(errno): \(grouped(count))")
            }
        }
        if let sourceCount, sourceCount > 1 { lines.append("from \(grouped(sourceCount)) source addresses") }
        lines += [portsLine, outlook?.sentence].compactMap { $0 }
        if let injected, injected > 0 { lines.append("failures that were asked for: \(grouped(injected))") }
        if let unrouted, unrouted > 0, let dialer {
            lines.append(
                "\(counted(unrouted, "dial")) left as they are by dialer \(dialer): not IPv4 over loopback, or bound by the program"
            )
        }
        if let held, held > 0 { lines.append("\(counted(held, "dial")) waited for others to end") }
        return lines + notes + judgedLines
    }

    /// One line, as the command runs.
    package var progressLine: String {
        var parts: [String] = []
        if let connects {
            parts.append(
                "\(grouped(connects.total)) dials, \(grouped(connects.failed)) failed, \(grouped(connects.inProgress)) in progress"
            )
        }
        if let portsPeak, let portsCapacity {
            parts.append("ports \(grouped(portsPeak)) of \(grouped(portsCapacity)) at the most")
        }
        if let timeWaitPeak { parts.append("TIME_WAIT \(grouped(timeWaitPeak))") }
        return parts.joined(separator: "; ")
    }

    private func headline(_ connects: Connects) -> String {
        let peak = connectsPerSecondPeak.map { ", \(grouped($0)) in the busiest second" } ?? ""
        return "\(counted(connects.total, "dial")) in \(rounded(seconds)) s\(peak): \(grouped(connects.ok)) ok, "
            + "\(grouped(connects.failed)) failed"
    }

    private func counted(_ number: Int, _ noun: String) -> String {
        "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    private var portsLine: String? {
        guard let portsPeak, let portsCapacity else { return nil }
        let source = portsPeakSource.map { " by \($0)" } ?? ""
        let exhausted = secondsToExhaustion.map { "; none left after \(rounded($0)) s" } ?? ""
        let timeWait = timeWaitPeak.map { ", TIME_WAIT \(grouped($0))" } ?? ""
        return "ports held at once\(source): \(grouped(portsPeak)) of \(grouped(portsCapacity))\(timeWait)\(exhausted)"
    }

    private var judgedLines: [String] { expectations.map(Self.line) }

    /// The claims that do not hold.
    package var failedClaims: [String] { expectations.filter { !$0.pass }.map(Self.line) }

    private static func line(_ judged: Judged) -> String {
        "\(judged.pass ? "pass" : "FAIL")  \(judged.text)  (\(judged.observed.map { rounded($0) } ?? "not measured"))"
    }
}
