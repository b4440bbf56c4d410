import FanOut
import FoundationEssentials
import HTTP
import HTTPTypes
import Memcached
import POSIX
import SwiftProtobuf
import Testing

@testable import PostRecords

@Suite("Posts")
struct PostTests {
    @Test("a post URI has 70 bytes, is a memcached key, and is the same for the same seed")
    func uris() {
        let uris = (0..<1000).map { PostURI.make(seed: 5, number: $0) }
        #expect(uris.allSatisfy { $0.utf8.count == 70 && PostURI.keyProblem($0) == nil })
        #expect(Set(uris).count == 1000)
        #expect(uris == (0..<1000).map { PostURI.make(seed: 5, number: $0) })
        #expect(Set(uris).isDisjoint(with: (0..<1000).map { PostURI.make(seed: 6, number: $0) }))
        let form = /at:\/\/did:plc:[a-z2-7]{24}\/app\.bsky\.feed\.post\/[2-7a-j][2-7a-z]{12}/
        #expect(uris.allSatisfy { $0.wholeMatch(of: form) != nil })
    }

    @Test(
        "what memcached cannot have as a key is said",
        arguments: ["", "a b", "a\tb", "a\u{7f}", "a\r\nb", String(repeating: "x", count: 251)]
    )
    func keyProblems(uri: String) {
        #expect(PostURI.keyProblem(uri) != nil)
    }

    @Test("a key of 250 bytes is the longest")
    func longestKey() {
        #expect(PostURI.keyProblem(String(repeating: "x", count: 250)) == nil)
        #expect(PostURI.keyProblem(String(repeating: "é", count: 125)) == nil)
        #expect(PostURI.keyProblem(String(repeating: "é", count: 126)) != nil)
    }

    @Test("a made-up post is JSON of 170 to 800 bytes, and the same each time")
    func synthetic() throws {
        for number in 0..<500 {
            let uri = PostURI.make(seed: 1, number: number)
            let (record, _) = SyntheticPost.make(for: uri)
            #expect((170...800).contains(record.record.count), "\(record.record.count) bytes")
            #expect(SyntheticPost.cacheValue(for: uri) == SyntheticPost.cacheValue(for: uri))
            struct Post: Decodable { var text: String, createdAt: String }
            let post = try JSONDecoder().decode(Post.self, from: record.record)
            #expect(!post.text.isEmpty)
            // The date in the JSON is the one beside it, as protobuf's own JSON writes it.
            #expect(try record.createdAt.jsonString() == "\"\(post.createdAt)\"")
        }
    }
}

@Suite("Answers")
struct AnswerTests {
    private let failure = Outcome.failed(.timeout(after: .seconds(1), server: .ipv4(.loopback, port: 1)))

    @Test("records and meta have the length and order of the URIs, with empty ones where there is none")
    func places() {
        let uris = (0..<4).map { PostURI.make(seed: 1, number: $0) }
        let outcomes: [Outcome] = [
            .hit(SyntheticPost.cacheValue(for: uris[0])), failure, .missing,
            .stored(SyntheticPost.cacheValue(for: uris[3])),
        ]
        let response = Bsky_GetPostRecordsResponse(outcomes[...]) { _ in Issue.record("nothing is unreadable") }
        #expect(response.records.count == 4)
        #expect(response.meta.count == 4)
        #expect(response.records[0] == SyntheticPost.make(for: uris[0]).record)
        #expect(response.records[1] == Bsky_Record())
        #expect(response.records[2] == Bsky_Record())
        #expect(response.records[3] == SyntheticPost.make(for: uris[3]).record)
        #expect(response.meta[3] == SyntheticPost.make(for: uris[3]).meta)
    }

    @Test("an answer put together from pieces is the answer written whole", arguments: [1, 2, 7, 100])
    func pieces(size: Int) throws {
        let uris = (0..<20).map { PostURI.make(seed: 1, number: $0) }
        let outcomes: [Outcome] = uris.map { .hit(SyntheticPost.cacheValue(for: $0)) } + [failure, .missing]
        let whole = Bsky_GetPostRecordsResponse(outcomes[...]) { _ in }
        var pieces = JSONPieces()
        for start in stride(from: 0, to: outcomes.count, by: size) {
            let slice = outcomes[start..<min(start + size, outcomes.count)]
            pieces.append(try .init(Bsky_GetPostRecordsResponse(slice) { _ in }))
        }
        let expected: [UInt8] = try whole.jsonUTF8Bytes()
        #expect(pieces.joined() == expected)
    }

    @Test(
        "a cached value that is somebody else's leaves its place empty and moves no other",
        arguments: [[], Array("hello".utf8), [0x0a, 0x00], [0x0a, 0x00, 0x0a, 0x00, 0x12, 0x00], [0xff, 0xff]]
    )
    func foreignValue(value: [UInt8]) {
        let uri = PostURI.make(seed: 1, number: 0)
        let good = SyntheticPost.cacheValue(for: uri)
        var unreadable: [Int] = []
        let response = Bsky_GetPostRecordsResponse([.hit(good), .hit(value), .hit(good)]) { unreadable.append($0) }
        #expect(unreadable == [1])
        #expect(response.records.count == 3)
        #expect(response.meta.count == 3)
        #expect(response.records[0] == response.records[2])
        #expect(response.records[1] == Bsky_Record())
    }
}

@Suite("Settings")
struct SettingsTests {
    @Test("each setting reads its own text back")
    func roundTrip() throws {
        var settings = Settings()
        let texts = [
            "limit": "request:64", "fanout": "multiget:500", "dialer": "rotate", "late-bind": "true",
            "max-idle": "64", "lookup-timeout": "250ms", "log-mode": "off", "log-sink": "file:/tmp/x",
        ]
        for name in Settings.names {
            #expect(settings[name] != texts[name], "the test changes nothing")
            try settings.set(name, to: texts[name]!)
            #expect(settings[name] == texts[name])
        }
    }

    @Test("the defaults are the incident's")
    func defaults() {
        let settings = Settings()
        let texts = Settings.names.map { "\($0)=\(settings[$0]!)" }
        #expect(
            texts == [
                "limit=none", "fanout=per-uri", "dialer=bind:127.32.0.1", "late-bind=false", "max-idle=2",
                "lookup-timeout=500ms", "log-mode=blocking", "log-sink=stderr",
            ]
        )
    }

    @Test("a document of settings is read back as it was written, numbers as numbers")
    func document() throws {
        let bytes = JSONText.encode(SettingsDocument(Settings()))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("\"max-idle\" : 2"))
        #expect(text.contains("\"late-bind\" : false"))
        var settings = Settings()
        for change in try JSONText.decode(SettingsDocument.self, from: bytes).changes {
            try settings.set(change.name, to: change.text)
        }
        #expect(settings == Settings())
    }

    @Test(
        "a wrong value says which setting it was for and what it takes",
        arguments: [
            ("limit", "64"), ("max-idle", "-1"), ("lookup-timeout", "0s"), ("log-mode", "loud"), ("speed", "1"),
        ]
    )
    func wrong(name: String, text: String) {
        var settings = Settings()
        let problem = #expect(throws: Settings.Problem.self) { try settings.set(name, to: text) }
        #expect(problem?.description.contains(name) == true)
        #expect(settings == Settings())
    }
}

@Suite("Record store")
struct RecordStoreTests {
    @Test("reads beyond its concurrency wait for the reader that is free first")
    func queue() {
        var readers = RecordStore.Readers(count: 2, latency: .milliseconds(10))
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        let done = (0..<5).map { _ in (readers.schedule(at: start) - start) / .milliseconds(1) }
        #expect(done == [10, 10, 20, 20, 30])
        let later = start + .seconds(1)
        #expect(readers.schedule(at: later) - later == .milliseconds(10))
    }
}
