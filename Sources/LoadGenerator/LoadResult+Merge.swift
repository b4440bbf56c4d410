internal import Text

extension LoadResult {
    /// Why results cannot be merged.
    package struct MergeError: Error, CustomStringConvertible {
        package var description: String
    }

    /// Whether a file says that it is of spiral-load, of whatever version.
    package static func claimsToBeOne(_ json: [UInt8]) -> Bool {
        struct Head: Decodable { var schema: String }
        return (try? JSONText.decode(Head.self, from: json))?.schema.hasPrefix("spiral-load/") ?? false
    }

    /// Reads a result as `--json` wrote it.
    /// - Throws: ``MergeError``
    package init(json: [UInt8]) throws(MergeError) {
        struct Head: Decodable { var schema: String }
        guard let head = try? JSONText.decode(Head.self, from: json) else {
            throw MergeError(description: "it is not a result of spiral-load, or is damaged or incomplete")
        }
        guard head.schema == Self.schema else {
            throw MergeError(description: "it is \(head.schema), and this reads \(Self.schema)")
        }
        if let problem = FigureBound.problem(in: json) { throw MergeError(description: "it is damaged: \(problem)") }
        guard let result = try? JSONText.decode(LoadResult.self, from: json) else {
            throw MergeError(description: "it is not a result of spiral-load, or is damaged or incomplete")
        }
        if let damage = result.damage { throw MergeError(description: "it is damaged: \(damage)") }
        self = result
    }

    /// What no load comes to; nil where there is nothing of that.
    private var damage: String? {
        if let time = [duration, elapsed].first(where: { $0 < 0 }) { return "\(time) s is no time" }
        if Set(clients.map(\.name)).count < clients.count { return "two of its callers have one name" }
        for client in clients {
            guard (try? ClientSpec.check(name: client.name)) != nil else { return "a caller has no name of one" }
            guard client.addsUp else { return "the batches of \(client.name) do not add up" }
        }
        let sums = [
            (due, \ClientResult.due), (answered, \.answered), (failed, \.failed), (unanswered, \.unanswered),
            (unsent, \.unsent),
        ]
        for (total, path) in sums where total != clients.reduce(0, { $0 + $1[keyPath: path] }) {
            return "its callers do not make its sums"
        }
        let isPossible = generators.allSatisfy { generator in
            [
                generator.threads, generator.rssPeakBytes, generator.descriptorLimit, generator.portsPerSource ?? 0,
                generator.sources,
            ].allSatisfy { $0 >= 0 }
                && [generator.cpuSeconds, generator.cpuPercent, generator.senderCpuPercent].allSatisfy { $0 >= 0 }
        }
        return isPossible ? nil : "a generator has used less than nothing"
    }

    /// What was recorded of each client whose histograms are whole.
    package var records: [ClientRecord] {
        clients.compactMap { client in histograms[client.name].flatMap { ClientRecord(client, $0) } }
    }

    /// Whether a generator's run is in both: no two use the same processor time, to the nanosecond.
    private func sharesRun(with other: LoadResult) -> Bool { generators.contains(where: other.generators.contains) }

    /// Clients that have one name and were not asked for the same: how, in words. Merged they are one client.
    package static func differences(_ results: [(name: String, result: LoadResult)]) -> [String] {
        var first: [String: (file: String, asked: String)] = [:]
        var differences: [String] = []
        for (file, result) in results {
            for text in result.asked.map(\.client) where !text.contains("recorded=") {
                let client = String(text.prefix { $0 != ":" })
                guard let other = first[client] else {
                    first[client] = (file, text)
                    continue
                }
                guard other.asked != text else { continue }
                differences.append(
                    "caller \(client) is \(other.asked) in \(other.file) and \(text) in \(file): its figures are of "
                        + "both together"
                )
            }
        }
        return differences
    }

    /// The results of generators that ran beside each other, as one: clients of one name are one client. Percentiles are
    /// those of all batches together, to the histograms' three digits, and no mean of percentiles.
    /// - Parameter results: with what each is called, one or more.
    /// - Throws: ``MergeError``
    package static func merged(_ results: [(name: String, result: LoadResult)]) throws(MergeError) -> LoadResult {
        var records: [ClientRecord] = []
        var asked: [Asked] = []
        var reasons: [String] = []
        for (index, (name, result)) in results.enumerated() {
            if let other = results[..<index].first(where: { $0.result.sharesRun(with: result) }) {
                throw MergeError(
                    description: "\(other.name) and \(name) are of the same run, which would count twice; leave one out"
                )
            }
            guard result.records.count == result.clients.count else {
                throw MergeError(description: "\(name): its histograms are damaged or missing")
            }
            for record in result.records {
                if let index = records.firstIndex(where: { $0.name == record.name }) {
                    records[index].add(record)
                } else {
                    records.append(record)
                }
            }
            asked += result.asked
            if let reason = result.invalidBecause { reasons.append("\(name): \(reason)") }
        }
        let all = results.map(\.result)
        var targets: [String] = []
        for result in all where !targets.contains(result.target) { targets.append(result.target) }
        return LoadResult(
            target: targets.joined(separator: ", "),
            seed: all[0].seed,
            duration: all.map(\.duration).max()!,
            elapsed: all.map(\.elapsed).max()!,
            interrupted: all.contains(where: \.interrupted),
            asked: asked,
            records,
            all.flatMap(\.generators),
            reasons: reasons
        )
    }
}
