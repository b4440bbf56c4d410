internal import Glibc

/// An address of either family. An IPv4 address and its IPv4-mapped form (`::ffff:a.b.c.d`) are one and the same:
/// the kernel gives both their ports from one and the same range. ipv6(7), RFC 4291 section 2.5.5.2
package struct IPAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// An address family.
    package enum Family: String, Sendable, Codable, CaseIterable {
        case ipv4, ipv6
    }

    /// The sixteen octets in reading order, as two numbers.
    package let high: UInt64
    package let low: UInt64
    /// Index of the interface on which a link-local address is meant: each has such addresses of its own. 0 for any other
    /// address, and where it is not said. RFC 4007 section 6
    package let zone: UInt32

    package init(high: UInt64, low: UInt64, zone: UInt32 = 0) {
        self.high = high
        self.low = low
        self.zone = zone
    }

    package init(_ address: IPv4Address) {
        self.init(high: 0, low: Self.mappedPrefix << 32 | UInt64(address.value))
    }

    /// Reads dotted decimal or what inet_pton(3) takes for IPv6, with or without brackets; nil for anything else.
    package init?(text: String) {
        if let address = IPv4Address(text: text) {
            self.init(address)
            return
        }
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        var octets = in6_addr()
        guard bare.contains(":"), inet_pton(AF_INET6, bare, &octets) == 1 else { return nil }
        self.init(octets)
    }

    init(_ octets: in6_addr) {
        self = withUnsafeBytes(of: octets) { bytes in
            IPAddress(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// `::1`
    package static let ipv6Loopback = IPAddress(high: 0, low: 1)

    private static let mappedPrefix: UInt64 = 0xffff

    package var ipv4: IPv4Address? {
        high == 0 && low >> 32 == Self.mappedPrefix ? IPv4Address(value: UInt32(truncatingIfNeeded: low)) : nil
    }

    package var family: Family { ipv4 == nil ? .ipv6 : .ipv4 }

    package var isLoopback: Bool { ipv4?.isLoopback ?? (high == 0 && low == 1) }

    /// Whether it is an address of loopback that connect() does not choose by itself: any but 127.0.0.1 and ::1.
    package var isBoundLoopback: Bool { isLoopback && ipv4.map { $0 != .loopback } ?? false }

    /// Whether it stands for each address of this machine: 0.0.0.0 or `::`.
    package var isWildcard: Bool { ipv4.map { $0.value == 0 } ?? (high == 0 && low == 0) }

    /// Whether a connection can come from it: it is no wildcard and no group's, reserved, or IPv6 link-local, which is one
    /// only together with an interface. RFC 6890, RFC 4291 section 2.5.6
    package var canBeSource: Bool {
        if let ipv4 { return (1..<224).contains(ipv4.value >> 24) }
        return !isWildcard && high >> 56 != 0xff && !isLinkLocal
    }

    /// Whether it is one that every interface may have: fe80::/10. RFC 4291 section 2.5.6
    package var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }

    /// The same without an interface: what people write.
    package var anywhere: IPAddress { IPAddress(high: high, low: low) }

    package static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low, left.zone) < (right.high, right.low, right.zone)
    }

    /// Dotted decimal, or the shortest form of RFC 5952, with the interface of a link-local address behind it.
    /// inet_ntop(3), if_indextoname(3)
    package var description: String {
        if let ipv4 { return ipv4.description }
        guard zone == 0 else {
            let name = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { space in
                if_indextoname(zone, space.baseAddress!).map { String(cString: $0) }
            }
            return "\(anywhere)%\(name ?? "\(zone)")"
        }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { space in
            var octets = (high.bigEndian, low.bigEndian)
            inet_ntop(AF_INET6, &octets, space.baseAddress!, socklen_t(space.count))
            return String(cString: space.baseAddress!)
        }
    }
}

/// An address and a port, as in `127.0.0.1:80` or `[::1]:80`.
package struct IPEndpoint: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var address: IPAddress
    package var port: UInt16

    package init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads what ``description`` writes; nil for anything else.
    package init?(text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.allSatisfy({ ("0"..."9").contains($0) }), let port = UInt16(digits) else { return nil }
        let host = String(text[..<colon])
        // Without brackets an IPv6 address and its port cannot be told apart.
        guard !host.contains(":") || host.hasPrefix("["), let address = IPAddress(text: host) else { return nil }
        self.init(address, port: port)
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }

    package var description: String {
        address.family == .ipv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
