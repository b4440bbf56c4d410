internal import PostRecords
package import Telemetry

/// All that is counted and measured of one client: enough to merge it with that of another generator, without loss.
package struct ClientRecord: Sendable {
    /// Latencies of answered and of all due batches.
    package struct Latencies: Sendable {
        /// Of answered batches, from the intended start.
        package var answered = LatencyHistogram()
        /// Of answered batches, from the first byte sent.
        package var service = LatencyHistogram()
        /// How long the other batches had waited, from the intended start.
        package var waited = LatencyHistogram()
        /// From the intended start to the first byte sent.
        package var sendLag = LatencyHistogram()
        /// From the intended start to when the sender turned to the batch: what the generator itself adds.
        package var lateness = LatencyHistogram()
    }

    package var name: String
    package var batches = 0
    package var uris = 0
    package var ok = 0
    package var failed = 0
    package var unsent = 0
    /// Batches given up while they were in flight.
    package var abandoned = 0
    package var errors: [String: Int] = [:]
    package var found = 0
    package var empty = 0
    /// Batches answered with a post for each URI; nil where a version did not count them.
    package var complete: Int? = 0
    /// Milliseconds; nil for a client without one.
    package var slo: Double?
    /// Batches answered within the SLO, with a post for each URI.
    package var inTime = 0
    /// Batches that waited for others to end, as no more might be in flight.
    package var heldBack = 0
    package var connections = ClientResult.Connections(opened: 0, needed: 0, redialled: 0)
    package var statuses: [Int: Int] = [:]
    package var answerBytes = 0
    package var latencies = Latencies()

    package init(name: String) {
        self.name = name
    }

    package var ended: Int { ok + failed + unsent + abandoned }

    /// Batches that have not ended count as unanswered; that they have waited is all that is known about them.
    package var result: ClientResult {
        var waited = latencies.waited
        for _ in 0..<max(0, batches - ended) { waited.record(.zero) }
        return ClientResult(
            name: name,
            batches: batches,
            uris: uris,
            ok: ok,
            failed: failed,
            errors: errors,
            records: .init(found: found, empty: empty),
            complete: complete,
            slo: slo.map { .init(ms: $0, met: inTime, of: batches) },
            latencyMs: .init(latencies.answered),
            serviceMs: .init(latencies.service),
            due: batches,
            answered: ok,
            unanswered: batches - ok - failed - unsent,
            unsent: unsent,
            latencyAllMs: .init(answered: latencies.answered, waited: waited),
            sendLagMs: .init(latencies.sendLag),
            distribution: DistributionPoint.points(of: latencies.answered),
            connections: connections,
            statuses: Dictionary(uniqueKeysWithValues: statuses.map { ("\($0.key)", $0.value) }),
            answerBytes: answerBytes
        )
    }

    /// The latencies of answered batches in HdrHistogram's text form, in milliseconds.
    package var percentileText: String { latencies.answered.percentileText }

    // MARK: Merging

    /// Nil when the histograms are damaged, or are not those of the result.
    package init?(_ result: ClientResult, _ histograms: Histograms) {
        // More than any run counts, and little enough to be added up.
        let counts =
            [
                result.batches, result.uris, result.ok, result.failed, result.unsent, result.unanswered,
                result.records.found, result.records.empty, result.slo?.met ?? 0, histograms.heldBack,
                result.answerBytes ?? 0, result.connections?.opened ?? 0, result.connections?.needed ?? 0,
                result.connections?.redialled ?? 0, result.complete ?? 0,
            ] + result.errors.values + (result.statuses ?? [:]).values
        guard counts.allSatisfy({ (0...1 << 50).contains($0) }), result.addsUp else { return nil }
        name = result.name
        batches = result.batches
        uris = result.uris
        ok = result.ok
        failed = result.failed
        unsent = result.unsent
        abandoned = result.unanswered
        errors = result.errors
        found = result.records.found
        empty = result.records.empty
        complete = result.complete
        slo = result.slo?.ms
        inTime = result.slo?.met ?? 0
        heldBack = histograms.heldBack
        connections = result.connections ?? connections
        for (status, count) in result.statuses ?? [:] { if let status = Int(status) { statuses[status] = count } }
        answerBytes = result.answerBytes ?? 0
        guard let answered = LatencyHistogram(text: histograms.answered),
            let service = LatencyHistogram(text: histograms.service),
            let waited = LatencyHistogram(text: histograms.waited),
            let sendLag = LatencyHistogram(text: histograms.sendLag),
            let lateness = LatencyHistogram(text: histograms.lateness), answered.count == ok,
            waited.count <= result.batches - ok
        else { return nil }
        latencies = .init(
            answered: answered,
            service: service,
            waited: waited,
            sendLag: sendLag,
            lateness: lateness
        )
    }

    /// Adds what another generator counted of a client of this name. Whether its batches were in flight together with
    /// these is not known: connections needed are added up.
    package mutating func add(_ other: ClientRecord) {
        batches += other.batches
        uris += other.uris
        ok += other.ok
        failed += other.failed
        unsent += other.unsent
        abandoned += other.abandoned
        errors.merge(other.errors, uniquingKeysWith: +)
        found += other.found
        empty += other.empty
        complete = complete.flatMap { own in other.complete.map { own + $0 } }
        inTime += other.inTime
        // Met by different times, it is met by none.
        if slo != other.slo { slo = nil }
        heldBack += other.heldBack
        connections.opened += other.connections.opened
        connections.needed += other.connections.needed
        connections.redialled += other.connections.redialled
        statuses.merge(other.statuses, uniquingKeysWith: +)
        answerBytes += other.answerBytes
        latencies.answered.add(other.latencies.answered)
        latencies.service.add(other.latencies.service)
        latencies.waited.add(other.latencies.waited)
        latencies.sendLag.add(other.latencies.sendLag)
        latencies.lateness.add(other.latencies.lateness)
    }

    /// What a result has beside its figures, so that it can be merged. Each histogram is a text: `143:2 150:7`, two
    /// latencies of up to 143 microseconds and seven of up to 150, as finely as the histogram tells them apart.
    package struct Histograms: Codable, Sendable, Equatable {
        package var answered: String
        package var service: String
        package var waited: String
        package var sendLag: String
        package var lateness: String
        package var heldBack: Int
    }

    package var histograms: Histograms {
        .init(
            answered: latencies.answered.text,
            service: latencies.service.text,
            waited: latencies.waited.text,
            sendLag: latencies.sendLag.text,
            lateness: latencies.lateness.text,
            heldBack: heldBack
        )
    }
}

extension LatencyHistogram {
    package var text: String {
        buckets.map { "\($0.microseconds):\($0.count)" }.joined(separator: " ")
    }

    package init?(text: String) {
        var buckets: [Bucket] = []
        for pair in text.split(separator: " ") {
            let sides = pair.split(separator: ":", omittingEmptySubsequences: false)
            guard sides.count == 2, let microseconds = Int64(sides[0]), let count = Int(sides[1]) else { return nil }
            buckets.append(.init(microseconds: microseconds, count: count))
        }
        self.init(buckets)
    }
}
