internal import LoadGenerator
internal import PostRecords
internal import Results
internal import Text

/// The settings in which a phase differs from the one before it, and what that did.
struct PhaseChange {
    private let phase: PhaseResult
    private let changes: [(name: String, value: String)]

    init(from before: PhaseResult, to phase: PhaseResult) {
        self.phase = phase
        changes = Settings.names.compactMap { name in
            guard let value = phase.settings[name], value != before.settings[name] else { return nil }
            return (name, value)
        }
    }

    var isEmpty: Bool { changes.isEmpty }

    /// The changes as they would be set; nothing where there are none.
    var brackets: String {
        changes.isEmpty ? "" : " (" + changes.map { "\($0.name) \($0.value)" }.joined(separator: ", ") + ")"
    }

    /// What was seen in the phase, one clause each.
    var effects: [String] {
        let lookups = phase.lookups
        var effects: [String] = []
        if lookups.total == 0 {
            effects.append("nothing was looked up")
        } else if lookups.failed == 0 {
            effects.append("no lookup failed")
        } else {
            effects.append("\(Share(lookups.failed, of: lookups.total)) of lookups failed\(phase.failedWith)")
        }
        let tried = phase.dials.ok + phase.dials.failed
        effects.append(tried == 0 ? "no new connection was needed" : "\(grouped(tried)) new connections were tried")
        effects += ports(tried) + log
        if phase.restarts > 0 {
            effects.append("the server ended \(grouped(phase.restarts)) \(phase.restarts == 1 ? "time" : "times")")
        }
        effects += phase.smallClients.compactMap { client in
            client.slo.flatMap { slo in
                slo.percent.map { "\(client.name) had \(Share(percent: $0)) complete within \(rounded(slo.ms)) ms" }
            }
        }
        return effects
    }

    private func ports(_ tried: Int) -> [String] {
        let capacity = phase.portsCapacity
        if tried == 0, phase.portsInUsePeak >= capacity, capacity > 0 {
            return ["the ports of the phases before were still in TIME_WAIT and not needed"]
        }
        // About one range of them is what exhaustion is: nothing new.
        guard tried > 0, capacity > 0, Double(phase.timeWaitPeak) > 1.5 * Double(capacity) else { return [] }
        let times = rounded(Double(phase.timeWaitPeak) / Double(capacity))
        return [
            "\(grouped(phase.timeWaitPeak)) sockets were in TIME_WAIT, \(times) times the ports of one source address"
        ]
    }

    /// Said where it is the log that was changed.
    private var log: [String] {
        guard changes.contains(where: { $0.name.hasPrefix("log-") }), phase.lookups.failed > 0 else { return [] }
        let threads = phase.threadsPeak.map { ", \(grouped($0)) threads" } ?? ""
        return ["\(grouped(phase.logLines.written)) error lines were written\(threads)"]
    }
}
