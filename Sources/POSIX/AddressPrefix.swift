/// All addresses that begin with the same bits, as in `fd00:5::/64` or `127.5.0.0/16`. RFC 4632, RFC 4291 section 2.3
package struct AddressPrefix: Sendable, Hashable, CustomStringConvertible {
    /// The address whose further bits are 0.
    package let first: IPAddress
    /// Bits that they share, of 32 or of 128.
    package let length: Int

    package static let lengths: [IPAddress.Family: ClosedRange<Int>] = [.ipv4: 8...30, .ipv6: 16...126]

    /// Reads what ``description`` writes; nil for anything else, so for an address with bits beyond the prefix.
    package init?(text: String) {
        let sides = text.split(separator: "/", omittingEmptySubsequences: false)
        guard sides.count == 2, let first = IPAddress(text: String(sides[0])), let length = Int(sides[1]),
            Self.lengths[first.family]!.contains(length)
        else { return nil }
        self.first = first
        self.length = length
        let hosts = hostBits
        guard first.high & hosts.high == 0, first.low & hosts.low == 0, text == description else { return nil }
    }

    package var family: IPAddress.Family { first.family }

    package var description: String { "\(first)/\(length)" }

    /// The bits that tell its addresses apart, of the sixteen octets.
    private var hostBits: (high: UInt64, low: UInt64) {
        // An IPv4 address is the end of its IPv6 form.
        let shared = family == .ipv4 ? length + 96 : length
        return (shared < 64 ? .max >> UInt64(shared) : 0, shared <= 64 ? .max : .max >> UInt64(shared - 64))
    }

    package func contains(_ address: IPAddress) -> Bool {
        let hosts = hostBits
        return address.high & ~hosts.high == first.high && address.low & ~hosts.low == first.low
    }

    /// How many of its addresses can be a host's: all but the first and the last; no more than an Int holds.
    package var hosts: Int {
        let bits = (family == .ipv4 ? 32 : 128) - length
        return bits < 63 ? 1 << bits - 2 : .max
    }

    /// One that can be a host's, each as likely as the others.
    package func randomHost(using generator: inout some RandomNumberGenerator) -> IPAddress {
        let hosts = hostBits
        let low = first.low | .random(in: 1..<hosts.low, using: &generator)
        guard hosts.high != 0 else { return IPAddress(high: first.high, low: low) }
        return IPAddress(high: first.high | generator.next() & hosts.high, low: low)
    }
}
