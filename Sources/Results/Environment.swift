package import Text

/// What a run ran on.
package struct Environment: Codable, Sendable {
    /// Whose ports a run takes.
    package enum Network: String, Sendable, Codable {
        /// A namespace of the run's own; everything in it ends with the run.
        case namespace
        /// The machine's own network; nothing about it is changed.
        case host
    }

    package var kernel: String
    package var cores: Int
    package var memcached: String
    package var libmemcached: String
    package var network: Network
    package var portRange: [Int]
    package var tcpTwReuse: String
    /// Kernel settings beside it; nil where this kernel has none, or in results of before.
    package var portSettings: PortSettings?
    /// Kernel settings made for the run, by name, as the kernel has them; nil where none were.
    package var sysctls: [String: String]?
    package var nofile: Int
    package var seed: UInt64
    package var clients: [String]
    /// How the server's memory is bounded; nil where it is not.
    package var memoryLimit: String?
    /// Threads of the server that issue and collect lookups; nil when no server said so.
    @ExplicitNull package var lanes: Int?
    package var spiral: String
    package var arguments: [String]
    /// When it was played: date and time in UTC.
    package var date: String

    package init(
        kernel: String,
        cores: Int,
        memcached: String,
        libmemcached: String,
        network: Network,
        portRange: [Int],
        tcpTwReuse: String,
        nofile: Int,
        seed: UInt64,
        clients: [String],
        memoryLimit: String? = nil,
        lanes: Int? = nil,
        spiral: String,
        arguments: [String],
        date: String
    ) {
        self.kernel = kernel
        self.cores = cores
        self.memcached = memcached
        self.libmemcached = libmemcached
        self.network = network
        self.portRange = portRange
        self.tcpTwReuse = tcpTwReuse
        self.nofile = nofile
        self.seed = seed
        self.clients = clients
        self.memoryLimit = memoryLimit
        self.lanes = lanes
        self.spiral = spiral
        self.arguments = arguments
        self.date = date
    }

    /// What else a network namespace has set about ports and TIME_WAIT.
    package struct PortSettings: Codable, Sendable, Equatable {
        /// net.ipv4.ip_local_reserved_ports, as the kernel writes it.
        package var reservedPorts: String
        package var twReuseDelayMs: Int?
        package var maxTwBuckets: Int?
        package var autobindReuse: Bool?

        package init(reservedPorts: String, twReuseDelayMs: Int?, maxTwBuckets: Int?, autobindReuse: Bool?) {
            self.reservedPorts = reservedPorts
            self.twReuseDelayMs = twReuseDelayMs
            self.maxTwBuckets = maxTwBuckets
            self.autobindReuse = autobindReuse
        }
    }
}

extension Environment {
    /// What of it no machine has, in words; nil where there is nothing.
    package var problem: String? {
        let isRange = portRange.count == 2 && portRange[0] <= portRange[1]
        return isRange && portRange.allSatisfy((0...65_535).contains) || portRange.isEmpty
            ? nil : "its portRange is none"
    }
}
