internal import LoadGenerator
package import PostRecords
internal import Text

/// The callers of a server as `spiral top` ranks them.
package enum ClientReport {
    /// - Parameters:
    ///   - most: callers shown.
    ///   - width: characters a line may have; nil for any number.
    package static func lines(_ ranking: ClientRanking, most: Int, width: Int? = nil) -> [String] {
        guard !ranking.clients.isEmpty else { return ["nobody has asked for anything yet"] }
        var table = TextTable(header: [
            "caller", "URIs/s", "in flight", "batches", "URIs/batch", "s/batch", "failed", "errors",
        ])
        for client in ranking.clients.prefix(most) {
            let errors = client.errors.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(2)
                .map { "\($0.key) \(grouped($0.value))" }
            table.add([
                client.name, rounded(client.urisPerSecond), grouped(client.inFlight), grouped(client.batches),
                rounded(client.urisPerBatch), rounded(client.secondsPerBatch), grouped(client.failed),
                errors.joined(separator: ", "),
            ])
        }
        return table.lines(fitting: width)
    }
}
