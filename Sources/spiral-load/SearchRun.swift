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

    /// What was found.
    struct Found {
        /// The load at the highest rate at which it held; nil when it held at none.
        var best: LoadRun.Finished?
        /// What of the question is not answered; nil when all of it is.
        var refusal: Refusal?
    }

    func play() throws -> Found {
        var search = RateSearch()
        var best: LoadRun.Finished?
        while let factor = search.next {
            guard let scaled = scaled(by: factor) else {
                let reason = "no machine sends \(rounded(factor)) times the rates that were asked for"
                search.record(factor, .invalid(because: reason))
                continue
            }
            let finished: LoadRun.Finished
            do {
                let seconds = try SecondLines(csv: nil, total: scaled.warmUp + scaled.duration)
                finished = try LoadRun(scaled, workload, observers: seconds, nil).play()
            } catch let refusal as Refusal {
                return Found(best: best, refusal: refusal)
            }
            guard !finished.result.interrupted else {
                let known = search.good.flatMap { self.scaled(by: $0) }.map { "; \(claim.text) held up to \(rate($0))" }
                return Found(best: best, refusal: Refusal(.failed, "--search: interrupted\(known ?? "")"))
            }
            let (observed, holds) = claim.judge(finished.records)
            if let reason = finished.result.invalidBecause {
                search.record(factor, .invalid(because: reason))
                note("\(rate(scaled)): not valid, and says nothing of the server")
            } else {
                search.record(factor, holds == true ? .holds : .fails)
                note(
                    "\(rate(scaled)): \(claim.text) \(holds == true ? "holds" : "does not hold"), observed \(observed)"
                )
            }
            if search.good == factor { best = finished }
        }
        return Found(best: best, refusal: conclude(search))
    }

    /// Says what was found.
    /// - Returns: what is not known.
    private func conclude(_ search: RateSearch) -> Refusal? {
        let reason = search.invalidBecause
        guard let good = search.good.flatMap({ scaled(by: $0) }) else {
            return Refusal(
                reason == nil ? .failed : .machine,
                "--search: \(claim.text) held at no rate" + (reason.map { "; \($0)" } ?? "")
            )
        }
        let limit = search.bad.flatMap { scaled(by: $0) }.map { ", and not at \(rate($0))" } ?? ""
        note("\(claim.text) holds up to \(rate(good))\(reason == nil ? limit : "")")
        return reason.map { Refusal(.machine, "--search: the server may sustain more; \($0)") }
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
