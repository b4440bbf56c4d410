package import Units

/// A range of ports, written `32768-60999`, or as a number of them.
package struct PortRangeText: Sendable, Equatable {
    package let lowest: Int
    package let highest: Int

    /// Reads `LO-HI`.
    /// - Throws: ``UnitTextError`` naming the accepted form.
    package init(range text: String) throws(UnitTextError) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { plainNumber($0) }
        guard ends.count == 2, let low = ends[0], let high = ends[1], low >= 1, low <= high, high <= 65535 else {
            throw UnitTextError(text: text, expected: "a range of ports: write it as 40000-41023, from 1 to 65535")
        }
        lowest = low
        highest = high
    }

    /// Reads a number of ports: from 32768 on, as the kernel's default does, or lower where they are more.
    /// - Throws: ``UnitTextError`` naming the accepted form.
    package init(count text: String) throws(UnitTextError) {
        guard let count = plainNumber(text[...]), count >= 1, count <= 64512 else {
            throw UnitTextError(text: text, expected: "a number of ports: use 1 to 64512")
        }
        lowest = min(32768, 65536 - count)
        highest = lowest + count - 1
    }

    package var count: Int { highest - lowest + 1 }
}

/// A kernel setting and its value, written `net.ipv4.tcp_tw_reuse=0`.
package struct SysctlText: Sendable, Equatable {
    package let name: String
    package let value: String

    /// - Throws: ``UnitTextError`` naming the accepted form. Only `net.` settings belong to a network namespace.
    package init(text: String) throws(UnitTextError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let names = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let isName = names.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-:".contains($0)) }
        }
        guard parts.count == 2, !parts[1].isEmpty, isName, names.count > 1, names[0] == "net" else {
            throw UnitTextError(
                text: text,
                expected: "a setting of a network namespace: write it as net.ipv4.tcp_tw_reuse=0"
            )
        }
        name = String(parts[0])
        value = String(parts[1])
    }
}

/// Decimal digits alone, nil for anything else.
func plainNumber(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 9, text.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
    return Int(text)
}
