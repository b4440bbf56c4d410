internal import PostRecords

/// The keys a scenario file may have; the same tables are read by and printed for people.
package enum ScenarioSchema {
    static let scenario = [
        "scenario", "description", "verdict", "environment", "sysctls", "settings", "clients", "phases",
    ]
    static let environment = [
        "ports", "tw-reuse", "posts", "preload", "nofile", "memory-limit", "restart", "log-threads",
        "memcached",
    ]
    static let memcached = ["threads", "memory", "connections", "listen"]
    static let phase = ["name", "title", "duration", "quick", "settings", "clients", "by-hand", "faults", "expect"]
    static let fault = ["at", "do"]

    /// A scenario with every key there is, which is itself one that can be played.
    package static let example = """
        # Every key there is, with what it takes. A file needs 'scenario' and 'phases' only.
        scenario: example
        description: What this is to show, in a sentence or two.
        verdict: it showed it      # said when all expectations held

        environment:
          ports: 1024              # narrows the ephemeral range, 16 to 32767; left out, the machine's own
          tw-reuse: 2              # net.ipv4.tcp_tw_reuse: 0, 1 or 2
          posts: 50000             # distinct posts the clients ask for
          preload: true            # whether they are in memcached at the beginning
          nofile: 20000            # descriptors the server may have
          memory-limit: 1GiB       # the server is killed when it takes more
          restart: true            # and started again, as any time it dies
          log-threads: 10000       # threads blocked in log writes at which it dies
          memcached: {threads: 2, memory: 512, connections: 19000, listen: ipv4}   # or ipv6, unix

        sysctls:                   # kernel settings of the run's namespace, below net.ipv4. and net.ipv6.
          net.ipv4.tcp_tw_reuse_delay: 500

        settings:                  # at the start; \(Settings.names.joined(separator: ", "))
          limit: none
          dialer: bind:127.32.0.1

        clients:                   # uris=N or LO..HI; rate=R/s, ramp=R/s..R/s or burst=N/DURATION; from=, until=, slo=, codec=
          appview: uris=1..10,rate=3/s
          new-service: uris=20000,burst=1/2s,from=1s

        phases:                    # one after the other; each ends when all of its batches are answered
          - name: healthy
            title: small batches only
            duration: 8s
            quick: 3s              # with 'spiral run --quick'
            clients: [appview]
            expect:
              - lookups.errors == 0
              - clients.appview.latencyMs.p99 < 500
          - name: incident
            duration: 10s
            quick: 5s
            clients: [appview, new-service]
            by-hand: []            # those of them, closed loops, that --live starts and stops; without it they just send
            settings: {log-mode: sampled}
            faults:                # kill, stop, continue or restart, server or memcached; or set SETTING VALUE
              - {at: 2s, do: set log-sink pipe:64KiB/s}
              - {at: 4s, do: restart memcached}
            expect:
              - lookups.errors.EADDRINUSE > 0
              - dials.ok <= portsCapacity * 2

        # expect: sums and products of numbers, sizes (512MiB) and names, compared by == != < <= > >=, or
        # A within 1% of B. What was not measured fails its claim. Names: \(Measures.ofPhases.map(\.name).joined(separator: ", ")),
        # lookups.errors.NAME, and for each caller \(Measures.ofClients.map { "clients.NAME.\($0.name)" }.joined(separator: ", ")).

        """
}
