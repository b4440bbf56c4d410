import FanOut
import FoundationEssentials
import SwiftProtobuf
import Testing
import Units

@testable import PostRecords

@Suite("Cached values")
struct CachedValueTests {
    private func isReadable(_ value: [UInt8]) -> Bool { value.withUnsafeBytes { CachedValue.isReadable($0) } }

    /// A field that holds bytes, as protobuf writes it; up to 127 of them.
    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }

    @Test("a value that is not one record and its meta is unreadable, and so is one of more than 1 MiB")
    func foreignValues() {
        let good = SyntheticPost.cacheValue(for: PostURI.make(seed: 1, number: 0))
        #expect(isReadable(good))
        #expect(isReadable([0x0a, 0, 0x12, 0]))
        let meta: [UInt8] = [0x12, 0]
        var foreign: [[UInt8]] = [[], Array("hello".utf8), Array(#"{"json":1}"#.utf8), [0xff, 0xff]]
        foreign += [good + good, good.dropLast(5), good + [0xff], good + [0], Array(good.dropFirst())]
        foreign += [[0x0a, 0], [0x0a, 0, 0x0a, 0, 0x12, 0], [0x0a, 0, 0x12, 0, 0x12, 0]]
        // Text that is no UTF-8.
        foreign += [field(1, field(2, [0xff])) + meta, field(1, field(9, [0xc0, 0x80])) + meta]
        // Times before year 1, and with too many nanoseconds.
        foreign.append(field(1, field(4, [0x08] + [UInt8](repeating: 0xff, count: 8) + [0x7f])) + meta)
        foreign.append(field(1, field(6, [0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03])) + meta)
        // A field number of 0, and a length beyond everything.
        foreign.append(field(1, [0x02, 0x00]) + meta)
        foreign.append([0x0a] + [UInt8](repeating: 0xff, count: 8) + [0x7f] + meta)
        for value in foreign { #expect(!isReadable(value), "\(value.prefix(40))") }
        for (count, isTaken) in [(CachedValue.maxBytes - 8, true), (CachedValue.maxBytes, false)] {
            var response = Bsky_GetPostRecordsResponse()
            response.records = [.with { $0.record = Data(count: count - 7) }]
            response.meta = [.init()]
            #expect(isReadable((try? response.serializedBytes()) ?? []) == isTaken, "\(count)")
        }
    }

    @Test(
        "every value that protobuf can say is readable, and none that swift-protobuf would not give out in both codecs"
    )
    func readable() throws {
        var random = SplitMix64(seed: 5)
        for (value, _) in try AnswerTests.values() {
            #expect(isReadable(value))
            // A field nobody knows, of each kind.
            for unknown in [
                [0xf8, 0x01, 0x05], [0xf9, 0x01] + [UInt8](repeating: 1, count: 8), [0xfd, 0x01, 1, 2, 3, 4],
            ] {
                #expect(isReadable(value + (unknown as [UInt8])))
            }
            var harmed = value
            for _ in 0..<1 + random.next() % 3 where !harmed.isEmpty {
                harmed[Int(random.next() % UInt64(harmed.count))] ^= 1 << (random.next() % 8)
            }
            guard isReadable(harmed) else { continue }
            let decoded = try #require(CachedValue(decoding: harmed))
            let json = AnswerJSON.body(of: [AnswerJSON([.hit(harmed)])]).joined()
            // JSON has no form for fields that nobody knows.
            let records = try Bsky_GetPostRecordsResponse(jsonUTF8Bytes: Array(json)).records
            #expect(try records.map { try $0.jsonString() } == [decoded.record.jsonString()])
        }
    }

    @Test("a text is plain if JSON has no other form for it")
    func plain() {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.".utf8)
        for byte in UInt8.min...UInt8.max {
            for text in [[byte], [97, byte], [byte, 97]] {
                #expect(text.withUnsafeBufferPointer { CachedValue.isPlain($0) } == plain.contains(byte), "\(byte)")
            }
        }
        #expect([UInt8]().withUnsafeBufferPointer { CachedValue.isPlain($0) })
    }
}
