import PostRecords
import SwiftProtobuf
import Testing
import Units

@testable import LoadGenerator

@Suite("Answer check")
struct AnswerCheckTests {
    private static let workload = Workload(seed: 1, count: 600)

    /// What the server answers for posts, every third of them missing.
    private static func answer(_ numbers: [Int], _ codec: Codec) throws -> [UInt8] {
        var response = Bsky_GetPostRecordsResponse()
        for number in numbers {
            if number % 3 == 0 {
                response.records.append(Bsky_Record())
                response.meta.append(Bsky_PostRecordMeta())
            } else {
                try response.merge(serializedBytes: SyntheticPost.cacheValue(for: workload.uris[number]))
            }
        }
        return try codec == .json ? response.jsonUTF8Bytes() : response.serializedBytes()
    }

    private static func check(_ body: [UInt8], _ codec: Codec = .json, _ size: Int, first: Int = 0) throws
        -> AnswerCheck.Tally
    {
        var check = AnswerCheck(workload)
        return try check.check(body, codec, against: .neighbours(first: first, size: size))
    }

    @Test("it counts what swift-protobuf wrote, and knows each record", arguments: [1, 7, 500])
    func agrees(count: Int) throws {
        for codec in Codec.allCases {
            let body = try Self.answer(Array(0..<count), codec)
            let tally = try Self.check(body, codec, count)
            #expect(tally == .init(records: count, empty: (count + 2) / 3))
            #expect(throws: AnswerCheck.Fault.self) { try Self.check(Array(body.dropLast()), codec, count) }
        }
    }

    @Test("a record with default values alone was not found, as one without fields")
    func defaults() throws {
        let records = [
            #"{"record":null,"cid":""}"#, #"{"cid":"","tags":[],"createdAt":{},"takenDown":false,"n":0}"#, "{}",
            #"{"record":"eA==","cid":""}"#, #"{"tags":["x"]}"#, #"{"takenDown":true}"#,
        ]
        let body = Array("{\"records\":[\(records.joined(separator: ","))]}".utf8)
        #expect(try Self.check(body, .json, 6) == .init(records: 6, empty: 3))
    }

    @Test("records in another order, of other posts, too few and too many are told apart", arguments: Codec.allCases)
    func faults(codec: Codec) throws {
        #expect(throws: AnswerCheck.Fault.record) {
            try Self.check(try Self.answer([2, 1], codec), codec, 2, first: 1)
        }
        #expect(throws: AnswerCheck.Fault.record) {
            try Self.check(try Self.answer([4, 5], codec), codec, 2, first: 1)
        }
        #expect(throws: AnswerCheck.Fault.count) { try Self.check(try Self.answer([1], codec), codec, 2, first: 1) }
        #expect(throws: AnswerCheck.Fault.count) {
            try Self.check(try Self.answer([1, 2, 3], codec), codec, 2, first: 1)
        }
        #expect(throws: AnswerCheck.Fault.count) {
            try Self.check(Array(#"{"records":[{},{}],"meta":[{}]}"#.utf8), .json, 2)
        }
        // A post that nobody knew before has its own record too.
        var check = AnswerCheck(Self.workload)
        let fresh = Selection.posts([1, 600], freshSeed: 9)
        let own =
            SyntheticPost.cacheValue(for: Self.workload.uris[1])
            + SyntheticPost.cacheValue(for: PostURI.make(seed: 9, number: 600))
        #expect(try check.check(own, .proto, against: fresh).records == 2)
        #expect(throws: AnswerCheck.Fault.record) {
            try check.check(own, .proto, against: .posts([1, 601], freshSeed: 9))
        }
    }

    @Test("records of a server with posts of its own are counted, and not judged")
    func foreign() throws {
        let tally = try Self.check(Array(#"{"records":[{"record":"e30=","cid":"b"},{"cid":"b"}]}"#.utf8), .json, 2)
        #expect(tally == .init(records: 2, empty: 0))
    }

    @Test("spaces, braces in texts and other members do not mislead it")
    func misleading() throws {
        let text =
            #" { "meta" : [ {} , {"a":[{}]}, {} ], "x":"records", "records" : [ { } , {"cid":"{}]\"","r":[{},{}]}, {}] } "#
        #expect(try Self.check(Array(text.utf8), .json, 3) == .init(records: 3, empty: 2))
    }

    @Test(
        "what is not JSON to the letter is no answer",
        arguments: [
            "", "[]", "{\"records\":[{}", "null", "{\"records\":[{\"a\":\"}]}", "hello", "{\"records\":[{}]}x",
            #"{"records":[{,,,:x}]}"#, #"{"records":[{}] "zzz" }"#, #"{"records":[{} ,]}"#, #"{"records":[{"a":01}]}"#,
            #"{"records":[{"a":tru}]}"#, #"{"records":[{"a":"\x"}]}"#, #"{"records":[{"a":-}]}"#,
            #"{"records":[{"a" 1}]}"#,
            #"{"records":{}}"#, #"{"records":[1]}"#, "{\"records\":[{\"a\":\"\u{1}\"}]}",
            String(repeating: "{\"a\":", count: 10_000),
        ]
    )
    func broken(text: String) {
        #expect(throws: AnswerCheck.Fault.json) { try Self.check(Array(text.utf8), .json, 1) }
    }

    @Test("the cid of a post is known without making the post")
    func cids() throws {
        for number in 0..<200 {
            let uri = PostURI.make(seed: 7, number: number)
            let value = try Bsky_GetPostRecordsResponse(serializedBytes: SyntheticPost.cacheValue(for: uri))
            let cid = Array(uri.utf8).withUnsafeBufferPointer { SyntheticPost.cid(of: $0) }
            #expect(String(decoding: cid, as: UTF8.self) == value.records[0].cid)
        }
    }
}
