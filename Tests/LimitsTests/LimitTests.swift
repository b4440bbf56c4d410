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

    @Test("permits run out at the number and come back on release")
    func permits() {
        let limiter = PermitCount(permits: 2)
        #expect(limiter.tryAcquire())
        #expect(limiter.tryAcquire())
        #expect(!limiter.tryAcquire())
        limiter.release()
        #expect(limiter.tryAcquire())
        #expect(!limiter.tryAcquire())
    }

    @Test("no more permits are out than there are, whoever asks at once")
    func concurrentPermits() async {
        let limiter = PermitCount(permits: 8)
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { (0..<1000).count { _ in limiter.tryAcquire() } } }
            return await group.reduce(0, +)
        }
        #expect(taken == 8)
    }

    @Test("without a limit everything is admitted")
    func unlimited() {
        let limiter = Unlimited()
        #expect((0..<100_000).allSatisfy { _ in limiter.tryAcquire() })
        #expect(limiter.bound == nil)
    }
}
