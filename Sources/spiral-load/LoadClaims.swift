internal import LoadGenerator
internal import Results
internal import Text
internal import Units

/// Claims about a load: `small.p99 > 50ms`, `small.failed > 0`, `unsent == 0`. Percentiles under their short names are of
/// all batches that were due.
enum LoadClaims {
    private typealias Value = @Sendable (ClientResult) -> Double?

    private struct Measure: Sendable {
        var name: String
        var value: Value

        init(_ name: String, _ value: @escaping Value) {
            self.name = name
            self.value = value
        }

        init(_ name: String, counting value: @escaping @Sendable (ClientResult) -> Int?) {
            self.init(name) { result in value(result).map { Double($0) } }
        }
    }

    private static let counts: [Measure] = [
        Measure("due", counting: { $0.due }), Measure("answered", counting: { $0.answered }),
        Measure("failed", counting: { $0.failed }), Measure("unanswered", counting: { $0.unanswered }),
        Measure("unsent", counting: { $0.unsent }), Measure("uris", counting: { $0.uris }),
        Measure("records.found", counting: { $0.records.found }),
        Measure("records.empty", counting: { $0.records.empty }), Measure("slo.percent") { $0.slo?.percent },
        Measure("connections.opened", counting: { $0.connections?.opened }),
        Measure("connections.redialled", counting: { $0.connections?.redialled }),
    ]

    private static let measures: [Measure] = [
        counts, ofAll(""), ofAll("latencyAllMs."), percentiles("latencyMs.") { $0.latencyMs },
        percentiles("serviceMs.") { $0.serviceMs }, percentiles("sendLagMs.") { $0.sendLagMs },
    ].flatMap { $0 }

    /// A percentile beyond what is known is larger than any number: nobody has seen its end.
    private static func ofAll(_ prefix: String) -> [Measure] {
        func measure(_ name: String, _ value: @escaping @Sendable (LatencyOfAll) -> Double?) -> Measure {
            Measure(prefix + name) { result in result.latencyAllMs.map { value($0) ?? .infinity } }
        }
        return [
            measure("p50") { $0.p50 }, measure("p90") { $0.p90 }, measure("p99") { $0.p99 },
            measure("p999") { $0.p999 }, measure("max") { $0.max },
        ]
    }

    private static func percentiles(
        _ prefix: String,
        of latency: @escaping @Sendable (ClientResult) -> ClientResult.Latency?
    ) -> [Measure] {
        func measure(_ name: String, _ value: @escaping @Sendable (ClientResult.Latency) -> Double) -> Measure {
            Measure(prefix + name) { result in latency(result).map { value($0) } }
        }
        return [
            measure("p50") { $0.p50 }, measure("p90") { $0.p90 }, measure("p99") { $0.p99 },
            measure("p999") { $0.p999 }, measure("max") { $0.max },
        ]
    }

    /// - Parameter clients: by name.
    /// - Throws: ``UnitTextError`` with what is wrong: the form, or a name that is none.
    static func claim(_ text: String, clients: [String]) throws(UnitTextError) -> Claim<[ClientRecord]> {
        var (durations, shares): ([String], [String]) = ([], [])
        let claim: Claim<[ClientRecord]> = try Claim(text: text, example: "'small.p99 > 50ms' or 'small.failed > 0'") {
            (word) throws(UnitTextError) in
            // Latencies are in milliseconds.
            if let duration = try? Duration(text: word) {
                durations.append(word)
                return .number(duration.inMilliseconds)
            }
            if word.hasSuffix("%"), let percent = Double(word.dropLast()), percent.isFinite {
                shares.append(word)
                return .number(percent)
            }
            let full = word.hasPrefix("clients.") ? String(word.dropFirst("clients.".count)) : word
            if let measure = measures.first(where: { $0.name == full }) {
                return .measure(name: word) { records in
                    var all = ClientRecord(name: "all")
                    for record in records { all.add(record) }
                    return measure.value(all.result)
                }
            }
            // A name may hold dots, and begin with all of another: the longest that fits is meant.
            for client in clients.sorted(by: { $0.count > $1.count }) where full.hasPrefix("\(client).") {
                let name = String(full.dropFirst(client.count + 1))
                let value: Value
                if let measure = measures.first(where: { $0.name == name }) {
                    value = measure.value
                } else if name.hasPrefix("errors."), name.count > "errors.".count {
                    let error = String(name.dropFirst("errors.".count))
                    value = { $0.due > 0 ? Double($0.errors[error] ?? 0) : nil }
                } else {
                    continue
                }
                return .measure(name: word) { records in
                    records.first { $0.name == client }.flatMap { value($0.result) }
                }
            }
            let all = measures.map(\.name) + clients.flatMap { client in measures.map { "\(client).\($0.name)" } }
            let hint = nearest(word, of: all).map { "did you mean '\($0)'?" }
            throw UnitTextError(
                text: word,
                expected: "a name of the result: \(hint ?? "use CALLER.p99, CALLER.failed or another figure of --json")"
            )
        }
        // What is compared must be of one kind: 50ms is no number of batches, and 1% of them is not 1.
        func problem(_ word: String, _ expected: String) -> UnitTextError {
            UnitTextError(text: word, expected: "\(expected) in '\(text)'")
        }
        if let size = text.split(separator: " ").first(where: {
            Double($0) == nil && (try? ByteCount(text: "\($0)")) != nil
        }) {
            throw problem("\(size)", "a time or a number, as no figure of a load is in bytes,")
        }
        if let duration = durations.first, !claim.names.allSatisfy(isLatency) {
            throw problem(duration, "a number: a duration is compared to latencies only,")
        }
        if let share = shares.first, !claim.names.allSatisfy({ $0.hasSuffix("slo.percent") }) {
            throw problem(share, "a number: write a share of batches as small.failed > 0.01 * small.due,")
        }
        return claim
    }

    private static func isLatency(_ name: String) -> Bool {
        ["p50", "p90", "p99", "p999", "max"].contains(name.split(separator: ".").last.map(String.init) ?? "")
    }
}
