internal import FanOut
internal import Limits
package import LoadGenerator
package import PostRecords

/// What makes the dials of a phase unpredictable: known before it is played, or seen in it.
package enum DialObstacle {
    /// The reason, or nil when the rules of pool and ports may decide them.
    /// - Parameters:
    ///   - settings: those in force in the phase.
    ///   - clients: that send in it.
    ///   - isPreloaded: whether every post is in memcached: one that is missed is set back, over one more connection.
    ///   - hasFaults: whether something is broken or changed in its course.
    package static func known(
        settings: Settings,
        clients: [ClientSpec],
        isPreloaded: Bool,
        hasFaults: Bool
    ) -> String? {
        if hasFaults { return "the phase has faults" }
        guard let largest = clients.map(\.uris.upperBound).max() else { return nil }
        if !isPreloaded { return "posts are not in memcached at the beginning, and write-backs dial too" }
        if settings.fanOut.fanout != .perURI {
            return "fanout \(settings.fanOut.fanout) shares connections between URIs"
        }
        let socketSettings = ["reuse-address", "linger", "local-port-range", "close"]
        if let setting = socketSettings.first(where: { settings[$0] != Settings()[$0] }) {
            return "\(setting) \(settings[setting]!) changes which ports a dial can have"
        }
        if let most = settings.fanOut.maxOpen { return "max-open \(most) has lookups wait for connections of others" }
        if settings.fanOut.retries > 0 { return "retries \(settings.fanOut.retries) dial again where a dial failed" }
        if settings.fanOut.dedupe { return "dedupe asks once for URIs that a batch has several times" }
        for (name, most) in [("max-batch", settings.guards.maxBatch), ("max-per-caller", settings.guards.maxPerCaller)]
        where most > 0 && largest > most {
            return "\(name) \(most) refuses batches of \(largest) URIs"
        }
        if let bound = settings.fanOut.limit.bound, min(bound, largest) > settings.fanOut.maxIdle {
            return
                "limit \(settings.fanOut.limit) needs more connections than max-idle \(settings.fanOut.maxIdle) keeps: "
                + "how often they are dialled anew depends on timing"
        }
        return nil
    }

    /// What happened in a phase that the rules of pool and ports know nothing of; nil when nothing did.
    /// - Parameters:
    ///   - counted: what the server counted in it.
    ///   - clients: what became of their batches.
    package static func seen(
        counted: CounterSnapshot,
        clients: [ClientResult],
        restarts: Int,
        isSteered: Bool
    ) -> String? {
        if restarts > 0 { return "the server was started again" }
        if isSteered { return "settings were changed by hand" }
        if counted.lookups.misses > 0 { return "records were missing, and write-backs dial too" }
        if counted.refusals.values.contains(where: { $0 > 0 }) { return "batches were refused" }
        if clients.contains(where: { $0.failed > 0 }) { return "batches were not answered" }
        return nil
    }
}
