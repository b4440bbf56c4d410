internal import LoadGenerator
internal import Results
internal import Text

/// A run at a glance on a terminal: its figures, each with its recent course.
enum Dashboard {
    /// - Parameters:
    ///   - headline: where the run is.
    ///   - capacity: ports of one address.
    ///   - columns: characters a line may have.
    static func lines(_ headline: String, _ timeline: [TimelinePoint], capacity: Int, columns: Int) -> [String] {
        guard let last = timeline.last else { return [headline] }
        let errors = last.errorsPerSecond.filter { $0.value > 0 }.sorted { $0.value > $1.value }
        var rows: [(name: String, value: String, course: [Double])] = [
            ("ports", "\(grouped(last.portsInUse)) of \(grouped(capacity))", timeline.map { Double($0.portsInUse) }),
            ("TIME_WAIT", grouped(last.timeWait), timeline.map { Double($0.timeWait) }),
            ("dials/s", rounded(last.dialsPerSecond), timeline.map(\.dialsPerSecond)),
            (
                "errors/s",
                rounded(last.errorsPerSecond.values.reduce(0, +)) + (errors.first.map { " \($0.key)" } ?? ""),
                timeline.map { $0.errorsPerSecond.values.reduce(0, +) }
            ),
            ("in flight", grouped(last.inFlight), timeline.map { Double($0.inFlight) }),
        ]
        for name in last.clients.keys.sorted().prefix(4) {
            let course = timeline.map { $0.clients[name]?.p99 }
            let value = course.last(where: { $0 != nil }).map { "\(rounded($0 ?? 0)) ms" } ?? "waiting"
            rows.append(("\(name) p99", value, course.map { $0 ?? 0 }))
        }
        rows.append(
            (
                "server",
                last.isUp ? "\(grouped(last.threads)) threads, \(grouped(last.rssBytes >> 20)) MiB" : "DOWN",
                timeline.map { Double($0.threads) }
            )
        )
        let names = rows.map(\.name.count).max() ?? 0
        let values = rows.map(\.value.count).max() ?? 0
        let room = min(60, columns - names - values - 4)
        return [headline]
            + rows.map { row in
                row.name.padded(to: names) + "  " + row.value.padded(to: values)
                    + (room >= 8 ? "  " + spark(row.course.suffix(room)) : "")
            }
    }

    /// A course as a row of blocks, the highest as high as a line.
    static func spark(_ course: ArraySlice<Double>) -> String {
        let blocks = Array(" ▁▂▃▄▅▆▇█")
        let top = course.max() ?? 0
        return String(
            course.map { value in
                // What is there at all is seen.
                value <= 0 ? blocks[0] : blocks[max(1, min(8, Int((value / top * 8).rounded())))]
            }
        )
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
