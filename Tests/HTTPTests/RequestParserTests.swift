import HTTPTypes
import POSIX
import Testing

@testable import HTTP

@Suite("Request parser")
struct RequestParserTests {
    @Test("a buffer that is never empty holds what is not taken, and not all that ever came")
    func compaction() {
        var buffer = ByteBuffer()
        let line = [UInt8](repeating: 120, count: 30_000) + Array("\n".utf8)
        let (front, back) = (line[..<15_000], line[15_000...])
        Array(front).withUnsafeBytes { buffer.append($0) }
        for _ in 0..<300 {
            Array(back + front).withUnsafeBytes { buffer.append($0) }
            #expect(buffer.takeLine()?.count == 30_000)
            #expect(buffer.count == 15_000)
        }
        #expect(buffer.capacity < 200_000)
    }

    @Test("a buffer that is empty keeps no room for what it once held")
    func emptied() {
        var buffer = ByteBuffer()
        [UInt8](repeating: 1, count: 1 << 20).withUnsafeBytes { buffer.append($0) }
        var taken: [UInt8] = []
        _ = buffer.take(1 << 20, into: &taken)
        #expect(buffer.capacity < 10_000)
    }

    @Test("room is made for a body as it comes, not as it was announced")
    func announcedBody() {
        var body: [UInt8] = []
        Array("{".utf8).withUnsafeBytes { body.append($0, ofBody: 1 << 40) }
        #expect(body.capacity < 100_000)
        [UInt8](repeating: 1, count: 100_000).withUnsafeBytes { body.append($0, ofBody: 1 << 40) }
        #expect(body.capacity < 1_000_000)
    }

    @Test("what a connection holds is known: the head that is being read, and the body")
    func heldBytes() {
        var state = ConnectionState(ServerBounds(body: 1 << 20), at: .now)
        Array("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nX: ".utf8).withUnsafeBytes { state.received($0) }
        _ = state.step(at: .now)
        #expect(state.heldBytes == 3)
        Array("\r\n\r\n".utf8).withUnsafeBytes { state.received($0) }
        _ = state.step(at: .now)
        #expect(state.heldBytes == 0)
        [UInt8](repeating: 1, count: 60_000).withUnsafeBytes { state.received($0) }
        _ = state.step(at: .now)
        #expect(state.heldBytes == 60_000)
    }
}
