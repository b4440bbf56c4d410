internal import HTTPTypes

/// Undoes the chunked transfer coding (RFC 9112 section 7.1), by its grammar and no more: what one reader lets pass and
/// another does not is how requests are smuggled. Trailers are read and dropped.
struct ChunkedDecoder {
    /// Why a body cannot be read on.
    enum Failure: Error, Equatable {
        case malformed(String)
        case tooLarge
    }

    /// Bytes of chunk extensions and of trailers, over a whole body.
    static let largestExtras = 16 << 10
    private static let longestLine = 4 << 10

    private enum State {
        case size
        case data(left: Int)
        case dataEnd
        case trailers
    }

    private var state = State.size
    private var extras = 0

    /// Moves what has arrived into `body`.
    /// - Returns: whether the body is complete.
    /// - Throws: ``Failure``
    mutating func decode(_ buffer: inout ByteBuffer, into body: inout [UInt8], limit: Int) throws(Failure) -> Bool {
        while true {
            switch state {
            case .size:
                guard let line = try line(&buffer) else { return false }
                let size = try size(line)
                guard size <= limit - body.count else { throw .tooLarge }
                state = size == 0 ? .trailers : .data(left: size)
            case .data(let left):
                let taken = buffer.take(left, into: &body)
                state = taken == left ? .dataEnd : .data(left: left - taken)
                if taken < left { return false }
            case .dataEnd:
                let line = buffer.takeLine()
                if line == nil, buffer.count < 2 { return false }
                guard line.map({ $0.elementsEqual("\r".utf8) }) ?? false else {
                    throw .malformed("a chunk is longer than its size says")
                }
                state = .size
            case .trailers:
                guard let line = try line(&buffer) else { return false }
                if line.isEmpty { return true }
                try count(line.count)
                do {
                    _ = try FieldSyntax.field(line)
                } catch {
                    throw .malformed("a trailer is no header field")
                }
            }
        }
    }

    private func line(_ buffer: inout ByteBuffer) throws(Failure) -> ArraySlice<UInt8>? {
        let line = buffer.takeLine()
        guard line?.count ?? buffer.count <= Self.longestLine else {
            throw .malformed("a line of the chunked coding is longer than \(Self.longestLine) bytes")
        }
        guard let line else { return nil }
        guard line.last == UInt8(ascii: "\r") else {
            throw .malformed("a line of the chunked coding does not end with CR and LF")
        }
        return line.dropLast()
    }

    /// Reads `1f;name=value`.
    private mutating func size(_ line: ArraySlice<UInt8>) throws(Failure) -> Int {
        let digits = line.prefix { $0 < 0x80 && Character(Unicode.Scalar($0)).isHexDigit }
        guard !digits.isEmpty else { throw .malformed("a chunk does not begin with its size in hexadecimal") }
        let rest = line[digits.endIndex...]
        guard rest.isEmpty || Self.isExtension(rest) else {
            throw .malformed("what follows a chunk's size is no chunk extension")
        }
        try count(rest.count)
        // A number that cannot be counted to is beyond any limit.
        return Int(String(decoding: digits, as: UTF8.self), radix: 16) ?? .max
    }

    private mutating func count(_ bytes: Int) throws(Failure) {
        extras += bytes
        guard extras <= Self.largestExtras else { throw .malformed("chunk extensions and trailers are too long") }
    }

    /// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`
    private static func isExtension(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        func skipBlanks() { rest = rest.drop(while: FieldSyntax.isBlank) }
        func take(_ character: Unicode.Scalar) -> Bool {
            skipBlanks()
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            skipBlanks()
            return true
        }
        func takeToken() -> Bool {
            let token = rest.prefix(while: FieldSyntax.isTokenCharacter)
            rest = rest[token.endIndex...]
            return !token.isEmpty
        }
        func takeQuoted() -> Bool {
            rest.removeFirst()
            while let byte = rest.popFirst(), FieldSyntax.isTextCharacter(byte) {
                if byte == UInt8(ascii: "\"") { return true }
                if byte == UInt8(ascii: "\\"), !(rest.popFirst().map(FieldSyntax.isTextCharacter) ?? false) {
                    return false
                }
            }
            return false
        }
        repeat {
            guard take(";"), takeToken() else { return false }
            guard !rest.isEmpty else { return true }
            let before = rest
            if take("=") {
                guard rest.first == UInt8(ascii: "\"") ? takeQuoted() : takeToken() else { return false }
            } else {
                rest = before
            }
        } while !rest.isEmpty
        return true
    }
}
