internal import CConnectHook
package import POSIX
package import Units

/// Which source and destination address a dial uses. The setting `dialer`.
package enum Dialer: Sendable, Hashable, CustomStringConvertible {
    /// No bind: the kernel chooses address and port in connect().
    case kernel
    /// Always this source address; the port comes from bind(address, 0). The incident's dialer.
    case bind(IPv4Address)
    /// A source address drawn from all of 127.0.0.0/8 for each dial. The incident's band-aid.
    ///
    /// The incident's own address is left out: one draw in 16.7 million would find all its ports in TIME_WAIT.
    case rotate
    /// A destination address drawn from all of 127.0.0.0/8 for each dial; memcached must listen on 0.0.0.0.
    case rotateDestination

    /// Descriptors of the last that a process may open which no dial takes, whichever it is.
    package static let keptDescriptors = Int(DIAL_RESERVED_DESCRIPTORS)

    /// The address the incident's log line shows.
    private static let incidentAddress = IPv4Address(value: 0x7f20_0001)
    package static let incident = Dialer.bind(incidentAddress)

    /// - Throws: ``UnitTextError`` listing the accepted forms.
    package init(text: String) throws(UnitTextError) {
        switch text {
        case "kernel": self = .kernel
        case "rotate": self = .rotate
        case "rotate-destination": self = .rotateDestination
        default:
            guard text.hasPrefix("bind:"), let address = IPv4Address(text: String(text.dropFirst(5))) else {
                throw UnitTextError(
                    text: text,
                    expected: "a dialer: use kernel, bind:IP (as in bind:127.32.0.1), rotate or rotate-destination"
                )
            }
            self = .bind(address)
        }
    }

    package var description: String {
        switch self {
        case .kernel: "kernel"
        case .bind(let address): "bind:\(address)"
        case .rotate: "rotate"
        case .rotateDestination: "rotate-destination"
        }
    }

    /// The kind of dialer, without its address.
    package var name: String {
        switch self {
        case .kernel: "kernel"
        case .bind: "bind"
        case .rotate: "rotate"
        case .rotateDestination: "rotate-destination"
        }
    }

    /// The source and destination of the next dial; nil leaves them as they are.
    /// - Parameter generator: draws addresses; the system's would be one system call a dial.
    package func nextRoute(using generator: inout SplitMix64) -> (source: IPv4Address?, destination: IPv4Address?) {
        switch self {
        case .kernel: (nil, nil)
        case .bind(let address): (address, nil)
        case .rotate: (.randomLoopback(except: Self.incidentAddress, using: &generator), nil)
        case .rotateDestination: (nil, .randomLoopback(using: &generator))
        }
    }
}
