/// A set of port numbers: one bit for each of the 65,536.
package struct PortSet: Sendable, Equatable {
    private var words = [UInt64](repeating: 0, count: 1024)

    package init() {}

    package init(_ ports: some Sequence<ClosedRange<UInt16>>) {
        for range in ports { for port in range { insert(port) } }
    }

    /// Reads what the kernel writes for a list of ports, as in `8080,40000-40511`; nil for anything else.
    package init?(text: String) {
        for part in text.split(whereSeparator: { $0 == "," || $0 == "\n" || $0 == " " }) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard ends.count <= 2, let low = ends[0], let high = ends[ends.count - 1], low <= high else { return nil }
            for port in low...high { insert(port) }
        }
    }

    /// Whether the port is in the set.
    package func contains(_ port: UInt16) -> Bool {
        words[Int(port >> 6)] >> UInt64(port & 63) & 1 == 1
    }

    /// - Returns: whether it was not there yet.
    @discardableResult
    package mutating func insert(_ port: UInt16) -> Bool {
        let bit: UInt64 = 1 << UInt64(port & 63)
        let isNew = words[Int(port >> 6)] & bit == 0
        words[Int(port >> 6)] |= bit
        return isNew
    }

    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// The ports that are in this set and not in the other.
    package func subtracting(_ other: PortSet) -> PortSet {
        var rest = self
        for index in words.indices { rest.words[index] &= ~other.words[index] }
        return rest
    }

    /// Its ports as ranges, lowest first.
    package var ranges: [ClosedRange<UInt16>] {
        var ranges: [ClosedRange<UInt16>] = []
        for (index, word) in words.enumerated() where word != 0 {
            for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 {
                add(UInt16(index * 64 + bit), to: &ranges)
            }
        }
        return ranges
    }

    private func add(_ port: UInt16, to ranges: inout [ClosedRange<UInt16>]) {
        if let last = ranges.last, last.upperBound + 1 == port {
            ranges[ranges.count - 1] = last.lowerBound...port
        } else {
            ranges.append(port...port)
        }
    }

    /// As the kernel writes it: `8080,40000-40511`, empty without ports.
    package var text: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}
