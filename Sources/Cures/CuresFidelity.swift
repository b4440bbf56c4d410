package import Results
internal import Text

/// What the figures depend on, and what was different in the incident.
package enum CuresFidelity {
    /// What the figures depend on, a sentence each, with this kernel's own version.
    package static func notes(_ plan: CuresPlan, _ environment: Environment) -> [String] {
        let settings = environment.portSettings
        func value(_ number: Int?) -> String { number.map { grouped($0) } ?? "not a setting of this kernel" }
        return [
            "Measured on Linux \(environment.kernel), \(environment.cores) cores, memcached \(environment.memcached), libmemcached \(environment.libmemcached); tcp_tw_reuse \(environment.tcpTwReuse), tcp_tw_reuse_delay \(value(settings?.twReuseDelayMs)) ms.",
            "\(grouped(plan.ports)) ephemeral ports, and \(plan.batchesPerRound == 1 ? "a batch" : "\(plan.batchesPerRound) batches") of \(grouped(plan.uris)) URIs a round. The incident had 28,232 ports and up to 3 batches a second of 15,000 to 20,000: what runs out here in a moment ran out there in seconds.",
            "28,232 and not 65,535: a Linux kernel takes ephemeral ports from 32768 to 60999, net.ipv4.ip_local_port_range. At 60 s of TIME_WAIT they sustain 470 dials a second from one address to one destination.",
            "The incident's own setup: Go, gomemcache with 2 idle connections, net.Dialer with LocalAddr 127.32.0.1, so bind() before connect(); memcached on the same machine. Here Go's runtime is missing; sockets, kernel and memcached are real. A lookup may take 5 s in place of 500 ms, so that a slow machine is not taken for a lack of ports.",
            "Of this kernel's version: what a failing bind() costs (it looks at every port), which since 6.1 has a second hash table (bhash2) and since 6.15 a faster search in connect(); tcp_tw_reuse_delay, since 6.14, before which it was a fixed second; since 6.18 a port that bind() chose is one for connect() again as soon as no bound socket is left on it, TIME_WAIT included. Processor times compare within one run only.",
            plan.oneByOne
                ? "One lookup of a batch after the other, each with a dial of its own: ports run out in TIME_WAIT only. In the incident they went all at once, and changes that give TIME_WAIT ports back helped less."
                : "All lookups of a batch go at once, so that ports of open connections run out too, and not only those in TIME_WAIT. Programs that dial one after the other are helped by more of these changes: --one-by-one plays that.",
        ]
    }
}
