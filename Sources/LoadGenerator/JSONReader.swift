/// Reads JSON (RFC 8259) from its front without building values: an answer has 12 MB, and the machine's cores belong to
/// the measurement. What is not JSON to the letter is refused.
struct JSONReader {
    /// Thrown for anything that is not JSON.
    struct NotJSON: Error {}

    /// Lists and objects within each other; more is nobody's answer.
    private static let deepest = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Nothing but blanks may follow.
    mutating func finish() throws(NotJSON) {
        skipBlanks()
        guard position == bytes.count else { throw NotJSON() }
    }

    /// Reads an object; `body` reads the value of each member, of which it gets the name as it is written.
    @inline(__always)
    mutating func object(
        _ body: (inout JSONReader, UnsafeBufferPointer<UInt8>) throws(NotJSON) -> Void
    ) throws(NotJSON) {
        try enter(UInt8(ascii: "{"))
        if !take(UInt8(ascii: "}")) {
            repeat {
                skipBlanks()
                let name = try string()
                guard take(UInt8(ascii: ":")) else { throw NotJSON() }
                try body(&self, name)
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw NotJSON() }
        }
        depth -= 1
    }

    /// Reads a list; `body` reads each element.
    @inline(__always)
    mutating func array(_ body: (inout JSONReader) throws(NotJSON) -> Void) throws(NotJSON) {
        try enter(UInt8(ascii: "["))
        if !take(UInt8(ascii: "]")) {
            repeat { try body(&self) } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw NotJSON() }
        }
        depth -= 1
    }

    /// The first byte of the next value; 0 at the end.
    mutating func peek() -> UInt8 {
        skipBlanks()
        return position < bytes.count ? bytes[position] : 0
    }

    /// Reads a text, and gives what stands between its quotes, escapes as they are written.
    mutating func string() throws(NotJSON) -> UnsafeBufferPointer<UInt8> {
        guard peek() == UInt8(ascii: "\"") else { throw NotJSON() }
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return UnsafeBufferPointer(rebasing: bytes[start..<position - 1]) }
            if byte < 0x20 { throw NotJSON() }
            if byte == UInt8(ascii: "\\") { try escape() }
        }
        throw NotJSON()
    }

    mutating func skipValue() throws(NotJSON) {
        switch peek() {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"): try object { (reader, _) throws(NotJSON) in try reader.skipValue() }
        case UInt8(ascii: "["): try array { (reader) throws(NotJSON) in try reader.skipValue() }
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
    }

    private mutating func enter(_ bracket: UInt8) throws(NotJSON) {
        guard take(bracket), depth < Self.deepest else { throw NotJSON() }
        depth += 1
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte, position < bytes.count else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    private mutating func escape() throws(NotJSON) {
        guard position < bytes.count else { throw NotJSON() }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            break
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard position < bytes.count, Self.isHexDigit(bytes[position]) else { throw NotJSON() }
                position += 1
            }
        default: throw NotJSON()
        }
    }

    private mutating func word(_ word: StaticString) throws(NotJSON) {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == word.utf8Start[index] else { throw NotJSON() }
            position += 1
        }
    }

    private mutating func number() throws(NotJSON) {
        _ = take(UInt8(ascii: "-"))
        if position < bytes.count, bytes[position] == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digits()
        }
    }

    private mutating func digits() throws(NotJSON) {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        guard position > start else { throw NotJSON() }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
}
