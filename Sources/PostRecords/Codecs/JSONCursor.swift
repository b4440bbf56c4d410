internal import Text

/// Writes JSON at a place in memory, and moves on. Whoever makes one has made room enough.
struct JSONCursor {
    private(set) var next: UnsafeMutablePointer<UInt8>

    init(_ start: UnsafeMutablePointer<UInt8>) {
        next = start
    }

    mutating func put(_ byte: UInt8) {
        next.pointee = byte
        next += 1
    }

    mutating func put(_ text: StaticString) {
        next.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        next += text.utf8CodeUnitCount
    }

    /// Bytes that JSON does not escape.
    mutating func put(_ plain: UnsafeBufferPointer<UInt8>) {
        guard let start = plain.baseAddress else { return }
        next.update(from: start, count: plain.count)
        next += plain.count
    }

    mutating func put(_ time: CivilTime) {
        time.write(to: next)
        next += CivilTime.length
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// Two characters for each 12 bits, the first in the byte that lies first in memory.
    private static let pairs = (0..<4096).map { bits in
        UInt16(littleEndian: UInt16(alphabet[bits >> 6]) | UInt16(alphabet[bits & 63]) << 8)
    }

    /// RFC 4648 section 4, with padding.
    mutating func putBase64(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard var read = bytes.baseAddress.map({ UnsafeRawPointer($0) }) else { return }
        let end = read + bytes.count
        var write = UnsafeMutableRawPointer(next)
        Self.pairs.withUnsafeBufferPointer { pairs in
            // Six bytes are eight characters; two bytes more are loaded, and left alone.
            while end - read >= 8 {
                let bits = UInt64(bigEndian: read.loadUnaligned(as: UInt64.self))
                write.storeBytes(of: pairs[Int(bits >> 52)], as: UInt16.self)
                write.storeBytes(of: pairs[Int(bits >> 40 & 4095)], toByteOffset: 2, as: UInt16.self)
                write.storeBytes(of: pairs[Int(bits >> 28 & 4095)], toByteOffset: 4, as: UInt16.self)
                write.storeBytes(of: pairs[Int(bits >> 16 & 4095)], toByteOffset: 6, as: UInt16.self)
                read += 6
                write += 8
            }
            while end > read {
                let count = min(end - read, 3)
                var group = 0
                for index in 0..<3 {
                    group = group << 8 | (index < count ? Int(read.load(fromByteOffset: index, as: UInt8.self)) : 0)
                }
                write.storeBytes(of: pairs[group >> 12], as: UInt16.self)
                write.storeBytes(of: pairs[group & 4095], toByteOffset: 2, as: UInt16.self)
                for padding in count..<3 {
                    write.storeBytes(of: UInt8(ascii: "="), toByteOffset: padding + 1, as: UInt8.self)
                }
                read += count
                write += 4
            }
        }
        next = write.assumingMemoryBound(to: UInt8.self)
    }
}
