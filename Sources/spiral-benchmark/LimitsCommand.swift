internal import ArgumentParser
internal import Limits

/// Times taking a permit and giving it back, by one thread alone.
struct LimitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Times a permit of each limit, taken and given back by one thread."
    )

    private static let rounds = 2_000_000
    private static let repetitions = 7

    func run() throws {
        print("acquire and release, nanoseconds, one thread: median of \(Self.repetitions) (least-most)")
        let sample = Sample(roundTrip: .microseconds(60), isDrop: false)
        for text in ["none", "request:64", "process:64", "fair:64", "aimd", "vegas", "gradient2"] {
            let limiter = try LimitPolicy(text: text).permits()("a")
            let timings = Timings(Self.repetitions, in: .nanoseconds(Self.rounds)) {
                for _ in 0..<Self.rounds where limiter.tryAcquire() { limiter.release(sample) }
            }
            print("  \(text): \(timings.text)")
        }
    }
}
