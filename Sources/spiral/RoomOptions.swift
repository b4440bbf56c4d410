internal import ArgumentParser
internal import Commands
internal import Exec
internal import POSIX
internal import Units

/// Where `spiral exec` runs its program, and what it has there.
struct RoomOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Ephemeral ports it has, instead of the kernel's default.", valueName: "number"))
    var ports: String?

    @Option(help: ArgumentHelp("The same as a range, as in 40000-41023.", valueName: "lo-hi"))
    var portRange: String?

    @Option(
        help: ArgumentHelp(
            "A kernel setting of the namespace, as in net.ipv4.tcp_tw_reuse=0. May be repeated.",
            valueName: "name=value"
        )
    )
    var setSysctl: [String] = []

    @Option(help: ArgumentHelp("Descriptors it may have open.", valueName: "number"))
    var nofile: Int?

    @Option(
        help: ArgumentHelp(
            "Memory it may use with its children, as in 512MiB; it is killed above that.",
            valueName: "size"
        )
    )
    var memory: String?

    @Option(
        name: .customLong("with"),
        help: ArgumentHelp(
            "A shell line to start beside it first, as in 'memcached -u root'. May be repeated.",
            valueName: "line"
        )
    )
    var companions: [String] = []

    @Option(
        help: ArgumentHelp(
            "A port that must be listened on before the program is started. May be repeated.",
            valueName: "port"
        )
    )
    var ready: [UInt16] = []

    @Option(
        help: ArgumentHelp(
            "Lets the machine in: listens there, and leads to the port inside. May be repeated.",
            valueName: "[host:]port[:port]"
        )
    )
    var publish: [String] = []

    @Option(
        help: ArgumentHelp(
            "Lets the program out: a port of its loopback leads to a service outside, 127.0.0.1 with the same port if "
                + "not named. May be repeated.",
            valueName: "port[=host:port]"
        )
    )
    var link: [String] = []

    @Flag(help: "Use the machine's own network: its other programs lose their ports too.")
    var hostNetwork = false

    func validate() throws {
        _ = try network()
        _ = try run()
        guard ports == nil || portRange == nil else {
            throw ValidationError("--ports and --port-range are one setting; use one")
        }
        if hostNetwork, let name = given.first(where: { ["--ports", "--port-range", "--set-sysctl"].contains($0) }) {
            throw ValidationError("\(name) would change the machine's own network; leave out --host-network")
        }
        guard !hostNetwork || (publish.isEmpty && link.isEmpty) else {
            throw ValidationError("--publish and --link are for a network of its own; leave out --host-network")
        }
        guard Set(try published().map(\.outside)).count == publish.count else {
            throw ValidationError("--publish: a port of the machine is published twice")
        }
        guard Set(try links().map(\.insidePort)).count == link.count else {
            throw ValidationError("--link: a port of the room is linked twice")
        }
        guard !ready.contains(0) else { throw ValidationError("--ready: use a port from 1 to 65535") }
    }

    /// Options that were given.
    var given: [String] {
        [
            ("--ports", ports != nil), ("--port-range", portRange != nil), ("--set-sysctl", !setSysctl.isEmpty),
            ("--nofile", nofile != nil), ("--memory", memory != nil), ("--with", !companions.isEmpty),
            ("--ready", !ready.isEmpty), ("--publish", !publish.isEmpty), ("--link", !link.isEmpty),
            ("--host-network", hostNetwork),
        ].filter(\.1).map(\.0)
    }

    func network() throws -> Room.Options {
        var options = Room.Options()
        options.usesHostNetwork = hostNetwork
        if let ports { options.ports = try readOption("--ports", ports, as: PortRangeText.init(count:)) }
        if let portRange { options.ports = try readOption("--port-range", portRange, as: PortRangeText.init(range:)) }
        options.sysctls = try setSysctl.map { try readOption("--set-sysctl", $0, as: SysctlText.init(text:)) }
        return options
    }

    func published() throws -> [PublishText] {
        try publish.map { try readOption("--publish", $0, as: PublishText.init(text:)) }
    }

    func links() throws -> [LinkText] {
        try link.map { try readOption("--link", $0, as: LinkText.init(text:)) }
    }

    func run() throws -> CommandRun.Options {
        var options = CommandRun.Options()
        if let nofile {
            guard nofile >= 3 else { throw ValidationError("--nofile: use a number of 3 or more") }
            options.descriptors = DescriptorLimit(soft: nofile, hard: nofile)
        }
        options.memory = try memory.map { try readOption("--memory", $0, as: ByteCount.init(text:)) }
        guard options.memory.map({ $0.bytes >= 1 << 20 }) ?? true else {
            throw ValidationError("--memory: use 1MiB or more")
        }
        options.companions = companions
        options.ready = ready
        return options
    }
}
