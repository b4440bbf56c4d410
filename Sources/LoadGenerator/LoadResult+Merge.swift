internal import Text

extension LoadResult {
    /// Why results cannot be merged.
    package struct MergeError: Error, CustomStringConvertible {
        package var description: String
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
        self = result
    }

    /// What was recorded of each client whose histograms are whole.
    package var records: [ClientRecord] {
        clients.compactMap { client in histograms[client.name].flatMap { ClientRecord(client, $0) } }
    }

    /// The results of generators that ran beside each other, as one: clients of one name are one client. Percentiles are
    /// those of all batches together, to the histograms' three digits, and no mean of percentiles.
    /// - Parameter results: with what each is called, one or more.
    /// - Throws: ``MergeError``
    package static func merged(_ results: [(name: String, result: LoadResult)]) throws(MergeError) -> LoadResult {
        var records: [ClientRecord] = []
        var asked: [Asked] = []
        var reasons: [String] = []
        for (name, result) in results {
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
