package import KernelProbe
package import PostRecords

/// One change that somebody proposes against the outage, and what is known about it.
package struct Cure: Sendable {
    /// How the server reaches memcached.
    package enum Route: Sendable, Equatable {
        /// One address, 127.0.0.1:11211.
        case oneAddress
        /// So many addresses of one memcached, which listens on all of them.
        case addresses(Int)
        /// A unix socket in the run's folder.
        case unixSocket
        /// ::1
        case ipv6
        /// Through a twemproxy on the same machine, over TCP.
        case proxy
        /// The same, over a unix socket.
        case proxyOnUnixSocket
    }

    /// The ephemeral ports beside those of the incident.
    package enum Ports: Sendable, Equatable {
        case unchanged
        case doubled
        /// 1024 to 65535: 64,512 where a default kernel has 28,232.
        case all
    }

    /// A kernel setting, written in the cure's network namespace only.
    package struct Sysctl: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// As in `--only`.
    package var name: String
    /// The change itself, in a few words.
    package var title: String
    /// Why it is proposed, or what it does: one sentence.
    package var why: String
    /// What it takes in return: one sentence.
    package var cost: String
    /// Where it is proposed, or documented.
    package var source: String
    /// Settings of the server beside those of the incident.
    package var settings: [(name: String, value: String)] = []
    package var sysctls: [Sysctl] = []
    package var ports = Ports.unchanged
    package var route = Route.oneAddress
    /// What it comes to on kernels that are known.
    package var expected: CureVerdict
    /// The dial error met most, as in `bind EADDRINUSE`, on kernels that are known; nil for none.
    package var expectedError: String?
    /// The same where the lookups of a batch go one after the other; nil for no difference.
    package var expectedOneByOne: (verdict: CureVerdict, error: String?)?
    /// The fewest ports for which that is expected: those to which its own numbers are small.
    var leastPorts = 0
    /// Whether it is about lookups that go together, and says nothing where they do not.
    package var isOfLookupsTogether = false

    package init(_ name: String, _ title: String, why: String, cost: String, source: String, expected: CureVerdict) {
        self.name = name
        self.title = title
        self.why = why
        self.cost = cost
        self.source = source
        self.expected = expected
    }

    /// What it comes to on kernels that are known.
    func expectation(oneByOne: Bool) -> (verdict: CureVerdict, error: String?) {
        oneByOne ? expectedOneByOne ?? (expected, expectedError) : (expected, expectedError)
    }

    /// The settings, each of which the server takes.
    /// - Parameter range: the namespace's ports.
    /// - Throws: ``Settings/Problem``
    package func changes(range: PortRange) throws(Settings.Problem) -> [SettingChange] {
        let half = "\(range.lowestPort)-\((range.lowestPort + range.highestPort) / 2)"
        var changes: [SettingChange] = []
        for setting in settings {
            let value = setting.value == Self.halfOfRange ? half : setting.value
            changes.append(try SettingChange(setting.name, value))
        }
        return changes
    }
}

extension Cure {
    /// The same with settings of the server.
    func setting(_ settings: (name: String, value: String)...) -> Cure {
        var cure = self
        cure.settings += settings
        return cure
    }

    /// The same with a kernel setting.
    func sysctl(_ name: String, _ value: String) -> Cure {
        var cure = self
        cure.sysctls.append(Sysctl(name, value))
        return cure
    }

    func ports(_ ports: Ports) -> Cure {
        var cure = self
        cure.ports = ports
        return cure
    }

    func route(_ route: Route) -> Cure {
        var cure = self
        cure.route = route
        return cure
    }

    /// The same with what it comes to where the lookups of a batch go one after the other.
    func oneByOne(_ verdict: CureVerdict, failing error: String? = nil) -> Cure {
        var cure = self
        cure.expectedOneByOne = (verdict, error)
        return cure
    }

    /// The same, with numbers of its own that are meant for many ports.
    func meantForManyPorts() -> Cure {
        var cure = self
        cure.leastPorts = 512
        return cure
    }

    /// The same, for lookups that go together.
    func ofLookupsTogether() -> Cure {
        var cure = self
        cure.isOfLookupsTogether = true
        return cure
    }

    /// The same with the dial error that is expected.
    func failing(_ error: String) -> Cure {
        var cure = self
        cure.expectedError = error
        return cure
    }
}
