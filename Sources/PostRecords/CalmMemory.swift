package import FanOut
package import POSIX

/// Gives memory back when a busy time is over: 20,000 lookups in flight take 400 MiB, which would stay with the process
/// for as long as it runs. While it is busy they are kept, as taking them anew costs a page fault each.
package struct CalmMemory: Sendable {
    /// How often it looks.
    package static let interval = Duration.seconds(5)
    /// Lookups in one interval that make it a busy one.
    private static let busy = 5000

    private var lookups = 0
    private var wasBusy = false

    package init() {}

    /// - Parameter lookups: made since the start.
    /// - Returns: whether memory is to be given back now.
    package mutating func look(lookups: Int) -> Bool {
        let isBusy = lookups - self.lookups > Self.busy
        self.lookups = lookups
        defer { wasBusy = isBusy }
        return wasBusy && !isBusy
    }

    /// Looks from time to time, on a thread of its own, for as long as there is an engine.
    /// - Throws: ``SystemCallError`` when the thread cannot be made.
    package static func watch(_ engine: FanOutEngine) throws(SystemCallError) {
        try Thread(name: "memory") { [weak engine] in
            var memory = CalmMemory()
            while let lookups = engine?.counters.lookups {
                if memory.look(lookups: lookups) { FreedMemory.giveBack() }
                sleepThread(for: interval)
            }
        }.detach()
    }
}
