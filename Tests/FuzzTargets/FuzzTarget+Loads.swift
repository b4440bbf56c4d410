internal import LoadGenerator
internal import PostRecords
internal import Units

extension FuzzTarget {
    /// Answers as a load's client looks through them. The first byte says how: 1 for protobuf, else JSON, and the other
    /// bits how many URIs were asked for.
    static let answers = FuzzTarget(
        name: "answers",
        words: [
            "{\"records\":[", "],\"meta\":[", "]}", "{}", ",", "{\"cid\":\"bafyrei", "\"", "\\u00e9", "\\", "1e5",
            "null",
            "\u{a}\u{0}", "\u{12}\u{0}", "\u{12}\u{3}bafyrei",
        ],
        run: { input in
            guard let first = input.first else { return }
            var check = AnswerCheck(Workload(seed: 1, count: 8))
            let count = Int(first >> 1) % 10
            let body = Array(input.dropFirst())
            for selection in [Selection.neighbours(first: 3, size: count), .posts(Array(0..<count), freshSeed: 7)] {
                guard let tally = try? check.check(body, first & 1 == 1 ? .proto : .json, against: selection) else {
                    continue
                }
                guard tally.records == count, tally.empty <= count else { throw Violation("\(shown(body)): \(tally)") }
            }
        }
    )

    /// Traces of batches. What is read and written again is read as the same.
    static let traces = FuzzTarget(
        name: "traces",
        words: [
            "{\"offset\": ", ", \"caller\": \"feed\"", ", \"uris\": 12}", "[\"a\"]", "\n", "1e308", "-1", "\\u0000",
        ],
        run: { input in
            guard let entries = try? Trace.entries(of: Array(input)) else { return }
            let again = (try? Trace.entries(of: Trace.text(entries))) ?? []
            guard again.elementsEqual(entries, by: isSame) else {
                throw Violation("\(shown(input)): written again it is another trace")
            }
        }
    )

    /// Seconds in a Double tell a year's nanoseconds apart nearly, and no finer.
    private static func isSame(_ left: Trace.Entry, _ right: Trace.Entry) -> Bool {
        left.caller == right.caller && left.batch == right.batch
            && abs(left.offset.inSeconds - right.offset.inSeconds) < 1e-6
    }
}
