import Testing

@testable import Telemetry

@Suite("Clients")
struct ClientTableTests {
    @Test("the heaviest caller comes first, from its first batch on")
    func ranking() {
        let table = ClientTable()
        for _ in 0..<20 { _ = table.begin("small", uris: 50) }
        _ = table.begin("heavy", uris: 20_000)
        #expect(table.ranking.map(\.name) == ["heavy", "small"])
        #expect(table.ranking[0].urisPerSecond == 20_000)
    }

    @Test("whatever names callers send, there are at most 32 and one for the rest, and sums are kept")
    func bounded() {
        let table = ClientTable()
        for number in 0..<5000 {
            table.begin("caller-\(number)", uris: 10).finish(ok: 9, latency: .milliseconds(1))
            table.begin("caller-\(number)", uris: 10).fail("EADDRINUSE", count: 1)
        }
        let accounts = table.ranking
        #expect(accounts.count == ClientTable.capacity + 1)
        #expect(accounts.last?.name == "other")
        #expect(accounts.reduce(0) { $0 + $1.totals.uris } == 100_000)
        #expect(accounts.reduce(0) { $0 + $1.totals.ok } == 45_000)
        #expect(accounts.reduce(0) { $0 + $1.totals.failed } == 5000)
        #expect(accounts.reduce(0) { $0 + $1.totals.latencies.count } == 5000)
    }

    @Test("a heavy newcomer takes the place of a light caller in a full table; a flood of names does not")
    func replacement() {
        let table = ClientTable()
        for number in 0..<ClientTable.capacity { _ = table.begin("caller-\(number)", uris: 10 + number) }
        let lightest = table.begin("caller-0", uris: 0)
        _ = table.begin("heavy", uris: 20_000)
        #expect(table.ranking.first?.name == "heavy")
        #expect(table.ranking.count == ClientTable.capacity + 1)
        #expect(!table.ranking.contains { $0.name == "caller-0" })
        // What the replaced caller's batch still brings counts for the rest.
        lightest.finish(ok: 10, latency: .milliseconds(1))
        #expect(table.ranking.last?.totals.ok == 10)
        // A second replacement within the second is refused.
        _ = table.begin("heavy-too", uris: 30_000)
        #expect(!table.ranking.contains { $0.name == "heavy-too" })
    }

    @Test("a histogram counts each value once, under the first bound that is not below it")
    func buckets() {
        var histogram = BucketHistogram(bounds: [1, 10])
        for value in [0.5, 1, 1.5, 10, 11] { histogram.record(value) }
        #expect(histogram.counts == [2, 2, 1])
        #expect(histogram.sum == 24)
    }
}
