package import HTTPTypes

/// The grammar of header fields (RFC 9110 section 5), on bytes: what Unicode takes for a letter, a digit or a blank
/// is none here.
enum FieldSyntax {
    /// What a token is made of. RFC 9110 section 5.6.2
    static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    static func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isTokenCharacter)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// What text may hold beside tokens: blanks, and what is not ASCII, but no control character.
    static func isTextCharacter(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7f || byte == 0x09 }

    /// Reads a line `name: value`.
    /// - Parameter takingControls: whether control characters in the value are taken for blanks, as RFC 9110 section 5.5
    ///   has it, in place of an error.
    /// - Throws: ``SyntaxError``
    static func field(_ line: ArraySlice<UInt8>, takingControls: Bool = false) throws(SyntaxError) -> HTTPField {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), isToken(line[..<colon]),
            let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
        else {
            throw SyntaxError("a header field has no valid name")
        }
        var value = line[(colon + 1)...]
        while let first = value.first, isBlank(first) { value.removeFirst() }
        while let last = value.last, isBlank(last) { value.removeLast() }
        guard takingControls || value.allSatisfy(isTextCharacter) else {
            throw SyntaxError("the value of header field \(name) has control characters")
        }
        if takingControls { value = ArraySlice(value.map { isTextCharacter($0) ? $0 : 0x20 }) }
        return HTTPField(name: name, value: String(decoding: value, as: UTF8.self))
    }

    /// A number of bytes: digits alone. Nil for anything else, `.max` for a number too large to count to.
    static func length(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int(text) ?? .max
    }
}

/// What is not HTTP about some bytes.
struct SyntaxError: Error, Equatable {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}

extension String {
    /// In lower case as far as it is ASCII: the Kelvin sign stays what it is, and is no `k`.
    package var asciiLowercased: String {
        guard utf8.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) else { return self }
        return String(
            decoding: utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 },
            as: UTF8.self
        )
    }

    /// Without spaces and tabs at both ends. RFC 9110, 5.6.3
    package func trimmingBlanks() -> String {
        let blanks: Set<Character> = [" ", "\t"]
        guard let first = firstIndex(where: { !blanks.contains($0) }) else { return "" }
        return String(self[first...lastIndex { !blanks.contains($0) }!])
    }

    /// The elements of a list with commas, in lower case, empty ones left out. RFC 9110 section 5.6.1
    package var listElements: [String] {
        split(separator: ",").map { String($0).trimmingBlanks().asciiLowercased }.filter { !$0.isEmpty }
    }
}

extension HTTPFields {
    /// The elements of a list over all fields of a name.
    package func elements(of name: HTTPField.Name) -> [String] { self[values: name].flatMap(\.listElements) }
}
