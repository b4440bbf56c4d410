import POSIX
import Telemetry
import Testing
import Text
import Units

@testable import LoadGenerator

@Suite("Recorder")
struct RecorderTests {
    private static let whole = AnswerCheck.Tally(records: 2, empty: 0)

    @Test(
        "a batch is within the SLO when it came in time and has a post for every URI; late, incomplete and failed ones are not"
    )
    func slo() throws {
        let recorder = Recorder(name: "a", slo: .milliseconds(100))
        for _ in 0..<5 { recorder.begin(uris: 2) }
        recorder.succeed(Self.whole, latency: .milliseconds(100), service: .milliseconds(1))
        recorder.succeed(Self.whole, latency: .milliseconds(101), service: .milliseconds(1))
        recorder.succeed(.init(records: 2, empty: 1), latency: .milliseconds(5), service: .milliseconds(5))
        recorder.fail("EOF", after: .milliseconds(1))
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
        #expect(recorder.result.latencyAllMs == nil)
        recorder.begin(uris: 2)
        recorder.fail("HTTP_429", after: .milliseconds(2))
        let result = recorder.result
        #expect(result.slo?.percent == 0, "one was due, and none was answered")
        #expect(result.latencyMs == nil)
        #expect(result.serviceMs == nil)
        #expect(result.sendLagMs == nil)
        #expect(result.latencyAllMs?.p50 == nil)
        #expect(result.latencyAllMs?.atLeastMs == 2)
        #expect(recorder.takeWindow().p99 == nil)
        let json = JSONText.encode(result)
        #expect(String(decoding: json, as: UTF8.self).contains("\"latencyMs\" : null"))
        #expect(try JSONText.decode(ClientResult.self, from: json) == result)
        let load = LoadResult(
            target: "",
            seed: 1,
            duration: 1,
            elapsed: 1,
            interrupted: false,
            asked: [],
            [recorder.record],
            [],
            reasons: []
        )
        let rows = load.summary.map { $0.split(separator: " ").map(String.init) }
        #expect(rows.contains(["a,", "answered", "-", "-", "-", "-", "-"]))
        #expect(rows.contains(["a,", "all", "due"] + Array(repeating: [">", "2"], count: 5).flatMap { $0 }))
    }

    @Test(
        "of all due batches a percentile is known as far as answers reach, and beyond at least what the others have waited"
    )
    func latencyOfAll() throws {
        let recorder = Recorder(name: "a")
        for _ in 0..<100 { recorder.begin(uris: 1) }
        for number in 1...80 { recorder.succeed(Self.whole, latency: .milliseconds(number), service: .zero) }
        for _ in 0..<10 { recorder.fail("ETIMEDOUT", after: .milliseconds(500)) }
        // One that fails at once is no fast one.
        for _ in 0..<5 { recorder.fail("ECONNREFUSED", after: .milliseconds(1)) }
        for _ in 0..<3 { recorder.giveUpUnsent(after: .milliseconds(700)) }
        recorder.giveUpUnanswered(after: .milliseconds(900))
        let result = recorder.result
        #expect(result.due == result.answered + result.failed + result.unanswered + result.unsent)
        #expect([result.due, result.answered, result.failed, result.unanswered, result.unsent] == [100, 80, 15, 2, 3])
        let all = try #require(result.latencyAllMs)
        #expect(abs(try #require(all.p50) - 50) < 0.1)
        #expect(all.p90 == nil && all.p99 == nil && all.p999 == nil && all.max == nil)
        // Ranked by what is known: five of 1 ms, one of which nothing is known, 80 answered, then those that waited.
        #expect(abs(try #require(all.atLeastMs) - 500) < 1)
        #expect(abs(try #require(result.latencyMs).p99 - 80) < 0.1)
    }

    @Test("with nothing but answers, all due and answered are the same")
    func allAnswered() throws {
        let recorder = Recorder(name: "a")
        for number in 1...1000 {
            recorder.begin(uris: 1)
            recorder.succeed(Self.whole, latency: .milliseconds(number), service: .zero)
        }
        let (latency, all) = (try #require(recorder.result.latencyMs), try #require(recorder.result.latencyAllMs))
        #expect(
            [all.p50, all.p90, all.p99, all.p999, all.max] == [
                latency.p50, latency.p90, latency.p99, latency.p999, latency.max,
            ]
        )
        #expect(all.atLeastMs == nil)
        #expect(abs(latency.p999 - 999) < 1)
        let points = recorder.result.distribution
        #expect(points.last?.above == 0)
        #expect(points.map(\.percentile) == points.map(\.percentile).sorted())
        #expect(points.contains { abs($0.percentile - 50) < 1 && abs($0.ms - 500) < 10 })
    }

    @Test("results of several generators make one, to the last batch; it reads what it wrote")
    func merge() throws {
        let (one, two, both) = (Recorder(name: "a"), Recorder(name: "a"), Recorder(name: "a"))
        for number in 1...3000 {
            for recorder in [number % 3 == 0 ? one : two, both] {
                recorder.begin(uris: 2)
                if number % 7 == 0 {
                    recorder.fail("EOF", after: .microseconds(number * 11))
                } else {
                    recorder.succeed(
                        Self.whole,
                        latency: .microseconds(number * number),
                        service: .microseconds(number)
                    )
                }
            }
        }
        func result(_ recorder: Recorder, _ reasons: [String] = []) throws -> LoadResult {
            let result = LoadResult(
                target: "t",
                seed: 1,
                duration: 1,
                elapsed: 1,
                interrupted: false,
                asked: [],
                [recorder.record],
                [],
                reasons: reasons
            )
            return try JSONText.decode(LoadResult.self, from: JSONText.encode(result))
        }
        let merged = try LoadResult.merged([("one", try result(one)), ("two", try result(two, ["out of ports"]))])
        #expect(merged.clients == (try result(both)).clients)
        #expect(merged.latencyAllMs == (try result(both)).latencyAllMs)
        #expect(merged.invalidBecause == "two: out of ports")
        #expect(merged.valid == false)
    }

    private static func load(_ text: String, _ body: (Recorder) -> Void, generators: [GeneratorReport] = [])
        -> LoadResult
    {
        let recorder = Recorder(name: String(text.prefix { $0 != ":" }))
        body(recorder)
        return LoadResult(
            target: "t",
            seed: 1,
            duration: 1,
            elapsed: 1,
            interrupted: false,
            asked: [.init(client: text, batches: nil)],
            [recorder.record],
            generators,
            reasons: []
        )
    }

    private static func generator(_ seconds: Double) -> GeneratorReport {
        GeneratorReport(
            used: .nanoseconds(Int64(seconds * 1e9)),
            bySender: .zero,
            over: .seconds(1),
            threads: 3,
            peakBytes: 1,
            machine: MachineLimits(descriptors: 1, portsPerSource: 1, sources: 1)
        )
    }

    @Test("one run is not counted twice, under whatever names its files have, merged ones too")
    func mergedTwice() throws {
        func answer(_ recorder: Recorder) {
            recorder.begin(uris: 2)
            recorder.succeed(Self.whole, latency: .milliseconds(1), service: .zero)
        }
        let one = Self.load("a:uris=1,rate=1/s", answer, generators: [Self.generator(0.5)])
        let two = Self.load("a:uris=1,rate=1/s", answer, generators: [Self.generator(0.6)])
        let both = try LoadResult.merged([("one", one), ("two", two)])
        #expect(both.due == 2)
        for twice in [[("x", one), ("y", one)], [("x", two), ("z", both)]] {
            let error = #expect(throws: LoadResult.MergeError.self) { try LoadResult.merged(twice) }
            #expect(error?.description.contains("are of the same run") == true)
        }
    }

    @Test("clients of one name that were asked for other things are one client, and it is said")
    func mergedDifferent() {
        let one = Self.load("a:uris=1,rate=1/s") { _ in }
        let two = Self.load("a:uris=9,rate=1/s") { _ in }
        #expect(LoadResult.differences([("x", one), ("y", one)]).isEmpty)
        let differences = LoadResult.differences([("x", one), ("y", two)])
        #expect(differences.count == 1)
        #expect(differences.first?.contains("a:uris=1,rate=1/s in x and a:uris=9,rate=1/s in y") == true)
        #expect(
            LoadResult.differences([
                ("x", Self.load("a:recorded=1") { _ in }), ("y", Self.load("a:recorded=2") { _ in }),
            ]).isEmpty
        )
    }

    @Test("a result whose batches do not add up is damaged, and nothing is merged with it")
    func sums() throws {
        let recorder = Recorder(name: "a")
        for _ in 0..<4 { recorder.begin(uris: 1) }
        recorder.succeed(Self.whole, latency: .milliseconds(1), service: .zero)
        recorder.fail("EOF", after: .milliseconds(1))
        recorder.giveUpUnsent(after: .zero)
        recorder.giveUpUnanswered(after: .zero)
        let (whole, histograms) = (recorder.record.result, recorder.record.histograms)
        #expect(ClientRecord(whole, histograms) != nil)
        for damage: (inout ClientResult) -> Void in [
            { $0.batches += 1 }, { $0.failed += 1 }, { $0.errors = [:] }, { $0.unsent = 0 }, { $0.due = 9 },
            { $0.answered = 0 }, { $0.unanswered = -1 }, { $0.ok = 0 },
        ] {
            var result = whole
            damage(&result)
            #expect(ClientRecord(result, histograms) == nil)
        }
    }

    @Test("a file that no load has written is refused, with what of it is wrong")
    func damagedFiles() throws {
        let whole = Self.load(
            "a:uris=1,rate=1/s",
            { recorder in
                recorder.begin(uris: 1)
                recorder.fail("EOF", after: .milliseconds(1))
            },
            generators: [Self.generator(0.5)]
        )
        #expect(throws: Never.self) { try LoadResult(json: JSONText.encode(whole)) }
        let damages: [((inout LoadResult) -> Void, String)] = [
            ({ $0.elapsed = -5 }, "-5.0 s is no time"), ({ $0.duration = 1e30 }, "no figure"),
            ({ $0.clients += $0.clients }, "two of its callers have one name"),
            ({ $0.clients[0].name = "\u{1b}[31m" }, "no name of one"),
            ({ $0.clients[0].errors = [:] }, "do not add up"),
            ({ $0.clients[0].batches = -1 }, "do not add up"), ({ $0.due = 9 }, "do not make its sums"),
            ({ $0.clients = [] }, "do not make its sums"), ({ $0.generators[0].threads = -1 }, "less than nothing"),
            ({ $0.schema = "spiral-load/1" }, "it is spiral-load/1"), ({ $0.schema = "x" }, "it is x"),
        ]
        for (damage, reason) in damages {
            var result = whole
            damage(&result)
            let error = #expect(throws: LoadResult.MergeError.self) { try LoadResult(json: JSONText.encode(result)) }
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
        for text in ["", "{}", "[]", "null", "{\"schema\":\"spiral-load/2\"}", "{\"schema\":2}"] {
            #expect(throws: LoadResult.MergeError.self) { try LoadResult(json: Array(text.utf8)) }
        }
    }

    @Test("of all due batches the distribution ends where answers end, at their share")
    func distributionOfAll() throws {
        let recorder = Recorder(name: "a")
        #expect(recorder.result.distributionOfAll.isEmpty)
        for _ in 0..<100 { recorder.begin(uris: 1) }
        for number in 1...80 { recorder.succeed(Self.whole, latency: .milliseconds(number), service: .zero) }
        for _ in 0..<20 { recorder.fail("ETIMEDOUT", after: .milliseconds(500)) }
        let (answered, all) = (recorder.result.distribution, recorder.result.distributionOfAll)
        #expect(all.map(\.ms) == answered.map(\.ms))
        #expect(answered.last?.percentile == 100 && answered.last?.above == 0)
        #expect(all.last?.percentile == 80 && all.last?.above == 20)
        // At every point it says the same as the percentiles do.
        for point in all { #expect(abs(point.percentile - point.ms) <= 1) }
    }

    @Test(
        "a damaged histogram is refused",
        arguments: ["x", "1", "1:x", "1:-1", "1:0", "-1:1", "1:9223372036854775807 2:9223372036854775807"]
    )
    func damaged(text: String) throws {
        #expect(LatencyHistogram(text: text) == nil)
        let recorder = Recorder(name: "a")
        recorder.begin(uris: 1)
        recorder.succeed(Self.whole, latency: .milliseconds(1), service: .zero)
        var histograms = recorder.record.histograms
        histograms.answered = text
        #expect(ClientRecord(recorder.result, histograms) == nil)
    }

    @Test("what the generator ran out of makes a run invalid, and is said")
    func validity() {
        let machine = MachineLimits(descriptors: 64, portsPerSource: 100, sources: 1)
        func reasons(_ body: (Recorder) -> Void) -> [String] {
            let recorder = Recorder(name: "a")
            recorder.begin(uris: 1)
            body(recorder)
            return LoadValidity([recorder.record], maxInFlight: 4, machine: machine, senderCpuPercent: 99).reasons
        }
        #expect(reasons { $0.succeed(Self.whole, latency: .zero, service: .zero) }.isEmpty)
        #expect(reasons { $0.fail("ECONNREFUSED", after: .zero) }.isEmpty, "the server's own")
        #expect(
            reasons { $0.fail("EMFILE", after: .zero) }.first?.contains("ran out of descriptors: 1 batches") == true
        )
        #expect(
            reasons { $0.fail("EADDRNOTAVAIL", after: .zero) }.first?.contains("ran out of ephemeral ports") == true
        )
        #expect(
            reasons { $0.giveUpUnsent(after: .zero) }.first?.contains("1 batches that were due were not sent") == true
        )
        #expect(reasons { $0.holdBack() }.first?.contains("--max-in-flight 4") == true)
        #expect(
            reasons {
                $0.pickUp(after: .milliseconds(300))
                $0.succeed(Self.whole, latency: .milliseconds(301), service: .zero)
            }
            .first?.contains("processor time") == true
        )
        #expect(
            reasons {
                $0.pickUp(after: .milliseconds(60))
                $0.succeed(Self.whole, latency: .milliseconds(2000), service: .zero)
            }
            .isEmpty,
            "what it adds is little beside what the server takes"
        )
    }

    @Test("before a run it is said what will not be enough")
    func warnings() throws {
        let clients = [
            try ClientSpec(text: "a:uris=1,burst=200/10s"), try ClientSpec(text: "b:uris=1,closed=10"),
            try ClientSpec(text: "c:uris=1,rate=100/s"),
        ]
        let needs = ConnectionNeeds(clients, timeout: .seconds(2), maxInFlight: nil)
        #expect(needs == ConnectionNeeds(minimum: 211, maximum: 410))
        func warnings(_ descriptors: Int, _ ports: Int, _ sources: Int) -> [String] {
            MachineLimits(descriptors: descriptors, portsPerSource: ports, sources: sources)
                .warnings(clients, timeout: .seconds(2), maxInFlight: nil)
        }
        #expect(warnings(1000, 1000, 1).isEmpty)
        #expect(warnings(64, 1000, 1).count == 1)
        #expect(warnings(1000, 100, 1).first?.contains("100 ephemeral ports") == true)
        #expect(warnings(1000, 100, 3).isEmpty)
        let few = MachineLimits(descriptors: 300, portsPerSource: 1000, sources: 1)
        #expect(few.warnings(clients, timeout: .seconds(2), maxInFlight: nil).isEmpty)
        #expect(few.notice(clients, timeout: .seconds(2), maxInFlight: nil)?.contains("up to 410 batches") == true)
        #expect(few.notice(clients, timeout: .seconds(2), maxInFlight: 50) == nil)
        let six = MachineLimits(descriptors: 1000, portsPerSource: 100, sources: 1, family: .ipv6)
        let said = six.warnings(clients, timeout: .seconds(2), maxInFlight: nil)
        #expect(said.count == 1 && said[0].contains("100 ephemeral ports") && said[0].contains("fd00::/64"))
        #expect(!said[0].contains("127."))
    }
}
