internal import Limits
internal import POSIX

/// Times taking a permit and giving it back, by one thread alone. `scripts/benchmark --limits` runs it.
@main
enum LimiterBenchmark {
    private static let rounds = 2_000_000
    private static let repetitions = 7

    static func main() throws {
        print("acquire and release, nanoseconds, one thread: median of \(repetitions) (least-most)")
        for text in ["none", "request:64", "process:64", "fair:64", "aimd", "vegas", "gradient2"] {
            time(text, try LimitPolicy(text: text).permits()("a"))
        }
    }

    private static func time(_ name: String, _ limiter: any Limiter) {
        let sample = Sample(roundTrip: .microseconds(60), isDrop: false)
        let nanoseconds = (0..<repetitions).map { _ in
            let begin = MonotonicInstant.now
            for _ in 0..<rounds where limiter.tryAcquire() { limiter.release(sample) }
            return Double((MonotonicInstant.now - begin) / .nanoseconds(1)) / Double(rounds)
        }.sorted().map { ($0 * 10).rounded() / 10 }
        print("  \(name): \(nanoseconds[repetitions / 2]) (\(nanoseconds[0])-\(nanoseconds[repetitions - 1]))")
    }
}
