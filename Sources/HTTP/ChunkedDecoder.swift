internal import HTTPTypes

/// Undoes the chunked transfer coding (RFC 9112 section 7.1). Trailers are read and dropped.
struct ChunkedDecoder {
    private enum State {
        case size
        case data(left: Int)
        case dataEnd
        case trailers
    }

    private var state = State.size
    private var trailerBytes = 0

    /// Moves what has arrived into `body`.
    /// - Returns: whether the body is complete.
    /// - Throws: ``RequestError``: 400 for a chunk that is malformed, 413 for a body beyond `limit`.
    mutating func decode(_ buffer: inout ByteBuffer, into body: inout [UInt8], limit: Int) throws(RequestError) -> Bool
    {
        while true {
            switch state {
            case .size:
                guard let line = try line(&buffer) else { return false }
                let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
                guard digits.count <= 8, digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
                    let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
                else {
                    throw RequestError(.badRequest, "a chunk does not begin with its size in hexadecimal")
                }
                guard body.count + size <= limit else { throw .bodyTooLarge(limit: limit) }
                state = size == 0 ? .trailers : .data(left: size)
            case .data(let left):
                let taken = buffer.take(left, into: &body)
                state = taken == left ? .dataEnd : .data(left: left - taken)
                if taken < left { return false }
            case .dataEnd:
                guard let line = try line(&buffer) else { return false }
                guard line.isEmpty else { throw RequestError(.badRequest, "a chunk is longer than its size says") }
                state = .size
            case .trailers:
                guard let line = try line(&buffer) else { return false }
                if line.isEmpty { return true }
                trailerBytes += line.count
                guard trailerBytes <= RequestParser.largestHead else {
                    throw RequestError(.requestHeaderFieldsTooLarge, "the trailers are too long")
                }
            }
        }
    }

    private func line(_ buffer: inout ByteBuffer) throws(RequestError) -> ArraySlice<UInt8>? {
        if let line = buffer.takeLine() { return line }
        guard buffer.count <= RequestParser.largestHead else {
            throw RequestError(.badRequest, "a line of the chunked coding does not end")
        }
        return nil
    }
}

extension RequestError {
    static func bodyTooLarge(limit: Int) -> RequestError {
        RequestError(.contentTooLarge, "the body is larger than \(limit) bytes; send a smaller batch")
    }
}
