import FanOut
import FoundationEssentials
import HTTP
import HTTPTypes
import Memcached
import POSIX
import SwiftProtobuf
import TestSupport
import Testing
import Text
import Units

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
    private let uris = (0..<40).map { PostURI.make(seed: 1, number: $0) }

    private func read(_ outcomes: [Outcome], _ codec: Codec) throws -> Bsky_GetPostRecordsResponse {
        switch codec {
        case .json:
            let body = AnswerJSON.body(of: [AnswerJSON(outcomes[...])])
            return try Bsky_GetPostRecordsResponse(jsonUTF8Bytes: Array(body.joined()))
        case .proto:
            let body = AnswerProto.body(of: [AnswerProto(outcomes[...])])
            return try Bsky_GetPostRecordsResponse(serializedBytes: Array(body.joined()))
        }
    }

    @Test(
        "records and meta have the length and order of the URIs, with empty ones where there is none",
        arguments: Codec.allCases
    )
    func places(codec: Codec) throws {
        let outcomes: [Outcome] = [
            .hit(SyntheticPost.cacheValue(for: uris[0])), failure, .missing,
            .stored(SyntheticPost.cacheValue(for: uris[3])),
        ]
        let response = try read(outcomes, codec)
        #expect(response.records.count == 4)
        #expect(response.meta.count == 4)
        #expect(response.records[0] == SyntheticPost.make(for: uris[0]).record)
        #expect(response.records[1] == Bsky_Record())
        #expect(response.records[2] == Bsky_Record())
        #expect(response.records[3] == SyntheticPost.make(for: uris[3]).record)
        #expect(response.meta[3] == SyntheticPost.make(for: uris[3]).meta)
    }

    @Test("an answer in parts is, to the byte, what swift-protobuf writes for the whole", arguments: [1, 2, 7, 100])
    func parts(size: Int) throws {
        let outcomes: [Outcome] = uris.map { .hit(SyntheticPost.cacheValue(for: $0)) } + [failure, .missing]
        var whole = Bsky_GetPostRecordsResponse()
        for uri in uris { try whole.merge(serializedBytes: SyntheticPost.cacheValue(for: uri)) }
        whole.records += [Bsky_Record(), Bsky_Record()]
        whole.meta += [Bsky_PostRecordMeta(), Bsky_PostRecordMeta()]
        let slices = stride(from: 0, to: outcomes.count, by: size).map { start in
            outcomes[start..<min(start + size, outcomes.count)]
        }
        let expected: [UInt8] = try whole.jsonUTF8Bytes()
        #expect(Array(AnswerJSON.body(of: slices.map { AnswerJSON($0) }).joined()) == expected)
        // In protobuf records and metas alternate; what they say is the same.
        let proto = Array(AnswerProto.body(of: slices.map { AnswerProto($0) }).joined())
        #expect(try Bsky_GetPostRecordsResponse(serializedBytes: proto) == whole)
    }

    @Test("what became of lookups is counted over all parts, large batches and small", arguments: Codec.allCases)
    func tally(codec: Codec) async throws {
        let value = SyntheticPost.cacheValue(for: uris[0])
        var outcomes = [Outcome](repeating: .hit(value), count: 4500)
        outcomes[0] = failure
        outcomes[2100] = .missing
        outcomes[4499] = .stored(value)
        let answer = await Answer(outcomes, in: codec)
        #expect(answer.tally.hits == 4497)
        #expect(answer.tally.misses == 2)
        #expect(answer.tally.errors == ["ETIMEDOUT": 1])
        #expect(answer.tally.failed == 1)
        let body = Array(answer.body.joined())
        let read: Bsky_GetPostRecordsResponse = try codec.decode(body)
        #expect(read.records.indices.filter { read.records[$0] == Bsky_Record() } == [0, 2100])
        #expect(read.records.count == 4500)
        #expect(read.meta.count == 4500)
    }

    /// Values of every shape, made with swift-protobuf; the rewriting may decline, never differ.
    static func values() throws -> [(value: [UInt8], json: (record: [UInt8], meta: [UInt8]))] {
        var generator = SplitMix64(seed: 11)
        return try (0..<4000).map { _ in
            var record = Bsky_Record()
            func chance(_ of: UInt64) -> Bool { generator.next() % of == 0 }
            if !chance(5) {
                record.record = Data(
                    (0..<Int(generator.next() % 40)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
                )
            }
            if !chance(5) { record.cid = chance(8) ? "bad \"quote\\ é\u{7}" : "bafy\(generator.next())" }
            func time() -> Google_Protobuf_Timestamp {
                let seconds = chance(6) ? -5 : chance(6) ? 0 : Int64(generator.next() % 253_402_300_800)
                return .init(seconds: seconds, nanos: chance(4) ? 120_000_000 : 0)
            }
            if !chance(5) { record.indexedAt = time() }
            if chance(3) { record.takenDown = true }
            if !chance(5) { record.createdAt = time() }
            if !chance(5) { record.sortedAt = time() }
            if chance(9) { record.takedownRef = "ref" }
            if chance(9) { record.tags = ["a", ""] }
            var meta = Bsky_PostRecordMeta()
            meta.violatesThreadGate = chance(2)
            meta.hasMedia_p = chance(2)
            meta.isReply = chance(2)
            meta.violatesEmbeddingRules = chance(2)
            meta.hasPostGate_p = chance(2)
            meta.hasThreadGate_p = chance(2)
            meta.hasVideo_p = chance(2)
            var response = Bsky_GetPostRecordsResponse()
            response.records = [record]
            response.meta = [meta]
            return (try response.serializedBytes(), (try record.jsonUTF8Bytes(), try meta.jsonUTF8Bytes()))
        }
    }

    @Test("rewriting a cached value gives swift-protobuf's own JSON, or declines and leaves nothing behind")
    func rewriting() throws {
        var rewritten = 0
        for (value, json) in try Self.values() {
            var records = Array("r".utf8)
            var meta = Array("m".utf8)
            let isRewritten = CachedValueJSON.rewrite(value, into: &records, &meta)
            if isRewritten {
                rewritten += 1
                #expect(records.dropFirst() == json.record[...])
                #expect(meta.dropFirst() == json.meta[...])
            } else {
                #expect(records == Array("r".utf8))
                #expect(meta == Array("m".utf8))
            }
        }
        #expect(rewritten > 500, "the test has seen too few")
        #expect(rewritten < 4000, "and none it should decline")
    }

    @Test("what the service itself caches is never declined")
    func ownValues() {
        for uri in uris {
            var (records, meta): ([UInt8], [UInt8]) = ([], [])
            #expect(CachedValueJSON.rewrite(SyntheticPost.cacheValue(for: uri), into: &records, &meta))
        }
    }

    @Test("a value cut off anywhere is declined, and read by nobody as something else")
    func cutOff() {
        let value = SyntheticPost.cacheValue(for: uris[0])
        for length in 0..<value.count {
            var (records, meta): ([UInt8], [UInt8]) = ([], [])
            #expect(!CachedValueJSON.rewrite(Array(value[..<length]), into: &records, &meta))
            #expect(records.isEmpty && meta.isEmpty)
            #expect(!value[..<length].withUnsafeBytes { CachedValue.isReadable($0) })
        }
    }

    @Test("a value that could not be read leaves its place empty and moves no other", arguments: Codec.allCases)
    func unreadable(codec: Codec) async throws {
        let good = SyntheticPost.cacheValue(for: uris[0])
        let response = try read([.hit(good), .unreadable, .hit(good)], codec)
        #expect(response.records.count == 3)
        #expect(response.meta.count == 3)
        #expect(response.records[0] == response.records[2])
        #expect(response.records[1] == Bsky_Record())
        let tally = await Answer([.hit(good), .unreadable, .missing], in: codec).tally
        #expect([tally.hits, tally.misses, tally.unreadable, tally.failed] == [1, 1, 1, 0])
    }
}

@Suite("Settings")
struct SettingsTests {
    @Test(
        "a number that nothing could be made of is refused, and what it may be is said",
        arguments: [
            ("max-idle", "1e9"), ("max-idle", "1000000000"), ("max-idle", "9223372036854775808"), ("max-idle", "-1"),
            ("max-batch", "10000001"), ("max-per-caller", "9223372036854775807"), ("limit", "request:10000001"),
            ("limit", "process:1,queue=10000001"), ("limit", "process:1,wait=61m"), ("limit", "aimd:max=99999999999"),
            ("limit", "request:9223372036854775808"), ("lookup-timeout", "61m"), ("lookup-timeout", "2562047h"),
            ("store-latency", "87841h"), ("log-sink", "pipe:1025GiB/s"), ("fanout", "multiget:9223372036854775807"),
        ]
    )
    func absurd(name: String, text: String) {
        var settings = Settings()
        let problem = #expect(throws: Settings.Problem.self) { try settings.set(name, to: text) }
        #expect(problem?.setting == name)
        #expect(problem?.reason.contains("\n") == false)
        #expect(problem?.reason.contains { $0.isNumber } == true)
        #expect(settings == Settings())
    }

    @Test("each setting reads its own text back")
    func roundTrip() throws {
        var settings = Settings()
        let texts = [
            "limit": "request:64", "fanout": "multiget:500", "dialer": "rotate", "late-bind": "true",
            "reuse-address": "port", "linger": "rst", "local-port-range": "40000-41023", "max-open": "64",
            "open-wait": "1s", "retries": "3", "dedupe": "true", "close": "server",
            "max-idle": "64", "lookup-timeout": "250ms", "log-mode": "off", "log-sink": "file:/tmp/x",
            "store-latency": "9ms", "max-batch": "500", "max-per-caller": "900",
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
                "limit=none", "fanout=per-uri", "dialer=bind:127.32.0.1", "late-bind=false",
                "reuse-address=off", "linger=off", "local-port-range=none", "max-idle=2", "close=client",
                "max-open=none",
                "open-wait=5s", "lookup-timeout=500ms", "retries=0", "dedupe=false", "log-mode=blocking",
                "log-sink=stderr",
                "store-latency=2ms", "max-batch=0", "max-per-caller=0",
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
        for change in try JSONText.decode(SettingsDocument.self, from: bytes).changes() {
            settings.apply([change])
        }
        #expect(settings == Settings())
    }

    @Test(
        "a wrong value says which setting it was for and what it takes",
        arguments: [
            ("limit", "64"), ("max-idle", "-1"), ("lookup-timeout", "0s"), ("log-mode", "loud"), ("speed", "1"),
            ("reuse-address", "on"), ("linger", "0"), ("local-port-range", "41023-40000"),
            ("local-port-range", "1-70000"),
            ("local-port-range", "0-5"), ("local-port-range", "+5-9"), ("max-open", "0"), ("open-wait", "0s"),
            ("retries", "11"), ("dedupe", "yes"), ("close", "quit"),
        ]
    )
    func wrong(name: String, text: String) {
        var settings = Settings()
        let problem = #expect(throws: Settings.Problem.self) { try settings.set(name, to: text) }
        #expect(problem?.description.contains(name) == true)
        #expect(settings == Settings())
    }
}

@Suite("Settings for servers")
struct SettingsMisfitTests {
    private struct Case: Sendable {
        var servers: String
        var changes: [String: String]
        /// The setting that is refused.
        var name: String?
    }

    private static let cases: [Case] = [
        Case(servers: "unix:/a", changes: ["dialer": "rotate"], name: "dialer"),
        Case(servers: "unix:/a", changes: ["late-bind": "true"], name: "late-bind"),
        Case(servers: "unix:/a", changes: ["linger": "rst"], name: "linger"),
        Case(servers: "unix:/a", changes: ["local-port-range": "1-9"], name: "local-port-range"),
        Case(servers: "unix:/a", changes: ["reuse-address": "port"], name: "reuse-address"),
        Case(servers: "unix:/a", changes: ["close": "server"], name: "close"),
        Case(servers: "unix:/a", changes: [:], name: nil),
        Case(servers: "unix:/a", changes: ["dialer": "kernel", "max-open": "3"], name: nil),
        Case(servers: "[::1]:1", changes: ["dialer": "bind:127.0.0.9"], name: "dialer"),
        Case(servers: "[::1]:1", changes: ["linger": "rst"], name: nil),
        Case(servers: "[::1]:1", changes: ["dialer": "bind:::1"], name: nil),
        Case(servers: "[::1]:1", changes: ["dialer": "rotate:fd00::/64", "late-bind": "true"], name: nil),
        Case(servers: "127.0.0.1:1", changes: ["dialer": "rotate:fd00::/64"], name: "dialer"),
        Case(servers: "127.0.0.1:1,unix:/a", changes: ["dialer": "bind:fd00::1"], name: "dialer"),
        Case(servers: "unix:/a", changes: ["dialer": "rotate:127.5.0.0/16"], name: "dialer"),
        Case(servers: "[::1]:1,127.0.0.1:1", changes: ["dialer": "rotate"], name: nil),
        Case(servers: "[::ffff:127.0.0.1]:1", changes: ["dialer": "rotate"], name: nil),
    ]

    @Test("what has no meaning with any of the servers is refused, by the setting's name", arguments: cases)
    private func misfit(_ fixture: Case) throws {
        var settings = Settings()
        for (name, text) in fixture.changes { try settings.set(name, to: text) }
        #expect(settings.misfit(try ServerList(text: fixture.servers))?.setting == fixture.name)
    }

    @Test(
        "an address that is none is refused, and the forms named",
        arguments: ["::1:11211", "[::1]", "[::1]:0", "[fe80::1%lo]:1", "unix:a", "[127.0.0.1:1", "localhost", ""]
    )
    func wrongAddress(text: String) {
        let error = #expect(throws: UnitTextError.self) { try ServerList(text: text) }
        #expect(error?.description.contains("[ADDRESS]:PORT for IPv6, or unix:/path") == true)
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
