internal import FanOut

extension KeyList {
    /// The URIs of a GetPostRecords request, read without building messages in between.
    ///
    /// swift-protobuf takes 5 ms for 20,000 URIs, in which nothing else can be done for the batch. This handles a
    /// request of nothing but URIs, in plain ASCII, each good as a key; it declines everything else with nil, and a test
    /// holds what it reads against swift-protobuf.
    convenience init?(ofPlain body: [UInt8], in codec: Codec) {
        let spans = body.withUnsafeBufferPointer { bytes in
            switch codec {
            case .json: Self.spans(inJSON: bytes)
            case .proto: Self.spans(inProto: bytes)
            }
        }
        guard let spans, !spans.isEmpty else { return nil }
        self.init(body, spans: spans)
    }

    private static let longestKey = 250

    /// Of `{"uris":["...","..."]}`, with blanks anywhere or without.
    private static func spans(inJSON bytes: UnsafeBufferPointer<UInt8>) -> [Span]? {
        var position = 0
        func skipBlanks() {
            while position < bytes.count, isBlank(bytes[position]) { position += 1 }
        }
        /// Passes over a character and the blanks before it.
        func take(_ character: Unicode.Scalar) -> Bool {
            skipBlanks()
            guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }
        /// Passes over a string in quotes, up to its end.
        func takeString() -> Span? {
            guard take("\"") else { return nil }
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                guard isPlain(bytes[position]), bytes[position] != UInt8(ascii: "\\") else { return nil }
                position += 1
            }
            let count = position - start
            guard (1...longestKey).contains(count), take("\"") else { return nil }
            return Span(start: start, count: count)
        }

        var spans: [Span] = []
        spans.reserveCapacity(bytes.count / 70)
        guard take("{"), let name = takeString(), take(":"), take("[") else { return nil }
        guard bytes[Int(name.start)..<Int(name.start + name.count)].elementsEqual("uris".utf8) else { return nil }
        repeat {
            guard let uri = takeString() else { return nil }
            spans.append(uri)
        } while take(",")
        guard take("]"), take("}") else { return nil }
        skipBlanks()
        return position == bytes.count ? spans : nil
    }

    /// Of field 1, again and again.
    private static func spans(inProto bytes: UnsafeBufferPointer<UInt8>) -> [Span]? {
        var spans: [Span] = []
        spans.reserveCapacity(bytes.count / 70)
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            guard reader.nextTag() == 0x0a, let uri = reader.nextBytes(), (1...longestKey).contains(uri.count),
                uri.allSatisfy(isPlain)
            else { return nil }
            spans.append(Span(start: uri.baseAddress! - bytes.baseAddress!, count: uri.count))
        }
        return spans
    }

    /// What JSON takes for a blank. RFC 8259
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

    /// ASCII that a memcached key may have (protocol.txt).
    private static func isPlain(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }
}
