internal import POSIX

/// Where a network namespace listens: a socket at such an address and port was accepted there, and took no
/// ephemeral port.
struct Listeners: Equatable {
    private var endpoints: Set<IPEndpoint> = []
    private(set) var ports = PortSet()

    /// - Parameter socket: one that listens.
    mutating func add(_ socket: ListedSocket) {
        ports.insert(socket.local.port)
        endpoints.insert(socket.local)
        // Unless it says otherwise, `::` takes IPv4's connections as well. IPV6_V6ONLY in ipv6(7)
        if socket.isIPv6Socket, socket.local.address.isWildcard, !socket.isIPv6Only {
            endpoints.insert(IPEndpoint(.anyIPv4, port: socket.local.port))
        }
    }

    func accept(at local: IPEndpoint) -> Bool {
        guard ports.contains(local.port) else { return false }
        let wildcard: IPAddress = local.address.family == .ipv4 ? .anyIPv4 : .anyIPv6
        return endpoints.contains(local) || endpoints.contains(IPEndpoint(wildcard, port: local.port))
    }
}

extension IPAddress {
    static let anyIPv4 = IPAddress(IPv4Address(value: 0))
    static let anyIPv6 = IPAddress(high: 0, low: 0)
}
