package import KernelProbe
internal import POSIX
internal import Telemetry
internal import Units

/// `/debug/clients`: who asks for how much, the heaviest caller first.
package struct ClientRanking: Codable, Sendable, Equatable {
    /// A caller and its share of the load.
    package struct Client: Codable, Sendable, Equatable {
        package var name: String
        /// Over the last ten seconds.
        package var urisPerSecond: Double
        /// Lookups issued and not yet answered.
        package var inFlight: Int
        package var batches: Int
        package var uris: Int
        package var ok: Int
        package var failed: Int
        /// Failed lookups by error name.
        package var errors: [String: Int]
        /// Lookups whose value in memcached is no record.
        package var unreadable: Int
        /// URIs in its average batch.
        package var urisPerBatch: Double
        /// Seconds its average batch took from request to answer.
        package var secondsPerBatch: Double
    }

    /// The ports that connections to memcached take, whoever opened them.
    package struct Ports: Codable, Sendable, Equatable {
        static let maxRows = 20

        /// The busiest of them, at most so many.
        package var rows: [PortFigures]
        /// Pairs of source and destination there are.
        package var count: Int
        /// Since all sockets were looked at.
        package var sampleAgeSeconds: Double

        /// Nil before the first look.
        init?(_ watch: PortWatch) {
            let trend = watch.current
            guard let age = trend.age(at: .now) else { return nil }
            let outlooks = trend.outlooks.filter { watch.destinationPorts.contains($0.row.pair.destination.port) }
            rows = outlooks.prefix(Self.maxRows).map { PortFigures($0) }
            count = outlooks.count
            sampleAgeSeconds = age.inSeconds
        }
    }

    package var clients: [Client]
    /// Nil where nobody looks, as towards unix sockets.
    package var ports: Ports?

    init(_ table: ClientTable, ports: PortWatch? = nil) {
        self.ports = ports.flatMap { Ports($0) }
        clients = table.ranking.map { account in
            let totals = account.totals
            let answered = totals.latencies.count
            return Client(
                name: account.name,
                urisPerSecond: account.urisPerSecond,
                inFlight: account.inFlight.value,
                batches: totals.batches,
                uris: totals.uris,
                ok: totals.ok,
                failed: totals.failed,
                errors: totals.errors,
                unreadable: totals.unreadable,
                urisPerBatch: totals.batches == 0 ? 0 : Double(totals.uris) / Double(totals.batches),
                secondsPerBatch: answered == 0 ? 0 : totals.latencies.sum / Double(answered)
            )
        }
    }
}

/// `/debug/errors`: what log mode `metrics` keeps in place of lines.
struct ErrorReport: Codable {
    struct Kind: Codable {
        var kind: String
        var count: Int
        var exemplar: [String: String]
    }

    var errors: [Kind]

    init(_ log: ErrorLog) {
        errors = log.tally.sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }.map { kind, tally in
            let line = tally.exemplar
            let fields = ["msg": line.message, "uri": line.uri, "client": line.client, "error": line.error]
            return Kind(kind: kind, count: tally.count, exemplar: fields)
        }
    }
}
