import Testing
import Units

@testable import HTTP

@Suite("gzip")
struct GzipTests {
    /// What `printf hello | gzip -n` writes.
    private let hello: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86,
        0xa6,
        0x10, 0x36, 0x05, 0x00, 0x00, 0x00,
    ]

    /// Blocks of text that repeats itself, and of bytes that do not.
    private func blocks(_ sizes: [Int]) -> [[UInt8]] {
        var generator = SplitMix64(seed: 9)
        return sizes.enumerated().map { index, size in
            (0..<size).map { index % 2 == 0 ? UInt8($0 % 60) : UInt8(truncatingIfNeeded: generator.next()) }
        }
    }

    @Test("what gzip wrote is read, one member or several")
    func reads() throws {
        #expect(try Gzip.decompress(hello, limit: 5) == Array("hello".utf8))
        #expect(try Gzip.decompress(hello + hello, limit: 10) == Array("hellohello".utf8))
    }

    @Test(
        "what is written is read back, however it comes in blocks",
        arguments: [[0], [5], [0, 5, 0], [300_000], [1, 700_000, 3, 300_000, 0, 20, 500_000], [10, 10, 10]]
    )
    func roundTrip(sizes: [Int]) async throws {
        let blocks = blocks(sizes)
        let compressed = Array(await Gzip.compress(blocks).joined())
        #expect(try Gzip.decompress(compressed, limit: 10_000_000) == Array(blocks.joined()))
    }

    @Test("a bomb is stopped at the limit")
    func bomb() async throws {
        let bomb = Array(await Gzip.compress([[UInt8](repeating: 0, count: 50 << 20)]).joined())
        #expect(bomb.count < 1 << 20)
        #expect(throws: Gzip.Failure.tooLarge) { try Gzip.decompress(bomb, limit: 1 << 20) }
        #expect(throws: Gzip.Failure.tooLarge) { try Gzip.decompress(hello, limit: 4) }
        #expect(throws: Gzip.Failure.tooLarge) { try Gzip.decompress(hello + hello, limit: 9) }
    }

    @Test("what is cut off, or changed in a byte, is refused, or is still the same")
    func disturbed() throws {
        for length in 0..<hello.count {
            #expect(throws: Gzip.Failure.self, "cut at \(length)") {
                try Gzip.decompress(Array(hello[..<length]), limit: 100)
            }
        }
        for index in hello.indices {
            for bit in 0..<8 {
                var changed = hello
                changed[index] ^= 1 << bit
                let read = try? Gzip.decompress(changed, limit: 100)
                #expect(read == nil || read == Array("hello".utf8))
            }
        }
        #expect(throws: Gzip.Failure.self) { try Gzip.decompress(hello + [0], limit: 100) }
        #expect(throws: Gzip.Failure.self) { try Gzip.decompress(Array("hello".utf8), limit: 100) }
    }
}
