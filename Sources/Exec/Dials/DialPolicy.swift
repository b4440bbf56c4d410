package import Memcached
internal import POSIX
package import Units

/// What is done to the dials of a program that knows nothing of it. Can be changed while it runs.
package struct DialPolicy: Sendable {
    /// `kernel` leaves them as they are.
    package var dialer = Dialer.kernel
    /// The port of a bound address is chosen by connect(): IP_BIND_ADDRESS_NO_PORT in ip(7).
    package var lateBind = false
    /// Ports a dial may get, of those there are: IP_LOCAL_PORT_RANGE in ip(7), since Linux 6.3.
    package var localPorts: PortRangeText?
    /// Dials in progress at once; further ones wait. Nil for any number.
    package var maxDialling: Int?
    package var faults: [InjectedFault] = []

    package init() {}

    /// The settings by name, as options and the control socket have them.
    package static let names = ["dialer", "late-bind", "local-port-range", "max-dialling", "fail"]

    /// Changes a setting. `none` takes local-port-range, max-dialling and fail back.
    /// - Throws: ``UnitTextError`` naming the accepted form.
    package mutating func set(_ name: String, to text: String) throws(UnitTextError) {
        switch name {
        case "dialer":
            let dialer = try Dialer(text: text)
            guard dialer.family != .ipv6 else {
                throw UnitTextError(text: text, expected: "a dialer of other programs, which has IPv4 addresses only")
            }
            self.dialer = dialer
        case "late-bind":
            guard text == "true" || text == "false" else {
                throw UnitTextError(text: text, expected: "a switch: use true or false")
            }
            lateBind = text == "true"
        case "local-port-range": localPorts = text == "none" ? nil : try PortRangeText(range: text)
        case "max-dialling":
            let number = plainNumber(text[...])
            guard text == "none" || (number ?? 0) > 0 else {
                throw UnitTextError(text: text, expected: "a number of dials: use 1 or more, or none")
            }
            maxDialling = number
        case "fail":
            faults = []
            if text != "none" {
                for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                    faults.append(try InjectedFault(text: String(part)))
                }
            }
        default:
            throw UnitTextError(text: name, expected: "a setting: there are \(Self.names.joined(separator: ", "))")
        }
    }

    /// What becomes of one dial.
    struct Route: Equatable {
        /// To bind first.
        var source: IPv4Address?
        /// To connect to instead.
        var destination: IPv4Address?
        /// Whether the dialer has something to say about such a dial.
        var isApplied = true
    }

    /// The route of a dial to `destination`.
    ///
    /// A loopback source reaches loopback destinations only, and rotation has addresses on loopback only: other dials
    /// are left as they are, and those of IPv6, whose loopback is a single address.
    /// - Parameter local: what the socket is bound to, which cannot be undone; a program's bind() has been given an
    ///   address of the dialer's then, where it would take one: ``replacement(forBindTo:reusesAddress:using:)``.
    func route(to destination: IPEndpoint, from local: IPEndpoint, using generator: inout SplitMix64) -> Route {
        let isBound = local.port != 0 || !local.address.isWildcard
        guard let address = destination.address.ipv4 else { return Route(isApplied: dialer == .kernel) }
        switch dialer {
        case .kernel: return Route()
        case .bind(let source):
            guard address.isLoopback || !source.isLoopback else { return Route(isApplied: false) }
            return isBound ? Route(isApplied: local.address == source) : Route(source: source.ipv4)
        case .rotate:
            guard address.isLoopback else { return Route(isApplied: false) }
            if isBound { return Route(isApplied: local.address.isLoopback && local.address.ipv4 != .loopback) }
            return Route(source: dialer.nextRoute(using: &generator).source?.ipv4)
        case .rotateWithin(let prefix):
            guard address.isLoopback || !prefix.first.isLoopback else { return Route(isApplied: false) }
            if isBound { return Route(isApplied: prefix.contains(local.address)) }
            return Route(source: dialer.nextRoute(using: &generator).source?.ipv4)
        case .rotateDestination:
            guard address.isLoopback else { return Route(isApplied: false) }
            return Route(destination: dialer.nextRoute(using: &generator).destination)
        }
    }

    /// The address a program's own bind() to port 0 gets instead of the one it asked for; nil leaves it.
    ///
    /// A socket with SO_REUSEADDR is one to listen on, nearly always.
    /// - Parameter address: what it asked for; only IPv4 is replaced.
    func replacement(forBindTo address: IPEndpoint, reusesAddress: Bool, using generator: inout SplitMix64)
        -> IPv4Address?
    {
        guard let asked = address.address.ipv4, address.port == 0, !reusesAddress else { return nil }
        switch dialer {
        case .kernel, .rotateDestination: return nil
        case .bind(let source): return source.isLoopback && !asked.isLoopback && asked.value != 0 ? nil : source.ipv4
        case .rotate:
            return asked.isLoopback || asked.value == 0 ? dialer.nextRoute(using: &generator).source?.ipv4 : nil
        case .rotateWithin(let prefix):
            if prefix.first.isLoopback, !asked.isLoopback, asked.value != 0 { return nil }
            return dialer.nextRoute(using: &generator).source?.ipv4
        }
    }

    /// The errno to fail a call with; nil to let it be. Each fault of the call is drawn for by itself.
    func fault(of call: InterceptedCall, using generator: inout SplitMix64) -> CInt? {
        for fault in faults where fault.call == call {
            if Double.random(in: 0..<1, using: &generator) < fault.share { return fault.errno }
        }
        return nil
    }
}

/// The calls that are handed over, by the names that results have for them.
package enum InterceptedCall: String, Sendable, Hashable {
    case bind, connect
}

/// A share of calls that fail as asked, written `connect:ECONNREFUSED@5%`.
package struct InjectedFault: Sendable, Equatable {
    package let call: InterceptedCall
    package let errno: CInt
    /// 0 to 1.
    package let share: Double

    /// - Throws: ``UnitTextError`` naming the accepted form.
    package init(text: String) throws(UnitTextError) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let names = parts[0].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, names.count == 2, let call = InterceptedCall(rawValue: String(names[0])),
            let errno = Self.errno(named: String(names[1])), let share = Self.share(parts[1])
        else {
            throw UnitTextError(
                text: text,
                expected:
                    "a fault: write it as connect:ECONNREFUSED@5%, with connect or bind, an errno and a share up to 100%"
            )
        }
        self.call = call
        self.errno = errno
        self.share = share
    }

    /// The number of a symbolic name, as in `ECONNREFUSED`; nil for none.
    static func errno(named name: String) -> CInt? {
        name.hasPrefix("E") ? (1..<134).first { SystemCallError.name(of: $0) == name } : nil
    }

    private static func share(_ text: Substring) -> Double? {
        guard text.hasSuffix("%"), text.dropLast().allSatisfy({ ("0"..."9").contains($0) || $0 == "." }),
            let percent = Double(text.dropLast()), percent > 0, percent <= 100
        else { return nil }
        return percent / 100
    }
}
