/// Reads a GetPostRecords request in protobuf: field 1 again and again, 2 and 3 once, all strings.
/// protobuf.dev/programming-guides/encoding
enum RequestProto {
    /// Groups within groups that are passed over.
    private static let maxNested = 100

    /// - Throws: ``ConnectError``
    static func read(_ bytes: UnsafeBufferPointer<UInt8>, into keys: inout KeyCollector) throws(ConnectError) {
        var reader = Reader(bytes: bytes)
        while !reader.isAtEnd {
            let start = reader.position
            let (field, type) = try reader.tag()
            switch (field, type) {
            case (1, 2):
                let content = try reader.content()
                let uri = UnsafeBufferPointer(rebasing: bytes[content])
                // Plain ASCII needs no further look.
                guard uri.allSatisfy({ $0 < 0x80 }) || isUTF8(uri) else {
                    throw problem(at: content.lowerBound, "expected UTF-8 in uris")
                }
                try keys.add(uri, at: content.lowerBound)
            case (2, 2), (3, 2):
                let content = try reader.content()
                guard isUTF8(UnsafeBufferPointer(rebasing: bytes[content])) else {
                    throw problem(at: content.lowerBound, "expected UTF-8 in field \(field)")
                }
            default: try reader.skip(field, type, from: start, maxNested: maxNested)
            }
        }
    }

    private static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }

    fileprivate static func problem(at offset: Int, _ message: String) -> ConnectError {
        ConnectError(
            .invalidArgument,
            "the body is not the protobuf of GetPostRecordsRequest: at byte \(offset), \(message)"
        )
    }

    private struct Reader {
        let bytes: UnsafeBufferPointer<UInt8>
        private(set) var position = 0

        init(bytes: UnsafeBufferPointer<UInt8>) {
            self.bytes = bytes
        }

        var isAtEnd: Bool { position == bytes.count }

        mutating func tag() throws(ConnectError) -> (field: UInt64, type: UInt64) {
            let start = position
            let tag = try varint()
            // Of 32 bits, which take five bytes: more are refused, as other readers do.
            guard position - start <= 5 else { throw problem(at: start, "expected a field, in five bytes or fewer") }
            guard tag >> 3 > 0, tag >> 3 < 1 << 29 else {
                throw problem(at: start, "expected a field, and there is no field \(tag >> 3)")
            }
            return (tag >> 3, tag & 7)
        }

        private mutating func varint() throws(ConnectError) -> UInt64 {
            let start = position
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                guard position < bytes.count else { throw problem(at: start, "the body ends within a number") }
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { return value }
            }
            throw problem(at: start, "expected a number of 10 bytes or fewer")
        }

        /// Where the content of a field with a length lies.
        mutating func content() throws(ConnectError) -> Range<Int> {
            let start = position
            let length = try varint()
            guard length <= UInt64(bytes.count - position) else {
                let left = bytes.count - position
                throw problem(at: start, "a field says it has \(length) bytes, and there are \(left) left")
            }
            defer { position += Int(length) }
            return position..<position + Int(length)
        }

        /// Passes over a field that is not known.
        mutating func skip(_ field: UInt64, _ type: UInt64, from start: Int, maxNested: Int) throws(ConnectError) {
            // The groups that are open, without recursion: how deep they go is the sender's choice.
            var open: [UInt64] = []
            var (field, type, start) = (field, type, start)
            while true {
                switch type {
                case 0: _ = try varint()
                case 1: try skipBytes(8)
                case 2: _ = try content()
                case 3:
                    open.append(field)
                    guard open.count <= maxNested else {
                        throw problem(at: start, "groups are nested deeper than \(maxNested)")
                    }
                case 4:
                    guard open.popLast() == field else { throw problem(at: start, "a group ends that was not begun") }
                case 5: try skipBytes(4)
                default: throw problem(at: start, "there is no wire type \(type)")
                }
                if open.isEmpty { return }
                start = position
                (field, type) = try tag()
            }
        }

        private mutating func skipBytes(_ count: Int) throws(ConnectError) {
            guard count <= bytes.count - position else { throw problem(at: position, "the body ends within a number") }
            position += count
        }
    }
}
