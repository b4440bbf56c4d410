/// What no figure of a result is beyond, so that sums of them stay numbers whoever wrote the file.
package enum FigureBound {
    /// Of one: 1 PB, or 31 million years.
    private static let largest = 1e15
    /// Of all together: below what an Int holds.
    private static let largestSum = 9e18

    /// The first number in the JSON of a result that is beyond, in words; nil where there is none.
    /// - Parameter json: well formed.
    package static func problem(in json: [UInt8]) -> String? {
        var name = ""
        var sum = 0.0
        var position = 0
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "\""):
                let text = string(in: json, &position)
                let next = json[position...].first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
                if next == UInt8(ascii: ":") { name = String(decoding: text, as: UTF8.self) }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digits = json[position...].prefix { "+-.0123456789eE".utf8.contains($0) }
                position = digits.endIndex
                // Seeds are any number of 64 bits, and are not reckoned with.
                if name == "seed" { continue }
                let text = String(decoding: digits, as: UTF8.self)
                let number = abs(Double(text) ?? .infinity)
                sum += number
                if number > largest || sum > largestSum { return "its \(name) of \(text.prefix(40)) is no figure" }
            default: position += 1
            }
        }
        return nil
    }

    /// What stands between quotes; moves on behind them.
    private static func string(in json: [UInt8], _ position: inout Int) -> ArraySlice<UInt8> {
        let start = position + 1
        position = start
        while position < json.count, json[position] != UInt8(ascii: "\"") {
            position += json[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        let end = min(position, json.count)
        position = min(end + 1, json.count)
        return json[start..<max(start, end)]
    }
}
