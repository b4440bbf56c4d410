import Testing
import Units

@testable import Memcached

@Suite("Waiting line")
struct WaitingLineTests {
    @Test("whoever leaves when, the others come out in the order they joined")
    func order() {
        var generator = SplitMix64(seed: 5)
        var line = WaitingLine<Int>()
        var expected: [(ticket: Int, waiter: Int)] = []
        var next = 0
        for _ in 0..<5000 {
            switch generator.next() % 5 {
            case 0, 1:
                expected.append((line.join(next), next))
                next += 1
            case 2, 3:
                guard let index = expected.indices.randomElement(using: &generator) else { continue }
                let (ticket, _) = expected.remove(at: index)
                let left = [line.leave(ticket), line.leave(ticket)]
                #expect(left == [true, false])
            default:
                let waiter = expected.isEmpty ? nil : expected.removeFirst()
                let first = line.next()
                #expect(first == waiter?.waiter)
                guard let waiter else { continue }
                let hasLeft = line.leave(waiter.ticket)
                #expect(!hasLeft)
            }
            #expect(line.count == expected.count)
        }
    }
}
