/// A size in bytes, written `512B`, `64KiB`, `16MiB`, `2GiB`.
package struct ByteCount: Sendable, Hashable, CustomStringConvertible {
    package var bytes: Int

    private static let units: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]

    package init(bytes: Int) {
        self.bytes = bytes
    }

    /// - Throws: ``UnitTextError`` naming the accepted form.
    package init(text: String) throws(UnitTextError) {
        guard let (number, unit) = splitQuantity(text),
            let scale = Self.units.first(where: { $0.name == unit })?.bytes,
            number * Double(scale) < 9e18
        else {
            throw UnitTextError(text: text, expected: "a size: write a number and a unit, as in 512B, 64KiB or 16MiB")
        }
        bytes = Int((number * Double(scale)).rounded())
    }

    /// The shortest exact spelling.
    package var description: String {
        if bytes == 0 { return "0B" }
        for unit in Self.units where bytes % unit.bytes == 0 {
            return "\(bytes / unit.bytes)\(unit.name)"
        }
        return "\(bytes)B"
    }
}
