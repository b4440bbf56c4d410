import POSIX
import Testing
import Units

@testable import FanOut

@Suite("Deadlines")
struct DeadlineQueueTests {
    @Test("a deadline ends with its operation: many lookups with a timeout of an hour leave nothing behind")
    func endWithOperation() {
        var deadlines = DeadlineQueue()
        var now = MonotonicInstant(nanoseconds: 1)
        // One lookup is never answered, so that its deadline stays the soonest.
        deadlines.set(0, at: now + .seconds(3600))
        for number in 0..<100_000 {
            now = now + .microseconds(1)
            deadlines.set(1 + number % 64, at: now + .seconds(3600))
            deadlines.remove(1 + (number + 1) % 64)
            if deadlines.count > 64 { break }
        }
        #expect(deadlines.count <= 64)
    }

    @Test("those that are due come soonest first, in whatever order they were set")
    func order() {
        var random = SplitMix64(seed: 3)
        var deadlines = DeadlineQueue()
        let start = MonotonicInstant(nanoseconds: 1000)
        let due = (0..<500).map { _ in Int64.random(in: 0..<100, using: &random) }
        for (slot, milliseconds) in due.enumerated() { deadlines.set(slot, at: start + .milliseconds(milliseconds)) }
        for slot in stride(from: 0, to: 500, by: 3) { deadlines.remove(slot) }
        #expect(deadlines.takeDue(at: MonotonicInstant(nanoseconds: 999)) == nil)
        var taken: [Int] = []
        while let slot = deadlines.takeDue(at: start + .milliseconds(50)) { taken.append(slot) }
        #expect(taken.map { due[$0] } == taken.map { due[$0] }.sorted())
        #expect(Set(taken) == Set((0..<500).filter { $0 % 3 != 0 && due[$0] <= 50 }))
        #expect(deadlines.next.map { $0 > start + .milliseconds(50) } ?? false)
    }
}
