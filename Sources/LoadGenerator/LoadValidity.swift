internal import Text

/// Whether a load was what was asked for, or the generator ran out of something.
package struct LoadValidity: Sendable, Equatable {
    /// The sender is late when it adds a tenth to what is reported, and more than machines do when they are busy.
    private static let lateShare = 0.1
    private static let lateMilliseconds = 50.0

    /// A sentence for each thing that ran out; empty for a valid run.
    package private(set) var reasons: [String] = []

    package init(_ records: [ClientRecord], maxInFlight: Int?, machine: MachineLimits, senderCpuPercent: Double) {
        func failed(_ names: String...) -> Int {
            records.reduce(0) { sum, record in names.reduce(sum) { $0 + (record.errors[$1] ?? 0) } }
        }
        let descriptors = failed("EMFILE", "ENFILE")
        if descriptors > 0 {
            reasons.append(
                "the generator ran out of descriptors: \(grouped(descriptors)) batches got none of the "
                    + "\(grouped(machine.descriptors)) it may have; raise ulimit -n"
            )
        }
        let ports = failed("EADDRNOTAVAIL", "EADDRINUSE")
        if ports > 0 {
            let there = machine.portsPerSource.map { " of the \(grouped($0)) that a source address has" } ?? ""
            reasons.append(
                "the generator ran out of ephemeral ports: \(grouped(ports)) batches got none\(there); "
                    + "use --source with a network of addresses"
            )
        }
        let memory = failed("ENOBUFS", "ENOMEM")
        if memory > 0 {
            reasons.append("the generator ran out of memory for connections: \(grouped(memory)) batches got none")
        }
        let held = records.reduce(0) { $0 + $1.heldBack }
        if let maxInFlight, held > 0 {
            reasons.append(
                "the generator ran out of batches it may have in flight: \(grouped(held)) waited for one of "
                    + "--max-in-flight \(grouped(maxInFlight))"
            )
        }
        if maxInFlight == nil, held > 0 {
            reasons.append(
                "the generator ran out of memory for requests: \(grouped(held)) batches waited until others had ended that "
                    + "hold \(grouped(Load.Options.mostHeldBytes >> 20)) MiB; use a lower rate or smaller batches"
            )
        }
        let unsent = records.reduce(0) { $0 + $1.unsent }
        if unsent > 0 { reasons.append("\(grouped(unsent)) batches that were due were not sent") }
        for record in records {
            guard let late = ClientResult.Latency(record.latencies.lateness)?.p99, late > Self.lateMilliseconds,
                late > Self.lateShare * (ClientResult.Latency(record.latencies.answered)?.p99 ?? 0)
            else { continue }
            reasons.append(
                "the generator ran out of processor time: batches of \(record.name) were taken up \(rounded(late)) ms late "
                    + "(p99), its sender using \(rounded(senderCpuPercent))% of a processor; use a lower rate or more machines"
            )
        }
    }
}
