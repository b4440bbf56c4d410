import PostRecords
import Testing

@Suite("Calm memory")
struct CalmMemoryTests {
    @Test("memory is given back once when a busy time is over, and not while it lasts or nothing is done")
    func calm() {
        var memory = CalmMemory()
        var lookups = 0
        let made = [0, 100, 20_000, 40_000, 100, 100, 0, 4000, 6000, 0, 0]
        let given = made.map { count in
            lookups += count
            return memory.look(lookups: lookups)
        }
        #expect(given == [false, false, false, false, true, false, false, false, false, true, false])
    }
}
