internal import KernelProbe
package import POSIX
package import Units

/// The addresses connections come from: one, or those of a network in turn, as each has ephemeral ports of its own.
/// Written `127.0.2.1` or `127.1.0.0/16`, `fd00::1` or `fd00::/64`.
package struct SourceAddresses: Sendable, Equatable {
    /// Of an IPv6 network more are not told apart: ports enough for any load.
    private static let mostOfIPv6 = 1 << 24

    private let first: IPAddress
    /// How many there are.
    package let count: Int
    private var taken = 0

    package init(_ address: IPv4Address) {
        self.init(IPAddress(address))
    }

    package init(_ address: IPAddress) {
        first = address
        count = 1
    }

    /// - Throws: ``UnitTextError`` with the form.
    package init(text: String) throws(UnitTextError) {
        let sides = text.split(separator: "/", omittingEmptySubsequences: false)
        guard sides.count <= 2, let address = IPAddress(text: String(sides[0])),
            let bits = sides.count == 1 ? Self.bits(address).upperBound : Int(sides[1]),
            Self.bits(address).contains(bits)
        else {
            throw UnitTextError(
                text: text,
                expected: "a numeric address, or a network of them, as in 127.1.0.0/16 (/8 to /32) or fd00::/64 "
                    + "(/64 to /128)"
            )
        }
        let hostBits = Self.bits(address).upperBound - bits
        let hosts = hostBits == 64 ? UInt64.max : (1 << UInt64(hostBits)) - 1
        let network = IPAddress(high: address.high, low: address.low & ~hosts)
        switch (hostBits, address.ipv4) {
        case (0...1, _):
            first = network
            count = Int(hosts) + 1
        case (_, .some):
            // The first and the last address of a network are nobody's.
            first = network + 1
            count = Int(hosts) - 1
        case (_, nil):
            // The first is every router's. RFC 4291 section 2.6.1
            first = network + 1
            count = Int(min(hosts, UInt64(Self.mostOfIPv6)))
        }
    }

    /// Of how many bits a network's prefix may be; the longest is one address.
    private static func bits(_ address: IPAddress) -> ClosedRange<Int> {
        address.family == .ipv4 ? 8...32 : 64...128
    }

    package var family: IPAddress.Family { first.family }

    /// Whether the first of them is this machine's own, so that answers to it come back; nil where the kernel does not say.
    package var isLocal: Bool? { LocalRoute.has(first) }

    /// The address that the next connection is dialled from.
    package mutating func next() -> IPAddress {
        defer { taken = (taken + 1) % count }
        return first + UInt64(taken)
    }
}

extension IPAddress {
    /// The address so many further on, in the same network.
    fileprivate static func + (address: IPAddress, steps: UInt64) -> IPAddress {
        IPAddress(high: address.high, low: address.low &+ steps)
    }
}
