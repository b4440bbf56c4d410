internal import Commands
internal import LoadGenerator
internal import POSIX
internal import Results
internal import Text
internal import Units

/// Loads at one rate after another, until it is known up to which a claim holds.
struct SearchRun {
    private let plan: LoadPlan
    private let workload: Workload
    private let claim: Claim<[ClientRecord]>

    init(_ plan: LoadPlan, _ workload: Workload, _ claim: Claim<[ClientRecord]>) {
        self.plan = plan
        self.workload = workload
        self.claim = claim
    }

    /// - Returns: the load at the highest rate at which it held.
    /// - Throws: ``Refusal`` when it held at none, or the generator itself was what ran out.
    func play() throws -> (result: LoadResult, records: [ClientRecord]) {
        var search = RateSearch()
        var best: (result: LoadResult, records: [ClientRecord])?
        var ranOut: String?
        while let factor = search.next {
            guard let scaled = scaled(by: factor) else {
                ranOut = "no machine sends \(rounded(factor)) times the rates that were asked for"
                search.record(factor, isGood: false)
                continue
            }
            let finished = try LoadRun(
                scaled,
                workload,
                observers: try SecondLines(csv: nil, total: scaled.duration),
                nil
            ).play()
            guard !finished.result.interrupted else { throw Refusal(.failed, "--search: interrupted") }
            let (observed, holds) = claim.judge(finished.records)
            let isValid = finished.result.valid
            let isGood = isValid && holds == true
            search.record(factor, isGood: isGood)
            note(
                "\(rate(scaled)): \(claim.text) \(isGood ? "holds" : "does not hold"), observed \(observed)"
                    + (isValid ? "" : "; not valid")
            )
            if isGood { best = finished }
            if !isValid { ranOut = finished.result.invalidBecause }
        }
        guard let best, let good = search.good else {
            throw Refusal(
                ranOut == nil ? .failed : .machine,
                "--search: \(claim.text) held at no rate" + (ranOut.map { "; \($0)" } ?? "")
            )
        }
        let limit = search.bad.map { ", and not at \(scaled(by: $0).map(rate) ?? "more")" } ?? ""
        note("\(claim.text) holds up to \(scaled(by: good).map(rate) ?? "")\(limit)")
        if let ranOut { throw Refusal(.machine, "--search: the server may sustain more; \(ranOut)") }
        return best
    }

    /// Nil where no machine sends that.
    private func scaled(by factor: Double) -> LoadPlan? {
        var scaled = plan
        for index in plan.clients.indices {
            let schedule = plan.clients[index].spec.schedule
            // Closed loops stay as they are: what is searched for is what goes beside them.
            if case .closed = schedule.arrival { continue }
            guard let faster = schedule.scaled(by: factor) else { return nil }
            scaled.clients[index].spec.schedule = faster
        }
        return scaled
    }

    private func rate(_ plan: LoadPlan) -> String {
        let clients = plan.clients.compactMap { client in
            client.spec.schedule.meanRate.map { "\(client.spec.name) \(rounded($0.perSecond))/s" }
        }
        return clients.joined(separator: ", ")
    }
}
