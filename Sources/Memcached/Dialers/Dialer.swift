internal import CConnectHook
package import POSIX
package import Units

/// Which source and destination address a dial uses. The setting `dialer`.
package enum Dialer: Sendable, Hashable, CustomStringConvertible {
    /// No bind: the kernel chooses address and port in connect().
    case kernel
    /// Always this source address; the port comes from bind(address, 0). The incident's dialer.
    case bind(IPAddress)
    /// A source address drawn from all of 127.0.0.0/8 for each dial. The incident's band-aid.
    ///
    /// The incident's own address is left out: one draw in 16.7 million would find all its ports in TIME_WAIT.
    case rotate
    /// A source address drawn from a prefix for each dial, each as likely. The prefix has to be this machine's own.
    case rotateWithin(AddressPrefix)
    /// A destination address drawn from all of 127.0.0.0/8 for each dial; memcached must listen on 0.0.0.0.
    case rotateDestination

    /// Descriptors of the last that a process may open which no dial takes, whichever it is.
    package static let keptDescriptors = Int(DIAL_RESERVED_DESCRIPTORS)

    /// The address the incident's log line shows.
    private static let incidentAddress = IPv4Address(value: 0x7f20_0001)
    package static let incident = Dialer.bind(IPAddress(incidentAddress))

    /// - Throws: ``UnitTextError`` listing the accepted forms.
    package init(text: String) throws(UnitTextError) {
        switch text {
        case "kernel": self = .kernel
        case "rotate": self = .rotate
        case "rotate-destination": self = .rotateDestination
        default:
            if text.hasPrefix("bind:"), let address = IPAddress(text: String(text.dropFirst(5))), address.canBeSource {
                self = .bind(address)
            } else if text.hasPrefix("rotate:"), let prefix = AddressPrefix(text: String(text.dropFirst(7))),
                prefix.first.canBeSource
            {
                self = .rotateWithin(prefix)
            } else {
                throw UnitTextError(text: text, expected: Self.expectation(text))
            }
        }
    }

    private static func expectation(_ text: String) -> String {
        if text.hasPrefix("rotate:") {
            return
                "a prefix of addresses to dial from: write rotate:127.5.0.0/16 (/8 to /30) or rotate:fd00:5::/64 (/16 to /126), "
                + "without bits beyond it, and an IPv6 address in its shortest form"
        }
        return
            "a dialer: use kernel, bind:IP (as in bind:127.32.0.1), rotate, rotate:PREFIX (as in rotate:fd00:5::/64) "
            + "or rotate-destination"
    }

    package var description: String {
        switch self {
        case .kernel: "kernel"
        case .bind(let address): "bind:\(address)"
        case .rotate: "rotate"
        case .rotateWithin(let prefix): "rotate:\(prefix)"
        case .rotateDestination: "rotate-destination"
        }
    }

    /// The kind of dialer, without its addresses.
    package var name: String {
        switch self {
        case .kernel: "kernel"
        case .bind: "bind"
        case .rotate, .rotateWithin: "rotate"
        case .rotateDestination: "rotate-destination"
        }
    }

    /// Whether it binds an address before it dials.
    package var bindsAnAddress: Bool { sources != nil }

    /// How many source addresses it has; nil for those of the kernel's choice.
    package var sources: Int? {
        switch self {
        case .kernel, .rotateDestination: nil
        case .bind: 1
        case .rotate: IPv4Address.usableLoopback.count - 1
        case .rotateWithin(let prefix): prefix.hosts
        }
    }

    /// The family of its addresses; nil where it has none.
    package var family: IPAddress.Family? {
        switch self {
        case .kernel: nil
        case .bind(let address): address.family
        case .rotate, .rotateDestination: .ipv4
        case .rotateWithin(let prefix): prefix.family
        }
    }

    /// Whether it has a say in dials to an address; others are left to the kernel.
    package func hasAddresses(towards address: SocketAddress) -> Bool {
        switch address {
        case .ipv4: family != .ipv6
        case .ipv6: family == .ipv6
        case .unix: false
        }
    }

    /// An address that it may bind and that this machine has only where that was arranged for; nil where there is no such.
    package var sourceToArrange: IPAddress? {
        switch self {
        case .bind(let address) where address.family == .ipv6: address
        case .rotateWithin(let prefix):
            IPAddress(high: prefix.first.high, low: prefix.first.low | 1)
        case .kernel, .bind, .rotate, .rotateDestination: nil
        }
    }

    /// The source and destination of the next dial; nil leaves them as they are.
    /// - Parameter generator: draws addresses; the system's would be one system call a dial.
    package func nextRoute(using generator: inout SplitMix64) -> (source: IPAddress?, destination: IPv4Address?) {
        switch self {
        case .kernel: (nil, nil)
        case .bind(let address): (address, nil)
        case .rotate: (IPAddress(.randomLoopback(except: Self.incidentAddress, using: &generator)), nil)
        case .rotateWithin(let prefix): (prefix.randomHost(using: &generator), nil)
        case .rotateDestination: (nil, .randomLoopback(using: &generator))
        }
    }
}
