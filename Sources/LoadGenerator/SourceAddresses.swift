package import POSIX
package import Units

/// The addresses connections come from: one, or those of a network in turn, as each has ephemeral ports of its own.
/// Written `127.0.2.1` or `127.1.0.0/16`.
package struct SourceAddresses: Sendable, Equatable {
    private let first: UInt32
    /// How many there are.
    package let count: Int
    private var taken = 0

    package init(_ address: IPv4Address) {
        first = address.value
        count = 1
    }

    /// - Throws: ``UnitTextError`` with the form.
    package init(text: String) throws(UnitTextError) {
        let sides = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = IPv4Address(text: String(sides[0])), sides.count <= 2,
            let bits = sides.count == 1 ? 32 : Int(sides[1]), (8...32).contains(bits)
        else {
            throw UnitTextError(
                text: text,
                expected: "a numeric IPv4 address, or a network of them, as in 127.1.0.0/16 (/8 to /32)"
            )
        }
        let size = UInt32(truncatingIfNeeded: 1 << UInt64(32 - bits))
        let network = bits == 32 ? address.value : address.value & ~(size - 1)
        // The first and the last address of a network are nobody's.
        first = bits >= 31 ? network : network + 1
        count = bits >= 31 ? Int(size) : Int(size) - 2
    }

    /// The address that the next connection is dialled from.
    package mutating func next() -> IPv4Address {
        defer { taken = (taken + 1) % count }
        return IPv4Address(value: first + UInt32(taken))
    }
}
