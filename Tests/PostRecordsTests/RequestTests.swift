import FanOut
import POSIX
import SwiftProtobuf
import TestSupport
import Testing
import Units

@testable import PostRecords

@Suite("Requests")
struct RequestTests {
    private let uris = (0..<500).map { PostURI.make(seed: 1, number: $0) }

    private func read(_ body: [UInt8], _ codec: Codec, limit: Int = 1000) throws -> [String] {
        let keys = try KeyList.read(body, in: codec, limit: limit)
        return (0..<keys.count).map { keys.text($0) }
    }

    private func message(of body: String, limit: Int = 1000) -> String? {
        do {
            _ = try read(Array(body.utf8), .json, limit: limit)
            return nil
        } catch {
            return (error as? ConnectError)?.message
        }
    }

    @Test("a request is read as swift-protobuf reads it, however it is spaced", arguments: Codec.allCases)
    func plain(codec: Codec) throws {
        for count in [1, 2, 500] {
            let request = Bsky_GetPostRecordsRequest.with { $0.uris = Array(uris.prefix(count)) }
            let body: [UInt8] = try codec == .json ? request.jsonUTF8Bytes() : request.serializedBytes()
            #expect(try read(body, codec) == request.uris)
        }
        if codec == .json {
            #expect(try read(Array(" { \"uris\" :\n[ \"a\" ,\t\"bc\" ] }\r\n".utf8), codec) == ["a", "bc"])
        }
    }

    @Test(
        "escapes, other letters, and what is not asked for are read over",
        arguments: [
            (#"{"uris":["\u0061\/\"b\"\\"]}"#, [#"a/"b"\"#]),
            (#"{"uris":["é","\ud83d\ude00","😀"]}"#, ["é", "😀", "😀"]),
            (#"{"viewerDid":"did:plc:a","uris":["a"],"viewer_did":null}"#, ["a"]),
            (#"{"uris":null,"uris":["a"],"more":{"a":[1,-2.5e+3,{"b":[]},[{}]],"c":"\n"},"uris":["b"]}"#, ["a", "b"]),
            (#"{"x":[[[],{}],true,false,null,0,1.5,1e5],"\u0075ris":["a"]}"#, ["a"]),
        ]
    )
    func whole(body: String, expected: [String]) throws {
        #expect(try read(Array(body.utf8), .json) == expected)
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        #expect(try Bsky_GetPostRecordsRequest(jsonString: body, options: options).uris == expected)
    }

    @Test(
        "what is not the JSON of a request is said with its place, and what was expected there",
        arguments: [
            ("", "at byte 0, expected an object, as in {\"uris\": [\"at://...\"]}, and found an empty body"),
            ("[]", "at byte 0, expected an object, as in {\"uris\": [\"at://...\"]}, and found a list"),
            (
                "\u{feff}{}",
                "at byte 0, expected an object, as in {\"uris\": [\"at://...\"]}, and found a byte order mark"
            ),
            (#"{"uris":["#, "at byte 9, expected a URI in quotes, and found the end of the body"),
            (#"{"uris":[1]}"#, "at byte 9, expected a URI in quotes, and found a number"),
            (#"{"uris":[null]}"#, "at byte 9, expected a URI in quotes, and found null"),
            (#"{"uris":["a",]}"#, "at byte 13, expected a URI in quotes, and found ']'"),
            (#"{"uris":["a" "b"]}"#, "at byte 13, expected a comma, or ] at the end of uris, and found a string"),
            (#"{"uris":"a"}"#, "at byte 8, expected a list of strings as uris, and found a string"),
            (#"{"uris":["a"]}x"#, "at byte 14, expected nothing after the request, and found 'x'"),
            (#"{"uris":["a"}"#, "at byte 12, expected a comma, or ] at the end of uris, and found '}'"),
            (#"{"uris":["a"],}"#, "at byte 14, expected the name of a member in quotes, and found '}'"),
            (#"{"uris" ["a"]}"#, "at byte 8, expected a colon after the name of a member, and found a list"),
            (#"{"viewerDid":5}"#, "at byte 13, expected a string as viewerDid, and found a number"),
            (#"{"x":01}"#, "at byte 6, expected a comma, or } at the end of the request, and found a number"),
            (#"{"x":-}"#, "at byte 6, expected a digit, and found '}'"),
            (#"{"x":[1,]}"#, "at byte 8, expected a value, and found ']'"),
            (#"{"x":{"a":1,}}"#, "at byte 12, expected the name of a member in quotes, and found '}'"),
            (#"{"x":tru}"#, "at byte 5, expected a value, and found 't'"),
            ("{\"uris\":[\"a\nb\"]}", "at byte 11, expected no control character in a string, and found the byte 0xa"),
        ]
    )
    func problems(body: String, expected: String) {
        #expect(message(of: body) == "the body is not the JSON of a request: " + expected)
        #expect(throws: (any Error).self) { try Bsky_GetPostRecordsRequest(jsonString: body) }
    }

    @Test("a wrong key is named by its index, one too many by the bound", arguments: Codec.allCases)
    func keys(codec: Codec) throws {
        func body(_ uris: [String]) throws -> [UInt8] {
            let request = Bsky_GetPostRecordsRequest.with { $0.uris = uris }
            return try codec == .json ? request.jsonUTF8Bytes() : request.serializedBytes()
        }
        for wrong in ["", "a b", "a\u{7f}", "a\r\nflush_all\r\n", String(repeating: "x", count: 251)] {
            let error = #expect(throws: ConnectError.self) { try read(try body(["a", wrong]), codec) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.hasPrefix("uris[1] cannot be looked up: ") == true)
        }
        #expect(try read(try body(Array(uris.prefix(5))), codec, limit: 5).count == 5)
        let error = #expect(throws: ConnectError.self) { try read(try body(Array(uris.prefix(6))), codec, limit: 5) }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message == "there are more than 5 URIs in one request; ask for fewer at once")
        #expect(throws: ConnectError.self) { try read(try body([]), codec) }
    }

    @Test("what is nested deep is refused without a deep stack")
    func nested() {
        for text in [String(repeating: "[", count: 1 << 20), String(repeating: "{\"a\":", count: 1 << 20)] {
            #expect(message(of: "{\"x\":" + text)?.contains("nested 100 deep at the most") == true)
        }
        let groups = [UInt8](repeating: 0x7b, count: 1 << 20)
        let error = #expect(throws: ConnectError.self) { try read(groups, .proto) }
        #expect(error?.message.hasSuffix("groups are nested deeper than 100") == true)
    }

    @Test(
        "what is not the protobuf of a request is said with its place",
        arguments: [
            ([0x0a, 0x05, 0x61], "at byte 1, a field says it has 5 bytes, and there are 1 left"),
            ([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "at byte 1, a field says it has"),
            ([0x0a, 0x80], "at byte 1, the body ends within a number"),
            ([0x02, 0x00], "at byte 0, expected a field, and there is no field 0"),
            ([0x0a, 0x02, 0xff, 0xfe], "at byte 2, expected UTF-8 in uris"),
            ([0x0f], "at byte 0, there is no wire type 7"),
            ([0xf8, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01], "at byte 0, expected a field, in five bytes or fewer"),
            ([0x7c], "at byte 0, a group ends that was not begun"),
            ([0x7b, 0x08, 0x01], "at byte 3, the body ends within a number"),
            ([0x79, 1, 2, 3], "at byte 1, the body ends within a number"),
        ] as [([UInt8], String)]
    )
    func protoProblems(body: [UInt8], expected: String) {
        let error = #expect(throws: ConnectError.self) { try read(body, .proto) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test("fields that are not known are read over")
    func unknownFields() throws {
        let body: [UInt8] = [0x78, 0x05, 0x0a, 0x01, 0x61, 0x7b, 0x08, 0x01, 0x7c, 0x72, 0x02, 0x7a, 0x7a, 0x08, 0x07]
        #expect(try read(body, .proto) == ["a"])
        #expect(try Bsky_GetPostRecordsRequest(serializedBytes: body).uris == ["a"])
    }

    @Test("a request that is cut off, or changed in a byte, is refused, or read as swift-protobuf reads it")
    func disturbed() throws {
        var generator = SplitMix64(seed: 5)
        let request = Bsky_GetPostRecordsRequest.with { request in
            request.uris = Array(uris.prefix(3)) + ["é", "\"\\"]
            request.viewerDid = "did:plc:a"
        }
        var counts = (read: 0, refused: 0)
        for codec in Codec.allCases {
            let body: [UInt8] = try codec == .json ? request.jsonUTF8Bytes() : request.serializedBytes()
            var variants = (0..<body.count).map { Array(body[..<$0]) }
            for _ in 0..<3000 {
                var variant = body
                variant[Int(generator.next() % UInt64(body.count))] = UInt8(truncatingIfNeeded: generator.next())
                if generator.next() % 4 == 0 {
                    variant.insert(0x22, at: Int(generator.next() % UInt64(body.count)))
                }
                variants.append(variant)
            }
            for variant in variants {
                let theirs: Bsky_GetPostRecordsRequest? = try? codec.decode(variant)
                let isGood = theirs.map { !$0.uris.isEmpty && $0.uris.allSatisfy { PostURI.keyProblem($0) == nil } }
                let ours = try? read(variant, codec)
                #expect(ours == (isGood == true ? theirs?.uris : nil), "\(String(decoding: variant, as: UTF8.self))")
                if ours == nil { counts.refused += 1 } else { counts.read += 1 }
            }
        }
        #expect(counts.read > 400)
        #expect(counts.refused > 400)
    }
}

@Suite("Memory")
struct MemoryTests {
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    @Test(
        "freed memory goes back once there has been little to do for long enough, and is not kept while a crowd holds much"
    )
    func trims() {
        var schedule = TrimSchedule(calm: .seconds(20), resident: 20 << 20)
        func look(_ second: Int, held: Int, resident: Int) -> String {
            let decision = schedule.look(
                peakHeld: held << 20,
                resident: resident << 20,
                at: start + .seconds(second)
            )
            return (decision.keepsFreed ? "keep" : "give back") + (decision.trims ? ", trim" : "")
        }
        #expect(look(0, held: 16, resident: 60) == "keep")
        #expect(look(5, held: 800, resident: 900) == "give back")
        #expect(look(10, held: 100, resident: 900) == "give back", "little to do only now")
        #expect(look(25, held: 100, resident: 900) == "give back")
        #expect(look(28, held: 400, resident: 900) == "give back", "more again")
        #expect(look(32, held: 0, resident: 900) == "give back")
        #expect(look(52, held: 16, resident: 900) == "keep, trim")
        schedule.trimmed(resident: 70 << 20, held: 10 << 20)
        // Now there is much to do again, measured by what there was since.
        #expect(look(90, held: 16, resident: 80) == "keep")
        #expect(look(130, held: 16, resident: 100) == "keep")
        #expect(look(140, held: 100, resident: 160) == "give back")
        #expect(look(150, held: 0, resident: 80) == "give back")
        #expect(look(170, held: 0, resident: 80) == "keep", "not worth a trim, but calm")
        #expect(look(180, held: 0, resident: 93) == "keep")
        #expect(look(200, held: 0, resident: 93) == "keep, trim")
    }
}
