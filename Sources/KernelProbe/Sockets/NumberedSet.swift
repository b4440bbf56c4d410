/// Numbers values in the order they first come. A hash table of numbers only, as a dump numbers hundreds of thousands of
/// pairs of addresses, and `Dictionary` takes several times as long for it.
struct NumberedSet<Value: MixedHashable & Sendable>: Sendable {
    private(set) var values: [Value] = []
    /// Number plus one of the value in each slot; 0 for an empty one. Its size is a power of two.
    private var slots = [UInt32](repeating: 0, count: 1024)
    /// Who chooses addresses must not choose slots along with them.
    private let seed = UInt64.random(in: .min ... .max)

    mutating func number(of value: Value) -> UInt32 {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: value.mixed(seed) >> 16) & mask
        while slots[slot] != 0 {
            let number = slots[slot] - 1
            if values[Int(number)] == value { return number }
            slot = (slot + 1) & mask
        }
        let number = UInt32(values.count)
        values.append(value)
        slots[slot] = number + 1
        if values.count * 2 > slots.count { grow() }
        return number
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 4)
        let mask = slots.count - 1
        for (number, value) in values.enumerated() {
            var slot = Int(truncatingIfNeeded: value.mixed(seed) >> 16) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number) + 1
        }
    }
}

/// What can be mixed into a number that its own bits do not betray.
protocol MixedHashable: Equatable {
    func mixed(_ seed: UInt64) -> UInt64
}

extension UInt64 {
    /// Two halves of a 128-bit product folded: each bit of either number moves all bits. (As in wyhash.)
    func folded(with other: UInt64) -> UInt64 {
        let product = multipliedFullWidth(by: other)
        return product.high ^ product.low
    }
}
