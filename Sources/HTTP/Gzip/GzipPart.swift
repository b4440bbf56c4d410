internal import CZlib

/// A stretch of a gzip stream that was compressed for itself: several threads can each compress a part of a large
/// answer, and the parts, one behind another, are one stream.
package struct GzipPart: Sendable {
    /// Level 1: the cores that compress are those that look up.
    private static let level: CInt = 1
    /// Deflate (RFC 1951) that ends at a byte, and is not the last of its stream.
    private let deflated: [UInt8]
    private let count: Int
    private let checksum: UInt

    /// Compresses neighbours together. deflate(3) of zlib.h
    package init(_ blocks: ArraySlice<[UInt8]>) {
        count = blocks.reduce(0) { $0 + $1.count }
        var checksum = crc32(0, nil, 0)
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        defer { stream.deallocate() }
        stream.initialize(to: z_stream())
        // Below zero: no header and no trailer. It fails for want of memory only, which ends a Swift process anyway.
        let begun = deflateInit2_(
            stream,
            Self.level,
            Z_DEFLATED,
            -15,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size)
        )
        precondition(begun == Z_OK, "deflateInit2: \(begun)")
        defer { deflateEnd(stream) }
        // The flush at its end takes some bytes more than what the bound is for.
        let room = Int(deflateBound(stream, UInt(count))) + 64
        deflated = [UInt8](unsafeUninitializedCapacity: room) { output, filled in
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(room)
            for block in blocks {
                block.withUnsafeBufferPointer { input in
                    checksum = crc32(checksum, input.baseAddress, UInt32(input.count))
                    stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                    stream.pointee.avail_in = UInt32(input.count)
                    // There is room for all of it, so it takes all of it.
                    _ = deflate(stream, Z_NO_FLUSH)
                }
            }
            _ = deflate(stream, Z_SYNC_FLUSH)
            filled = room - Int(stream.pointee.avail_out)
        }
        self.checksum = checksum
    }

    /// The whole stream out of its parts. RFC 1952 section 2.3
    package static func stream(of parts: [GzipPart]) -> [[UInt8]] {
        // No name, no time, unknown system.
        let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
        var checksum: UInt = 0
        var count = 0
        for part in parts {
            checksum = crc32_combine(checksum, part.checksum, part.count)
            count += part.count
        }
        // An empty block, which is the last.
        var end: [UInt8] = [3, 0]
        for number in [UInt32(truncatingIfNeeded: checksum), UInt32(truncatingIfNeeded: count)] {
            for shift in [0, 8, 16, 24] as [UInt32] { end.append(UInt8(truncatingIfNeeded: number >> shift)) }
        }
        return [header] + parts.map(\.deflated) + [end]
    }
}
