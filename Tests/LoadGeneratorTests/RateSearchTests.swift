import Testing
import Units

@testable import LoadGenerator

@Suite("Rate search")
struct RateSearchTests {
    @Test("it comes within 5% of the limit, from below and from above", arguments: [0.013, 0.9, 1.0, 3.3, 500.0])
    func finds(limit: Double) throws {
        var search = RateSearch()
        var loads = 0
        while let factor = search.next {
            search.record(factor, factor <= limit ? .holds : .fails)
            loads += 1
        }
        let (good, bad) = (try #require(search.good), try #require(search.bad))
        #expect(good <= limit && limit < bad && bad / good <= 1.05)
        #expect(loads < 20)
    }

    @Test("where nothing is good, or nothing bad, it ends")
    func ends() {
        for isGood in [true, false] {
            var search = RateSearch()
            while let factor = search.next { search.record(factor, isGood ? .holds : .fails) }
            #expect((search.good == nil) == !isGood)
            #expect((search.bad == nil) == isGood)
        }
    }

    @Test("a load that was not sent as asked says nothing of the server, unless the server is seen to fail below it")
    func invalid() throws {
        func search(_ find: (Double) -> RateSearch.Finding) -> RateSearch {
            var search = RateSearch()
            while let factor = search.next { search.record(factor, find(factor)) }
            return search
        }
        let limited = search { $0 < 6 ? .holds : .invalid(because: "no ports") }
        #expect(limited.invalidBecause == "no ports")
        #expect(limited.good.map { (5.7..<6).contains($0) } == true)
        // At 8 times the generator ran out; at 5 the server did.
        let known = search { $0 < 5 ? .holds : $0 < 7 ? .fails : .invalid(because: "no ports") }
        #expect(known.invalidBecause == nil)
        #expect(known.good.map { (4.7..<5).contains($0) } == true)
        #expect(search { _ in .invalid(because: "x") }.good == nil)
        #expect(search { _ in .invalid(because: "x") }.invalidBecause == "x")
    }

    @Test("a schedule so many times as fast has as many times the batches, as far as machines go")
    func scaled() throws {
        for text in ["rate=20/s", "poisson=20/s", "ramp=0/s..40/s", "burst=20/1s", "steps=20/s*1s+20/s*9s"] {
            let schedule = try ClientSpec(text: "a:uris=1,\(text)").schedule
            let mean = try #require(schedule.scaled(by: 2.5)?.meanRate)
            #expect(abs(mean.perSecond - 50) < 1e-9)
            #expect(schedule.scaled(by: 1e6) == nil)
        }
        #expect(Schedule(.closed(3)).scaled(by: 2) == nil)
    }
}
