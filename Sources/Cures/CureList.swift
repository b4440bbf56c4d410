extension Cure {
    /// The incident as it was, which all others are compared with.
    package static let incidentName = "nothing"

    /// Every cure, the incident first.
    package static let all: [Cure] =
        [incident] + dialling + socketOptions + transports + kernelSettings + pools
        + ofTheService.map { $0.ofLookupsTogether() }

    private static let incident = Cure(
        incidentName,
        "the incident",
        why: "Every lookup dials from 127.32.0.1, and no limit holds them back.",
        cost: "The outage.",
        source: "Bluesky's post-mortem of April 2026",
        expected: .nothing
    ).failing("bind EADDRINUSE")

    /// Changes of how the service dials.
    private static let dialling = [
        Cure(
            "rotate-source",
            "dial from a random address of 127.0.0.0/8",
            why: "Every source address has ports of its own: this was the band-aid.",
            cost: "TIME_WAIT sockets without end, memory for each, and only loopback has so many addresses.",
            source: "Bluesky's post-mortem; freckle.com 2016; nginx proxy_bind with split_clients (F5)",
            expected: .cures
        ).setting(("dialer", "rotate")),
        Cure(
            "rotate-destination",
            "dial to a random address of 127.0.0.0/8, without bind",
            why: "The port only has to be new for each pair of source and destination.",
            cost: "memcached has to listen on all of them, and firewalls and metrics see many servers.",
            source: "the other half of the 4-tuple: Cloudflare, How to stop running out of ephemeral ports (2022)",
            expected: .cures
        ).setting(("dialer", "rotate-destination")),
        Cure(
            "kernel-dialer",
            "leave the source address to the kernel (no bind)",
            why:
                "connect() chooses the port, and with tcp_tw_reuse=2 takes one in TIME_WAIT again after a second on loopback.",
            cost:
                "Ports of connections still open do not come back: above ports / tcp_tw_reuse_delay it runs out all the same.",
            source: "golang/go net.Dialer without LocalAddr; Documentation/networking/ip-sysctl.rst",
            expected: .helps
        ).setting(("dialer", "kernel")).failing("connect EADDRNOTAVAIL"),
        Cure(
            "kernel-dialer-tw-reuse-0",
            "no bind, and tcp_tw_reuse=0",
            why: "Shows what the reuse of TIME_WAIT ports is worth: without it a port comes back after 60 s.",
            cost: "Other programs find no port towards memcached.",
            source: "Documentation/networking/ip-sysctl.rst",
            expected: .nothing
        ).setting(("dialer", "kernel")).sysctl("net.ipv4.tcp_tw_reuse", "0").failing("connect EADDRNOTAVAIL"),
        Cure(
            "late-bind",
            "IP_BIND_ADDRESS_NO_PORT before bind()",
            why:
                "The port is chosen by connect(), when the destination is known, so that other programs are not harmed.",
            cost: "With one destination there are as many ports as before.",
            source: "ip(7); php PR #8412; netty PR #14196; Envoy PR #38288",
            expected: .helps
        ).setting(("late-bind", "true")).failing("connect EADDRNOTAVAIL"),
        Cure(
            "late-bind-destinations",
            "IP_BIND_ADDRESS_NO_PORT and sixteen memcached addresses",
            why:
                "With the port chosen late, every destination address has all ports; with bind() alone they share one set.",
            cost: "As many memcached addresses as the load needs.",
            source: "Envoy issue #44747, PR #45916",
            expected: .cures
        ).setting(("late-bind", "true")).route(.addresses(16)),
        Cure(
            "destinations",
            "sixteen memcached addresses, bind() as it was",
            why: "More servers, so more ports: but bind() takes the port for its address whatever the destination.",
            cost: "Sixteen memcached addresses, for nothing.",
            source: "Envoy issue #44747",
            expected: .nothing
        ).route(.addresses(16)).failing("bind EADDRINUSE"),
        Cure(
            "proxy",
            "twemproxy on the same machine, over TCP",
            why:
                "The proxy needs few connections to memcached: but the service dials the proxy as it dialled memcached.",
            cost: "One more process and one more hop, for nothing.",
            source: "twemproxy issue #77",
            expected: .nothing
        ).route(.proxy).failing("bind EADDRINUSE"),
        Cure(
            "proxy-unix",
            "twemproxy on the same machine, over a unix socket",
            why: "A unix socket has no ports, and the proxy keeps its few connections to memcached open.",
            cost: "One more process and one more hop, with its own timeouts and its own failures.",
            source: "twemproxy issue #77",
            expected: .cures
        ).route(.proxyOnUnixSocket),
    ]

    /// Changes of the kernel's settings.
    private static let kernelSettings = [
        Cure(
            "tw-reuse-0",
            "tcp_tw_reuse=0",
            why: "Proposed to be safe; bind() asks nobody whether a TIME_WAIT may be reused.",
            cost: "Other programs wait 60 s for their ports.",
            source: "Documentation/networking/ip-sysctl.rst",
            expected: .nothing
        ).sysctl("net.ipv4.tcp_tw_reuse", "0").failing("bind EADDRINUSE"),
        Cure(
            "tw-reuse-1",
            "tcp_tw_reuse=1",
            why:
                "The first answer of every forum; it holds for connect(), and the incident's port is chosen by bind().",
            cost: "None here.",
            source: "grafana/k6 issue #826; freckle.com 2016; redis issue #5043",
            expected: .nothing
        ).sysctl("net.ipv4.tcp_tw_reuse", "1").failing("bind EADDRINUSE"),
        Cure(
            "tw-reuse-2",
            "tcp_tw_reuse=2 (the default)",
            why: "Reuse on loopback only, since Linux 4.19: for connect(), not for bind().",
            cost: "None.",
            source: "Documentation/networking/ip-sysctl.rst",
            expected: .nothing
        ).sysctl("net.ipv4.tcp_tw_reuse", "2").failing("bind EADDRINUSE"),
        Cure(
            "tw-reuse-delay",
            "tcp_tw_reuse_delay=1",
            why: "A port in TIME_WAIT may be taken again after 1 ms in place of 1 s: by connect().",
            cost:
                "Lower than the other end's timestamps tick, a late segment may be taken for one of the new connection.",
            source: "Documentation/networking/ip-sysctl.rst (Linux 6.14)",
            expected: .nothing
        ).sysctl("net.ipv4.tcp_tw_reuse_delay", "1").failing("bind EADDRINUSE"),
        Cure(
            "kernel-dialer-tw-reuse-delay",
            "no bind, and tcp_tw_reuse_delay=1",
            why: "Where connect() chooses, a closed connection's port is free again at once.",
            cost: "As above; ports of connections that are open at the same time still run out.",
            source: "Documentation/networking/ip-sysctl.rst (Linux 6.14)",
            expected: .helps
        ).setting(("dialer", "kernel")).sysctl("net.ipv4.tcp_tw_reuse_delay", "1").failing("connect EADDRNOTAVAIL")
            .oneByOne(.cures),
        Cure(
            "fin-timeout",
            "tcp_fin_timeout=5",
            why: "Folklore: it is how long FIN_WAIT_2 lasts; TIME_WAIT is a constant of 60 s.",
            cost: "None, and no effect.",
            source: "Documentation/networking/ip-sysctl.rst; TCP_TIMEWAIT_LEN in include/net/tcp.h",
            expected: .nothing
        ).sysctl("net.ipv4.tcp_fin_timeout", "5").failing("bind EADDRINUSE"),
        Cure(
            "range-doubled",
            "twice the ports in ip_local_port_range",
            why: "Twice the ports last twice as long.",
            cost: "Twice the ports to search when it is full, and the outage a moment later.",
            source: "the first thing most runbooks say",
            expected: .helps
        ).ports(.doubled).failing("bind EADDRINUSE"),
        Cure(
            "range-all",
            "ip_local_port_range 1024-65535",
            why: "All there is: 64,512 ports where a default kernel has 28,232.",
            cost: "Services that start later find their port taken by a client, unless it is reserved.",
            source: "the Hacker News thread (jandrese: all 65k of them)",
            expected: .helps
        ).ports(.all).failing("bind EADDRINUSE"),
        Cure(
            "tw-buckets",
            "tcp_max_tw_buckets=64",
            why: "Connections beyond 64 TIME_WAITs close without one, and their ports are free at once.",
            cost:
                "Wrong: nothing keeps a late segment out of the next connection on that port, whichever program opens it.",
            source: "Documentation/networking/ip-sysctl.rst: must not be lowered",
            expected: .helps
        ).sysctl("net.ipv4.tcp_max_tw_buckets", "64").failing("bind EADDRINUSE").oneByOne(.harms),
    ]

    /// Changes of what the service does.
    private static let ofTheService = [
        Cure(
            "max-idle",
            "128 idle connections in place of 2",
            why: "Connections that are kept need no dial: but a batch in flight at once needs one for each lookup.",
            cost: "126 more connections to each memcached.",
            source: "gomemcache issue #90; Grafana Tempo PR #7671; cortex #1109",
            expected: .nothing
        ).setting(("max-idle", "128")).failing("bind EADDRINUSE").meantForManyPorts(),
        Cure(
            "max-batch",
            "batches of more than 1,000 URIs refused",
            why: "Who asks for 20,000 at once is told so at the door, and all others are served.",
            cost: "The heavy caller gets nothing until it asks for less.",
            source: "the Hacker News thread (LoganDark: not sending 15-20 thousand URIs at a time)",
            expected: .helps
        ).setting(("max-batch", "1000")).meantForManyPorts(),
        Cure(
            "limit",
            "64 lookups of a batch at once, 2 idle connections",
            why: "The limit that was missing: each batch dials some 64 times and no more.",
            cost:
                "Those connections are dialled again for each batch, so that ports still run out when batches come often.",
            source: "Bluesky's post-mortem (errgroup.SetLimit); scenario limiter-cliff",
            expected: .cures
        ).setting(("limit", "request:64")).meantForManyPorts(),
        Cure(
            "limit-idle",
            "64 lookups of a batch at once, 64 idle connections",
            why: "As many connections kept as are used at once: after the first 64 nothing dials.",
            cost: "The heavy batch takes longer; 64 connections stay open.",
            source: "Bluesky's post-mortem (errgroup.SetLimit)",
            expected: .cures
        ).setting(("limit", "request:64"), ("max-idle", "64")),
        Cure(
            "process-limit",
            "64 lookups of the process at once, 64 idle connections",
            why: "One bound for all callers together, so that it holds however many batches come.",
            cost: "Small callers wait behind the heavy one's lookups.",
            source: "Netflix concurrency-limits; Go's semaphore.Weighted",
            expected: .cures
        ).setting(("limit", "process:64"), ("max-idle", "64")),
        Cure(
            "fair-limit",
            "64 lookups at once, shared fairly by caller, 64 idle connections",
            why: "One bound for all, and callers take turns: the small do not wait for the heavy.",
            cost: "Callers must be known by name.",
            source: "Kubernetes API priority and fairness",
            expected: .cures
        ).setting(("limit", "fair:64"), ("max-idle", "64")),
        Cure(
            "adaptive-limit",
            "an adaptive limit (aimd), 256 idle connections",
            why: "The bound is found from what the lookups take, and nobody has to choose it.",
            cost: "It has to find it again after each change, and at first it may be far off.",
            source: "Netflix concurrency-limits; Vector's ARC",
            expected: .cures
        ).setting(("limit", "aimd"), ("max-idle", "256")).meantForManyPorts(),
        Cure(
            "multiget",
            "500 keys in one get",
            why: "A batch is then a few requests on a few connections.",
            cost: "One slow or failed request holds up or loses 500 lookups.",
            source: "memcached's protocol.txt; gomemcache GetMulti",
            expected: .cures
        ).setting(("fanout", "multiget:500")),
    ]
}
