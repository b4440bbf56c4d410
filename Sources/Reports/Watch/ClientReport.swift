internal import LoadGenerator
package import PostRecords
internal import Text

/// The callers of a server as `spiral top` ranks them, and the ports its connections to memcached take.
package enum ClientReport {
    /// - Parameters:
    ///   - most: callers shown.
    ///   - width: characters a line may have; nil for any number.
    package static func lines(_ ranking: ClientRanking, most: Int, width: Int? = nil) -> [String] {
        callers(ranking, most: most, width: width) + (ranking.ports.map { ports($0, width: width) } ?? [])
    }

    /// Rows of ports shown at most: those of the busiest ways to memcached.
    private static let mostPorts = 5
    /// Seconds after which a look at all sockets is said to be old.
    private static let oldSample = 30.0

    private static func ports(_ ports: ClientRanking.Ports, width: Int?) -> [String] {
        guard !ports.rows.isEmpty else { return ["", "no connection to memcached holds a port"] }
        let table = PortTable(width: width ?? PortTable.defaultWidth)
        let shown = ports.rows.prefix(mostPorts)
        var rest = ports.count > shown.count ? ["\(grouped(shown.count)) of \(grouped(ports.count)) rows"] : []
        if ports.sampleAgeSeconds > oldSample { rest.append("as of \(rounded(ports.sampleAgeSeconds)) s ago") }
        return ["", table.header] + shown.map { table.line($0) } + rest
    }

    private static func callers(_ ranking: ClientRanking, most: Int, width: Int?) -> [String] {
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
