import Limits
import Testing
import Units

@Suite("Limits")
struct LimitTests {
    @Test(
        "a policy reads its text and writes it back",
        arguments: [
            "none", "request:64", "process:1", "process:64,queue=10,wait=2s", "fair:8", "aimd", "aimd:min=5,max=50",
            "aimd:start=30,backoff=0.5", "vegas", "vegas:max=10", "vegas:faults=published",
            "gradient2:start=50,min=30,max=300,faults=published",
        ]
    )
    func roundTrip(text: String) throws {
        #expect(try LimitPolicy(text: text).description == text)
    }

    @Test(
        "a text that is no policy is refused",
        arguments: [
            "", "None", "none:1", "request", "request:", "request:0", "request:-1", "process:1.5", "fair",
            "fair:0", "aimd:", "aimd:20", "aimd:min=0", "aimd:min=9,min=9", "aimd:max=10", "aimd:backoff=1",
            "vegas:faults=no",
            "gradient2:limit=3", "request:5,queue=3", "process:5,wait=3",
        ]
    )
    func refused(text: String) {
        #expect(throws: UnitTextError.self) { try LimitPolicy(text: text) }
    }

    @Test("an algorithm without its faults is the default, and can be named")
    func fixedFaults() throws {
        #expect(try LimitPolicy(text: "vegas:faults=fixed") == LimitPolicy(text: "vegas"))
        #expect(throws: UnitTextError.self) { try LimitPolicy(text: "vegas:faults=some") }
    }

    @Test("a limit's bound is its number, what it has learned, or nothing")
    func bounds() throws {
        let bounds = try ["none", "request:7", "process:8", "fair:9", "aimd", "vegas:start=5"].map {
            Limiter(try LimitPolicy(text: $0)).bound
        }
        #expect(bounds == [nil, 7, 8, 9, 20, 5])
    }

    @Test("batches share the permits of all limits but request:N, which has its own for each")
    func sharing() throws {
        for text in ["process:8", "fair:9", "vegas"] {
            let limiter = Limiter(try LimitPolicy(text: text))
            #expect(limiter.permits() === limiter.permits())
        }
        let each = Limiter(.request(5))
        #expect(each.permits() !== each.permits())
        #expect(Limiter(.none).permits() == nil)
    }
}
