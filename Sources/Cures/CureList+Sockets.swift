extension Cure {
    /// What the dialled sockets are told, and what close() does.
    static let socketOptions = [
        Cure(
            "reuse-address",
            "SO_REUSEADDR before bind()",
            why:
                "The first comment under every EADDRINUSE; it is about listening on a port in TIME_WAIT, and bind() to port 0 does not share ports by it.",
            cost: "None, and no effect.",
            source: "socket(7); Hochstein, surfingcomplexity.blog 2026-04-12",
            expected: .nothing
        ).setting(("reuse-address", "address")).failing("bind EADDRINUSE"),
        Cure(
            "reuse-port",
            "SO_REUSEPORT before bind()",
            why: "The second comment; it shares a port among listeners.",
            cost: "None, and no effect.",
            source: "socket(7)",
            expected: .nothing
        ).setting(("reuse-address", "port")).failing("bind EADDRINUSE"),
        Cure(
            "autobind-reuse",
            "ip_autobind_reuse=1",
            why: "Lets bind() to port 0 share ports between sockets that ask for it: alone, nobody asks.",
            cost: "For experts, says the kernel's documentation.",
            source: "Documentation/networking/ip-sysctl.rst (Linux 5.7)",
            expected: .nothing
        ).sysctl("net.ipv4.ip_autobind_reuse", "1").failing("bind EADDRINUSE"),
        Cure(
            "reuse-address-autobind-reuse",
            "SO_REUSEADDR and ip_autobind_reuse=1",
            why:
                "The one kernel setting by which bind() takes a port in TIME_WAIT again: who dials one connection after the other is cured by it.",
            cost:
                "Other programs' dials still fail; of connections open at once two get one port, and connect() fails.",
            source: "Documentation/networking/ip-sysctl.rst (Linux 5.7)",
            expected: .nothing
        ).setting(("reuse-address", "address")).sysctl("net.ipv4.ip_autobind_reuse", "1")
            .failing("connect EADDRNOTAVAIL").oneByOne(.helps, failing: "connect EADDRNOTAVAIL"),
        Cure(
            "reuse-port-autobind-reuse",
            "SO_REUSEPORT and ip_autobind_reuse=1",
            why: "Said to be the same; the setting is about SO_REUSEADDR.",
            cost: "As above.",
            source: "Documentation/networking/ip-sysctl.rst (Linux 5.7)",
            expected: .nothing
        ).setting(("reuse-address", "port")).sysctl("net.ipv4.ip_autobind_reuse", "1").failing("bind EADDRINUSE"),
        Cure(
            "linger-rst",
            "SO_LINGER {1, 0}: close() resets",
            why: "A connection that is reset leaves no TIME_WAIT, so that its port is free at once.",
            cost:
                "What was not yet read is lost, memcached sees errors, and nothing keeps late segments out of the next connection.",
            source: "socket(7); libmemcached's NO_BLOCK does it unasked",
            expected: .helps
        ).setting(("linger", "rst")).failing("bind EADDRINUSE").oneByOne(.harms),
        Cure(
            "server-closes",
            "memcached closes first (quit, then wait for the end)",
            why:
                "Who closes first has the TIME_WAIT: memcached has it at port 11211, and the client's port is free at once.",
            cost:
                "One more round trip before a connection is closed, and memcached's end keeps the TIME_WAITs (memcached -o idle_timeout closes first too, but seconds later); ports of connections open at once still run out.",
            source: "RFC 9293 section 3.6; memcached's protocol.txt (quit); tcp_timewait_state_process() in Linux",
            expected: .helps
        ).setting(("close", "server")).failing("bind EADDRINUSE").oneByOne(.cures),
        Cure(
            "local-port-range",
            "IP_LOCAL_PORT_RANGE: half the range for this service",
            why: "The service keeps to ports of its own, and leaves the others to other programs.",
            cost: "It has half the ports.",
            source: "ip(7) (Linux 6.3); Cloudflare, How to stop running out of ephemeral ports (2022)",
            expected: .helps
        ).setting(("local-port-range", halfOfRange)).failing("bind EADDRINUSE"),
    ]

    /// Stands for the lower half of the namespace's ports.
    static let halfOfRange = "half"

    /// Other ways to memcached than TCP over IPv4.
    static let transports = [
        Cure(
            "unix-socket",
            "memcached on a unix socket",
            why: "A unix socket has no ports.",
            cost: "memcached has to be on the same machine, as the incident's was, and listens on no port then.",
            source: "memcached -s; twemproxy issue #77",
            expected: .cures
        ).route(.unixSocket),
        Cure(
            "ipv6",
            "memcached on ::1, no bind",
            why:
                "More addresses than anybody can count: but of loopback there is one, with as many ports as 127.0.0.1.",
            cost: "As with the kernel's choice over IPv4.",
            source: "the Hacker News thread (jandrese: another trillion ports)",
            expected: .helps
        ).route(.ipv6).failing("connect EADDRNOTAVAIL"),
        Cure(
            "ipv6-bind",
            "memcached on ::1, bound to ::1",
            why: "The incident over IPv6: bind() has as many ports for an address of either family.",
            cost: "As in the incident.",
            source: "the Hacker News thread (jandrese: another trillion ports)",
            expected: .nothing
        ).setting(("dialer", "bind:::1")).route(.ipv6).failing("bind EADDRINUSE"),
        Cure(
            "ipv6-rotate-source",
            "memcached on ::1, from a random address of a /64",
            why:
                "18 million million million source addresses, each with ports of its own: the band-aid without loopback's limits.",
            cost:
                "A local route for the prefix (AnyIP) and IPV6_FREEBIND or ip_nonlocal_bind; TIME_WAIT sockets without end.",
            source: "ipv6(7), ip-route(8); Documentation/networking/ip-sysctl.rst (ip_nonlocal_bind)",
            expected: .cures
        ).setting(("dialer", "rotate:fd00:5:91::/64")).route(.ipv6),
    ]

    /// What becomes of lookups that get no connection.
    static let pools = [
        Cure(
            "max-open",
            "a pool that blocks at 64 open connections",
            why: "What users of gomemcache ask for: lookups wait for a connection in place of dialling one.",
            cost:
                "Waiting is all the limit there is: small callers queue behind 20,000 lookups, and time out with them.",
            source: "gomemcache PR #64; rust-memcache PR #175; redis-py's BlockingConnectionPool",
            expected: .cures
        ).setting(("max-open", "64")).ofLookupsTogether().meantForManyPorts(),
        Cure(
            "retry",
            "one more attempt after a failed dial",
            why: "The port may be there a moment later.",
            cost: "Twice the dials when it is not: each costs a search of every port.",
            source: "what client libraries do by themselves",
            expected: .worse
        ).setting(("retries", "1")).failing("bind EADDRINUSE"),
        Cure(
            "retry-3",
            "three more attempts",
            why: "The same, three times.",
            cost: "Four times the dials.",
            source: "what client libraries do by themselves",
            expected: .worse
        ).setting(("retries", "3")).failing("bind EADDRINUSE"),
        Cure(
            "dedupe",
            "a URI that a batch has twice is looked up once",
            why:
                "Fewer lookups by as many as are asked for twice: in the incident's batches, as far as is known, none.",
            cost: "A table of each batch's URIs.",
            source: "singleflight, DataLoader",
            expected: .nothing
        ).setting(("dedupe", "true")).failing("bind EADDRINUSE"),
    ]
}
