import PostRecords
import SwiftProtobuf
import Testing
import Text
import Units

@testable import LoadGenerator

@Suite("Schedule")
struct ScheduleTests {
    @Test(
        "batches are due evenly from the beginning, as many as the rate makes in the time",
        arguments: [(2.5, 10, 25), (20, 30, 600), (0.5, 5, 3), (1, 1, 1), (3, 0, 0)]
    )
    func count(rate: Double, seconds: Int, expected: Int) {
        let schedule = Schedule(rate: Rate(perSecond: rate))
        #expect(schedule.count(within: .seconds(seconds)) == expected)
        #expect(schedule.starts(within: .seconds(seconds)).allSatisfy { $0 >= .zero && $0 < .seconds(seconds) })
    }

    @Test("a ramp comes as often on the whole as its mean rate, and ever closer together")
    func ramp() throws {
        let schedule = Schedule(.ramp(from: Rate(perSecond: 1), to: Rate(perSecond: 9)))
        let starts = Array(schedule.starts(within: .seconds(10)))
        #expect(starts.count == 50)
        let gaps = zip(starts.dropFirst(), starts).map { $0 - $1 }
        #expect(zip(gaps.dropFirst(), gaps).allSatisfy { $0 < $1 })
        let falling = Schedule(.ramp(from: Rate(perSecond: 9), to: Rate(perSecond: 1)))
        #expect(falling.count(within: .seconds(10)) == 50)
    }

    @Test("bursts come together, and only between from and until")
    func bursts() {
        var schedule = Schedule(.burst(batches: 3, every: .seconds(2)), from: .seconds(1), until: .seconds(6))
        #expect(Array(schedule.starts(within: .seconds(10))) == [1, 1, 1, 3, 3, 3, 5, 5, 5].map { .seconds($0) })
        schedule.until = nil
        #expect(schedule.count(within: .seconds(4)) == 6)
    }
}

@Suite("Client specification")
struct ClientSpecTests {
    @Test(
        "it reads its text and writes it back",
        arguments: [
            "feed:uris=1..50,rate=20/s", "heavy:uris=20000,rate=2.5/s", "a:uris=5,ramp=1/s..20/s",
            "a:uris=5,burst=3/10s,from=2s,until=9s,slo=250ms", "a:uris=5,rate=1/s,codec=proto",
        ]
    )
    func roundTrip(text: String) throws {
        #expect(try ClientSpec(text: text).description == text)
    }

    @Test(
        "a text that is none is refused",
        arguments: [
            "feed", "feed:", ":uris=1,rate=1/s", "feed:uris=1", "feed:rate=1/s", "feed:uris=0,rate=1/s",
            "feed:uris=5..1,rate=1/s", "feed:uris=1,rate=1", "feed:uris=1,rate=1/s,size=3", "f d:uris=1,rate=1/s",
            "feed:uris=1,uris=2,rate=1/s", "feed:uris=1..2..3,rate=1/s", "feed:uris=1,rate=1/s,burst=1/1s",
            "feed:uris=1,ramp=1/s", "feed:uris=1,burst=0/1s", "feed:uris=1,rate=1/s,from=5s,until=5s",
            "feed:uris=1,rate=1/s,codec=xml",
        ]
    )
    func refused(text: String) {
        #expect(throws: UnitTextError.self) { try ClientSpec(text: text) }
    }
}

@Suite("Workload")
struct WorkloadTests {
    @Test("a batch asks for distinct posts, and the same seed asks for the same", arguments: Codec.allCases)
    func bodies(codec: Codec) throws {
        let workload = Workload(seed: 4, count: 100)
        var first = SplitMix64(seed: 1)
        var second = SplitMix64(seed: 1)
        for size in [1, 50, 100] {
            let body = workload.body(size: size, in: codec, using: &first)
            #expect(body == workload.body(size: size, in: codec, using: &second))
            let request =
                switch codec {
                case .json: try Bsky_GetPostRecordsRequest(jsonUTF8Bytes: body)
                case .proto: try Bsky_GetPostRecordsRequest(serializedBytes: body)
                }
            #expect(request.uris.count == size)
            #expect(Set(request.uris).count == size)
            #expect(Set(request.uris).isSubset(of: workload.uris))
        }
    }
}

@Suite("Answer scan")
struct AnswerScanTests {
    @Test("it counts what swift-protobuf wrote", arguments: [0, 1, 7, 500])
    func agrees(count: Int) throws {
        var response = Bsky_GetPostRecordsResponse()
        for number in 0..<count {
            let uri = PostURI.make(seed: 1, number: number)
            if number % 3 == 0 {
                response.records.append(Bsky_Record())
                response.meta.append(Bsky_PostRecordMeta())
            } else {
                try response.merge(serializedBytes: SyntheticPost.cacheValue(for: uri))
            }
        }
        for codec in Codec.allCases {
            let body: [UInt8] = try codec == .json ? response.jsonUTF8Bytes() : response.serializedBytes()
            let scan = try #require(AnswerScan(body, codec))
            #expect(scan.records == count)
            #expect(scan.empty == response.records.count { $0 == Bsky_Record() })
            if count > 0 { #expect(AnswerScan(Array(body.dropLast()), codec) == nil) }
        }
    }

    @Test("spaces, braces in texts and other members do not mislead it")
    func misleading() throws {
        let text =
            #" { "meta" : [ {} , {"a":[{}]} ], "x":"records", "records" : [ { } , {"cid":"{}]\"","r":[{},{}]}, {}] }"#
        let scan = try #require(AnswerScan(Array(text.drop { $0 == " " }.utf8), .json))
        #expect(scan.records == 3)
        #expect(scan.empty == 2)
    }

    @Test(
        "what is cut off or no object is no answer",
        arguments: ["", "[]", "{\"records\":[{}", "null", "{\"records\":[{\"a\":\"}]}"]
    )
    func broken(text: String) {
        #expect(AnswerScan(Array(text.utf8), .json) == nil)
    }
}

@Suite("Tables")
struct TextTableTests {
    @Test("columns are as wide as what stands in them, numbers to the right")
    func table() {
        var table = TextTable(header: ["name", "n"])
        table.add(["a", "1,234"])
        table.add(["longer", "5"])
        #expect(table.lines == ["name        n", "a       1,234", "longer      5"])
    }

    @Test(
        "numbers are written for a reader",
        arguments: [
            (1234567.0, "1,234,567"), (0, "0"), (12.345, "12.3"), (1.234, "1.23"), (999.94, "1,000"), (429.4, "429"),
            (-1500, "-1,500"), (1e300, "1e+300"), (.infinity, "inf"),
        ]
    )
    func numbers(number: Double, text: String) {
        #expect(rounded(number) == text)
    }
}

@Suite("SLO")
struct SLOTests {
    @Test("a batch counts when it came in time and has a post for every URI; late, hollow and failed ones do not")
    func counts() throws {
        let whole = try #require(AnswerScan(Array(#"{"records":[{"cid":"a"},{"cid":"b"}]}"#.utf8), .json))
        let hollow = try #require(AnswerScan(Array(#"{"records":[{"cid":"a"},{}]}"#.utf8), .json))
        let recorder = Recorder(name: "a", slo: .milliseconds(100))
        for _ in 0..<5 { recorder.begin(uris: 2) }
        recorder.succeed(whole, latency: .milliseconds(100), service: .milliseconds(1))
        recorder.succeed(whole, latency: .milliseconds(101), service: .milliseconds(1))
        recorder.succeed(hollow, latency: .milliseconds(5), service: .milliseconds(5))
        recorder.fail("EOF")
        let slo = try #require(recorder.result.slo)
        // The fifth is not answered yet.
        #expect(slo == .init(ms: 100, met: 1, of: 5))
        #expect(slo.percent == 20)
        #expect(Recorder(name: "b").result.slo == nil)
    }

    @Test("of no batches no share is known, and of no answers no latency: null in JSON, - in the table, never 0 or 100")
    func unmeasured() throws {
        let recorder = Recorder(name: "a", slo: .milliseconds(100))
        #expect(recorder.result.slo?.percent == nil)
        recorder.begin(uris: 2)
        recorder.fail("HTTP_429")
        let result = recorder.result
        #expect(result.slo?.percent == 0, "one was due, and none was answered")
        #expect(result.latencyMs == nil)
        #expect(result.serviceMs == nil)
        #expect(recorder.takeWindow().p99 == nil)
        let json = JSONText.encode(result)
        #expect(String(decoding: json, as: UTF8.self).contains("\"latencyMs\" : null"))
        #expect(try JSONText.decode(ClientResult.self, from: json) == result)
        let run =
            #"{"schema":"","target":"","seed":1,"duration":1,"elapsed":1,"interrupted":false,"asked":[],"clients":["#
        let load = try JSONText.decode(LoadResult.self, from: Array(run.utf8) + json + Array("]}".utf8))
        let row = load.summary.first { $0.hasPrefix("a ") }?.split(separator: " ").map(String.init)
        #expect(row == ["a", "1", "2", "0", "1", "0", "0", "-", "-", "-", "-", "-"])
    }
}

@Suite("Batches under way together")
struct BatchOverlapsTests {
    @Test("a group ends when no batch is under way; it has those of all clients, answered or not")
    func groups() throws {
        let overlaps = BatchOverlaps()
        let answer = try #require(AnswerScan(Array("{}".utf8), .json))
        let (a, b) = (Recorder(name: "a", overlaps: overlaps), Recorder(name: "b", overlaps: overlaps))
        a.begin(uris: 3)
        a.succeed(answer, latency: .zero, service: .zero)
        a.begin(uris: 4)
        b.begin(uris: 9)
        a.fail("EOF")
        a.begin(uris: 5)
        b.succeed(answer, latency: .zero, service: .zero)
        a.succeed(answer, latency: .zero, service: .zero)
        b.begin(uris: 1)
        #expect(overlaps.groups == .init([[3], [4, 9, 5], [1]]))
        #expect(overlaps.groups.all.map { Array($0) } == [[3], [4, 9, 5], [1]])
    }
}
