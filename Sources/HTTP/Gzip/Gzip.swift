internal import CZlib

/// gzip (RFC 1952), which clients compress with unless told otherwise.
package enum Gzip {
    /// Why something cannot be decompressed.
    package enum Failure: Error, Equatable {
        case malformed(String)
        /// It is larger than what may be made of it.
        case tooLarge
    }

    /// Decompresses bytes, one member or several; stops as soon as there is more than the limit.
    /// - Parameter limit: of what comes out, in bytes.
    /// - Throws: ``Failure``
    package static func decompress(_ bytes: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        // Errors of a type do not pass through withUnsafeBufferPointer.
        let result = bytes.withUnsafeBufferPointer { bytes in
            Result { () throws(Failure) in
                var inflation = try Inflation(bytes)
                return try inflation.run(limit: limit)
            }
        }
        return try result.get()
    }
}

/// A decompression under way. inflate(3) of zlib.h
private struct Inflation: ~Copyable {
    private static let room = 64 << 10

    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter bytes: live as long as this does.
    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(Gzip.Failure) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        stream.pointee.avail_in = UInt32(bytes.count)
        // 15 bits of window, as large as there are; 16 more for gzip's header and no other.
        guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .malformed("it cannot be begun")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    mutating func run(limit: Int) throws(Gzip.Failure) -> [UInt8] {
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.room)
        defer { room.deallocate() }
        var output: [UInt8] = []
        while true {
            // One byte beyond the limit tells that there is more.
            let space = min(Self.room, limit - output.count + 1)
            stream.pointee.next_out = room
            stream.pointee.avail_out = UInt32(space)
            let result = inflate(stream, Z_NO_FLUSH)
            output += UnsafeBufferPointer(start: room, count: space - Int(stream.pointee.avail_out))
            guard output.count <= limit else { throw .tooLarge }
            switch result {
            case Z_STREAM_END:
                if stream.pointee.avail_in == 0 { return output }
                // Another member follows.
                guard inflateReset(stream) == Z_OK else { throw .malformed("it cannot be gone on with") }
            case Z_OK: break
            case Z_BUF_ERROR: throw .malformed("it ends early")
            default:
                let said = stream.pointee.msg.map { String(cString: $0) } ?? "error \(result)"
                throw .malformed(said)
            }
        }
    }
}
