package import Units

/// One named client of the load: how large its batches are, and how often they come.
/// Written `NAME:uris=LO..HI,rate=R/s`, or `uris=N` for one size.
package struct ClientSpec: Sendable, Equatable, CustomStringConvertible {
    package var name: String
    package var uris: ClosedRange<Int>
    package var rate: Rate

    package init(name: String, uris: ClosedRange<Int>, rate: Rate) {
        self.name = name
        self.uris = uris
        self.rate = rate
    }

    /// - Throws: ``UnitTextError`` with the form, or what of it is wrong.
    package init(text: String) throws(UnitTextError) {
        let form = UnitTextError(
            text: text,
            expected: "a client: write NAME:uris=LO..HI,rate=R/s, as in feed:uris=1..50,rate=20/s"
        )
        guard let colon = text.firstIndex(of: ":") else { throw form }
        let name = String(text[..<colon])
        let allowed = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard (1...64).contains(name.count), allowed else {
            throw UnitTextError(text: name, expected: "a client name: use up to 64 letters, digits, '-', '_' and '.'")
        }
        var uris: ClosedRange<Int>?
        var rate: Rate?
        for part in text[text.index(after: colon)...].split(separator: ",", omittingEmptySubsequences: false) {
            if part.hasPrefix("uris="), uris == nil {
                uris = try Self.sizes(String(part.dropFirst(5)))
            } else if part.hasPrefix("rate="), rate == nil {
                rate = try Rate(text: String(part.dropFirst(5)))
            } else {
                throw form
            }
        }
        guard let uris, let rate else { throw form }
        self.init(name: name, uris: uris, rate: rate)
    }

    private static func sizes(_ text: String) throws(UnitTextError) -> ClosedRange<Int> {
        let numbers = text.split(separator: "..", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard (1...2).contains(numbers.count), let low = numbers.first, let high = numbers.last,
            low >= 1, high >= low, high <= 1_000_000
        else {
            throw UnitTextError(text: text, expected: "a batch size: write N or LO..HI, from 1 to 1000000")
        }
        return low...high
    }

    package var description: String {
        let sizes = uris.count == 1 ? "\(uris.lowerBound)" : "\(uris.lowerBound)..\(uris.upperBound)"
        return "\(name):uris=\(sizes),rate=\(rate)"
    }
}
