internal import Commands
internal import LoadGenerator
internal import POSIX
internal import Text
internal import Units

/// What happened second by second: a line on the terminal that is written over, and one of a CSV file for each client.
final class SecondLines {
    private final class File {
        private var file: StreamedFile

        init(_ path: String) throws(SystemCallError) {
            file = try StreamedFile(path)
        }

        func write(_ text: String) throws(SystemCallError) {
            try file.write(Array(text.utf8))
        }
    }

    private let csv: File?
    private let total: Duration
    private let isShown = StandardError.isTerminal
    private var done = 0
    /// Why nothing more is written; the load goes on.
    private(set) var problem: Refusal?

    /// - Parameters:
    ///   - path: of the CSV file; nil for none.
    ///   - total: how long batches are due.
    /// - Throws: ``Refusal`` when the file cannot be written.
    init(csv path: String?, total: Duration) throws {
        self.total = total
        do throws(SystemCallError) {
            if let path { csv = try File(path) } else { csv = nil }
            try csv?.write("second,client,due,answered,failed,p50_ms,p99_ms\n")
        } catch {
            throw Refusal(error.call == "open" ? .usage : .machine, "--csv: cannot \(error)")
        }
    }

    /// Writes the seconds that are over.
    /// - Returns: whether there was one.
    func advance(_ recorders: [Recorder], since beginning: MonotonicInstant) -> Bool {
        let now = MonotonicInstant.now
        let second = Int((now - beginning).inSeconds)
        guard second > done else { return false }
        done = second
        let windows = recorders.map { (name: $0.name, window: $0.takeWindow()) }
        if isShown { StandardError.rewrite(line(windows.map(\.window), elapsed: now - beginning)) }
        write(windows, second)
        return true
    }

    private func write(_ windows: [(name: String, window: Recorder.Window)], _ second: Int) {
        guard let csv, problem == nil else { return }
        var lines = ""
        for (name, window) in windows {
            let latencies = [window.p50, window.p99].map { $0.map { "\($0)" } ?? "" }
            lines +=
                "\(second),\(name),\(window.due),\(window.answered),\(window.failed),\(latencies.joined(separator: ","))\n"
        }
        do throws(SystemCallError) {
            try csv.write(lines)
        } catch {
            problem = Refusal(.machine, "--csv: cannot \(error); what is written there is not all of the load")
        }
    }

    private func line(_ windows: [Recorder.Window], elapsed: Duration) -> String {
        let left = max(0, (total - elapsed).inSeconds.rounded())
        let due = windows.reduce(0) { $0 + $1.due }
        let answered = windows.reduce(0) { $0 + $1.answered }
        let failed = windows.reduce(0) { $0 + $1.failed }
        let slowest = windows.compactMap(\.p99).max().map { "\(rounded($0)) ms" } ?? "-"
        return "\(Int(elapsed.inSeconds)) s: \(grouped(due)) due/s, \(grouped(answered)) answered/s, "
            + "\(grouped(failed)) failed/s, p99 \(slowest); \(Int(left)) s left"
    }

    /// Takes the line away, and writes what was left of the last second, so that the sum of all lines is the load.
    func finish(_ recorders: [Recorder]) {
        if isShown { StandardError.rewrite("") }
        let windows = recorders.map { (name: $0.name, window: $0.takeWindow()) }
        if windows.contains(where: { !$0.window.isEmpty }) { write(windows, done + 1) }
    }
}
