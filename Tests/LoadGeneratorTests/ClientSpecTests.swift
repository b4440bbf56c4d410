import Testing
import Units

@testable import LoadGenerator

@Suite("Client specification")
struct ClientSpecTests {
    @Test(
        "it reads its text and writes it back",
        arguments: [
            "feed:uris=1..50,rate=20/s", "heavy:uris=20000,rate=2.5/s", "a:uris=5,ramp=1/s..20/s",
            "a:uris=5,burst=3/10s,from=2s,until=9s,slo=250ms", "a:uris=5,rate=1/s,codec=proto",
            "a:uris=5,ramp=0/s..20/s", "a:uris=5,poisson=20/s", "a:uris=5,closed=4", "a:uris=5,steps=5/s*10s+20/s*10s",
            "a:uris=90%:1..50,10%:20000,rate=1/s", "a:uris=5,rate=1/s,phase=300ms",
            "a:uris=5,rate=1/s,popularity=zipf:1.1,hits=95%,duplicates=2.5%",
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
            "feed:uris=1,rate=1/s,codec=xml", "feed:uris=1,closed=0", "feed:uris=1,ramp=0/s..0/s",
            "feed:uris=1,poisson=0/s",
            "feed:uris=1,steps=5/s", "feed:uris=1,steps=5/s*0s", "feed:uris=90%:1,20%:2,rate=1/s",
            "feed:uris=90%:1,rate=1/s",
            "feed:uris=1,2,rate=1/s", "feed:uris=1,rate=1/s,hits=2", "feed:uris=1,rate=1/s,hits=101%",
            "feed:uris=1,rate=1/s,popularity=zipf", "feed:uris=1,rate=1/s,popularity=twitter:7",
            "feed:uris=1,rate=1/s,from=1000000h",
        ]
    )
    func refused(text: String) {
        #expect(throws: UnitTextError.self) { try ClientSpec(text: text) }
    }

    @Test(
        "a rate that no machine sends, or that is none, is refused",
        arguments: [
            "rate=99999999999999999999999/s", "rate=1000001/s", "rate=0.00000000001/s", "ramp=1/s..99999999/s",
            "burst=1000000/1ns", "poisson=2000000/s", "steps=9999999/s*1s",
        ]
    )
    func absurd(arrival: String) {
        #expect(throws: UnitTextError.self) { try ClientSpec(text: "a:uris=1,\(arrival)") }
    }

    @Test("plain requests have no URIs, and what the load says for all need not be said")
    func given() throws {
        let plain = ClientSpec.Given(isSized: false)
        #expect(try ClientSpec(text: "web:rate=5/s", given: plain).description == "web:rate=5/s")
        #expect(throws: UnitTextError.self) { try ClientSpec(text: "web:uris=1,rate=5/s", given: plain) }
        let closed = ClientSpec.Given(arrival: .closed(4))
        #expect(try ClientSpec(text: "a:uris=5", given: closed).schedule.arrival == .closed(4))
        #expect(
            try ClientSpec(text: "a:uris=5,rate=1/s", given: closed).schedule.arrival == .constant(Rate(perSecond: 1))
        )
        #expect(
            try ClientSpec(text: "web", given: .init(isSized: false, arrival: .closed(1))).schedule.arrival
                == .closed(1)
        )
    }
}
