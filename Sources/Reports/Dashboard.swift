internal import LoadGenerator
internal import Results
internal import Text

/// A run at a glance on a terminal: its figures, each with its recent course.
enum Dashboard {
    private struct Row {
        var name: String
        var value: String
        var course: [Double]
        /// What a full block stands for; nil for the most that is in the course.
        var top: Double?
        var tone = ScreenLine.Tone.plain
    }

    /// A course of fewer characters shows nothing.
    private static let shortestCourse = 8

    /// - Parameters:
    ///   - headline: where the run is.
    ///   - capacity: ports of one address.
    ///   - columns: characters a line may have.
    static func lines(_ headline: String, _ timeline: [TimelinePoint], capacity: Int, columns: Int) -> [ScreenLine] {
        let headline = ScreenLine(String(headline.prefix(columns)), .heading)
        guard let last = timeline.last else { return [headline] }
        let rows = rows(of: last, timeline, capacity: capacity)
        // Values first, then names, which lose their middle; what is left is the course's.
        let values = min(rows.map(\.value.count).max() ?? 0, columns)
        let names = min(rows.map(\.name.count).max() ?? 0, max(8, (columns - values - 2) / 2))
        let room = min(60, columns - names - values - 4)
        return [headline]
            + rows.map { row in
                let course =
                    room >= shortestCourse ? "  " + spark(row.course.suffix(room), top: row.top) : ""
                let text =
                    row.name.shortened(to: names).padded(to: names) + "  " + row.value.padded(to: values) + course
                return ScreenLine(String(text.prefix(columns)), row.tone)
            }
    }

    private static func rows(of last: TimelinePoint, _ timeline: [TimelinePoint], capacity: Int) -> [Row] {
        let errors = last.errorsPerSecond.filter { $0.value > 0 }
            .max { ($0.value, $1.key) < ($1.value, $0.key) }
        var rows = [
            Row(
                name: "ports",
                value: "\(grouped(last.portsInUse)) of \(grouped(capacity))",
                course: timeline.map { Double($0.portsInUse) },
                top: Double(capacity),
                tone: last.portsInUse >= capacity ? .warning : .plain
            ),
            Row(name: "TIME_WAIT", value: grouped(last.timeWait), course: timeline.map { Double($0.timeWait) }),
            Row(
                name: "connects/s",
                value: rounded(last.dialsPerSecond),
                course: timeline.map(\.dialsPerSecond)
            ),
            Row(
                name: "errors/s",
                value: rounded(last.errorsPerSecond.values.reduce(0, +)) + (errors.map { " \($0.key)" } ?? ""),
                course: timeline.map { $0.errorsPerSecond.values.reduce(0, +) },
                tone: errors == nil ? .plain : .bad
            ),
            Row(name: "in flight", value: grouped(last.inFlight), course: timeline.map { Double($0.inFlight) }),
        ]
        for name in last.clients.keys.sorted().prefix(4) {
            let course = timeline.map { $0.clients[name]?.p99 }
            let value = course.last(where: { $0 != nil }).map { "\(rounded($0 ?? 0)) ms" } ?? "waiting"
            rows.append(Row(name: "p99 \(name.printable)", value: value, course: course.map { $0 ?? 0 }))
        }
        rows.append(
            Row(
                name: "server",
                value: last.isUp ? "\(grouped(last.threads)) threads, \(mebibytes(last.rssBytes))" : "DOWN",
                course: timeline.map { Double($0.threads) },
                tone: last.isUp ? .plain : .bad
            )
        )
        return rows
    }

    /// A course as a row of blocks.
    /// - Parameter top: what is as high as a line; nil for the most that is in it.
    static func spark(_ course: ArraySlice<Double>, top: Double? = nil) -> String {
        let blocks = Array(" ▁▂▃▄▅▆▇█")
        let top = top ?? course.max() ?? 0
        return String(
            course.map { value in
                guard value > 0, top > 0 else { return blocks[0] }
                // What is there at all is seen.
                return blocks[max(1, Int(min(8, (value / top * 8).rounded())))]
            }
        )
    }
}

/// Bytes as reports show a process's memory, rounded in one way everywhere.
func mebibytes(_ bytes: Int) -> String { "\(rounded((Double(bytes) / Double(1 << 20)).rounded())) MiB" }

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
