/// Reads JSON (RFC 8259) from its front; an error says at which byte it is not what was expected. Needs no memory for what it reads over, however deep that is nested.
struct JSONScanner {
    /// What stands between quotes.
    enum Text {
        /// The same bytes.
        case plain(Range<Int>)
        /// Other bytes: there are escapes in it.
        case decoded([UInt8])
    }

    /// Lists and objects within each other that are read over.
    private static let maxNested = 100

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    func bytes(at range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: bytes[range]) }

    func bytes(of text: Text) -> [UInt8] {
        switch text {
        case .plain(let range): Array(bytes[range])
        case .decoded(let bytes): bytes
        }
    }

    // MARK: Characters

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0a, 0x0d, 0x09: position += 1
            default: return
            }
        }
    }

    /// Takes a character, and blanks before it, if it is next.
    mutating func takeIf(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func take(_ character: Unicode.Scalar, _ expected: String) throws(ConnectError) {
        guard takeIf(character) else { throw problem(expected) }
    }

    mutating func takeEnd() throws(ConnectError) {
        skipBlanks()
        guard position == bytes.count else { throw problem("nothing after the request") }
    }

    mutating func takeNull() -> Bool {
        skipBlanks()
        return takeWord("null")
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count - position >= length,
            (0..<length).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
        else { return false }
        position += length
        return true
    }

    private func problem(_ expected: String, at offset: Int? = nil) -> ConnectError {
        let offset = offset ?? position
        return ConnectError(
            .invalidArgument,
            "the body is not the JSON of a request: at byte \(offset), expected \(expected), and found \(what(at: offset))"
        )
    }

    /// What stands at an offset, in words.
    private func what(at offset: Int) -> String {
        guard offset < bytes.count else { return bytes.isEmpty ? "an empty body" : "the end of the body" }
        switch bytes[offset] {
        case UInt8(ascii: "\""): return "a string"
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return "a number"
        case UInt8(ascii: "{"): return "an object"
        case UInt8(ascii: "["): return "a list"
        case 0xef where bytes[offset...].starts(with: [0xef, 0xbb, 0xbf]): return "a byte order mark"
        case 0x21..<0x7f where bytes[offset...].starts(with: "null".utf8): return "null"
        case 0x21..<0x7f: return "'\(Character(Unicode.Scalar(bytes[offset])))'"
        default: return "the byte 0x\(String(bytes[offset], radix: 16))"
        }
    }

    // MARK: Strings

    /// Takes a string in quotes.
    mutating func string(_ expected: String) throws(ConnectError) -> Text {
        try take("\"", expected)
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return .plain(start..<position - 1)
            }
            guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { break }
            position += 1
        }
        return try stringBeyondASCII(from: start)
    }

    /// A string with escapes, or of more than ASCII.
    private mutating func stringBeyondASCII(from start: Int) throws(ConnectError) -> Text {
        var text = Array(bytes[start..<position])
        var hasEscapes = false
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                guard String(validating: text, as: UTF8.self) != nil else {
                    throw problem("UTF-8 in a string", at: start)
                }
                position += 1
                return hasEscapes ? .decoded(text) : .plain(start..<position - 1)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try takeEscape(into: &text)
            case 0x20...:
                text.append(byte)
                position += 1
            default: throw problem("no control character in a string")
            }
        }
        throw problem("a quote at the end of the string that begins at byte \(start - 1)")
    }

    private mutating func takeEscape(into text: inout [UInt8]) throws(ConnectError) {
        let start = position
        position += 1
        guard position < bytes.count else { throw problem("an escape") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var value = try hexadecimal(of: start)
            if 0xd800...0xdbff ~= value {
                guard takeWord("\\u") else { throw problem("the second half of a surrogate pair") }
                let low = try hexadecimal(of: start)
                guard 0xdc00...0xdfff ~= low else { throw problem("the second half of a surrogate pair", at: start) }
                value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(value) else {
                throw problem("the first half of a surrogate pair before the second", at: start)
            }
            text += String(scalar).utf8
        default: throw problem("an escape out of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u", at: start)
        }
    }

    private mutating func hexadecimal(of escape: Int) throws(ConnectError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, bytes[position] < 0x80,
                let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
            else { throw problem("four hexadecimal digits after \\u", at: escape) }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    // MARK: Values that are read over

    /// Passes over an object, and takes nothing else.
    mutating func object(_ expected: String) throws(ConnectError) {
        skipBlanks()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "{") else { throw problem(expected) }
        try skipValue()
    }

    /// Passes over a value of any kind, without recursion: how deep it goes is the sender's choice.
    mutating func skipValue() throws(ConnectError) {
        /// The brackets that close what is open.
        var open: [Unicode.Scalar] = []
        repeat {
            if takeIf("{") {
                open.append("}")
            } else if takeIf("[") {
                open.append("]")
            } else {
                try skipScalar()
                try close(&open)
                continue
            }
            guard open.count <= Self.maxNested else {
                throw problem("values nested \(Self.maxNested) deep at the most")
            }
            if takeIf(open.last!) {
                open.removeLast()
                try close(&open)
            } else if open.last == "}" {
                try skipName()
            }
        } while !open.isEmpty
    }

    /// After a value: closes what ends with it, and goes on to the next value of what does not.
    private mutating func close(_ open: inout [Unicode.Scalar]) throws(ConnectError) {
        while let bracket = open.last {
            if takeIf(",") {
                if bracket == "}" { try skipName() }
                return
            }
            try take(bracket, "a comma, or \(bracket)")
            open.removeLast()
        }
    }

    private mutating func skipName() throws(ConnectError) {
        _ = try string("the name of a member in quotes")
        try take(":", "a colon after the name of a member")
    }

    private mutating func skipScalar() throws(ConnectError) {
        skipBlanks()
        guard position < bytes.count else { throw problem("a value") }
        switch bytes[position] {
        case UInt8(ascii: "\""): _ = try string("a string")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
        default:
            guard takeWord("null") || takeWord("true") || takeWord("false") else { throw problem("a value") }
        }
    }

    private mutating func skipNumber() throws(ConnectError) {
        _ = takeByte("-")
        if !takeByte("0") { try skipDigits() }
        if takeByte(".") { try skipDigits() }
        if takeByte("e") || takeByte("E") {
            if !takeByte("+") { _ = takeByte("-") }
            try skipDigits()
        }
    }

    private mutating func takeByte(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipDigits() throws(ConnectError) {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        guard position > start else { throw problem("a digit") }
    }
}
