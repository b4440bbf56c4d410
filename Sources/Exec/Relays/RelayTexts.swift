package import POSIX
package import Units

/// A port of the machine that leads to one of the room, written `[HOST:]PORT[:PORT]`: an address to listen on, its
/// port, and the port inside where that differs.
package struct PublishText: Sendable, Equatable {
    package let outside: SocketAddress
    package let insidePort: UInt16

    /// - Throws: ``UnitTextError`` naming the accepted form.
    package init(text: String) throws(UnitTextError) {
        let form = UnitTextError(
            text: text,
            expected: "a port to publish: write it as 8080, 8080:80 (80 inside) or 127.0.0.1:8080:80"
        )
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var address = IPv4Address.loopback
        if let first = parts.first, first.contains(".") || first == "localhost" {
            guard let named = first == "localhost" ? .loopback : IPv4Address(text: String(first)) else { throw form }
            address = named
            parts.removeFirst()
        }
        let ports = parts.map { portNumber($0) }
        guard (1...2).contains(ports.count), let outside = ports[0], let inside = ports[ports.count - 1] else {
            throw form
        }
        self.outside = .ipv4(address, port: outside)
        insidePort = inside
    }
}

/// A port of the room that leads to a service outside, written `PORT[=HOST:PORT]`.
package struct LinkText: Sendable, Equatable {
    package let insidePort: UInt16
    package let outside: SocketAddress

    /// - Throws: ``UnitTextError`` naming the accepted form.
    package init(text: String) throws(UnitTextError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let inside = portNumber(parts[0]),
            let outside = parts.count == 1 ? .ipv4(.loopback, port: inside) : SocketAddress(text: String(parts[1])),
            case .ipv4(_, 1...) = outside
        else {
            throw UnitTextError(
                text: text,
                expected: "a port to link: write it as 5432, or 5432=10.0.0.7:5433 with a dotted address"
            )
        }
        insidePort = inside
        self.outside = outside
    }
}

/// 1 to 65535 in decimal digits, nil for anything else.
private func portNumber(_ text: Substring) -> UInt16? {
    plainNumber(text).flatMap { UInt16(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
}
