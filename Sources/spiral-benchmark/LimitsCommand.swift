internal import ArgumentParser
internal import Limits

/// Times what a lane asks of each limit when a lookup is over, by one thread alone.
struct LimitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Times a permit of each limit: kept for the next lookup, and given back and taken anew.",
        discussion: "Under none there are no permits, and under request:N they stay with their batch."
    )

    private static let rounds = 2_000_000
    private static let repetitions = 7

    private final class Holder: Sendable {}

    func run() throws {
        print("a permit, nanoseconds, one thread: median of \(Self.repetitions) (least-most)")
        let sample = Sample(roundTrip: .microseconds(60), isDrop: false)
        for text in ["process:64", "fair:64", "aimd", "vegas", "gradient2"] {
            let permits = Limiter(try LimitPolicy(text: text)).permits()!
            var grants: [PermitLedger.Grant] = []
            let seat = permits.enter([Holder()], of: "a", target: 1)[0].seat
            let kept = Timings(Self.repetitions, in: .nanoseconds(Self.rounds)) {
                for _ in 0..<Self.rounds { _ = permits.keep(seat, sample, target: 1, &grants) }
            }
            let taken = Timings(Self.repetitions, in: .nanoseconds(Self.rounds)) {
                for _ in 0..<Self.rounds {
                    permits.release(1, of: seat, sample, target: 0, &grants)
                    permits.setTarget(1, of: seat, &grants)
                    grants.removeAll(keepingCapacity: true)
                }
            }
            print("  \(text): kept \(kept.text), given back and taken \(taken.text)")
        }
    }
}
