import Testing
import Units

@testable import LoadGenerator

@Suite("Schedule")
struct ScheduleTests {
    @Test(
        "batches are due evenly from the beginning, as many as the rate makes in the time",
        arguments: [(2.5, 10, 25), (20, 30, 600), (0.5, 5, 3), (1, 1, 1), (3, 0, 0)]
    )
    func count(rate: Double, seconds: Int, expected: Int) {
        let schedule = Schedule(rate: Rate(perSecond: rate))
        #expect(schedule.count(within: .seconds(seconds)) == expected)
        #expect(schedule.starts(within: .seconds(seconds)).allSatisfy { $0 >= .zero && $0 < .seconds(seconds) })
    }

    /// Schedules of every kind that has a count, with odd rates and times.
    static let counted: [Schedule] = [
        Schedule(.constant(Rate(perSecond: 7.0 / 60))), Schedule(.constant(Rate(perSecond: 333.3))),
        Schedule(.ramp(from: 0, to: 40)), Schedule(.ramp(from: 40, to: 0)), Schedule(.ramp(from: 3, to: 3)),
        Schedule(.ramp(from: 1, to: 9), from: .milliseconds(700), until: .milliseconds(5300)),
        Schedule(.burst(batches: 3, every: .milliseconds(700))),
        Schedule(
            .steps([
                .init(rate: Rate(perSecond: 3), length: .seconds(1)),
                .init(rate: Rate(perSecond: 11.5), length: .milliseconds(2500)),
            ])
        ),
    ]

    @Test("the count is that of the starts, with any phase, and no phase changes it", arguments: counted)
    func countIsExact(schedule: Schedule) throws {
        for milliseconds in [1, 999, 1000, 3333, 6000] {
            let duration = Duration.milliseconds(milliseconds)
            let count = try #require(schedule.count(within: duration))
            #expect(Array(schedule.starts(within: duration)).count == count)
            for share in [0, 0.25, 0.5, 0.999] {
                let starts = Array(schedule.phased(by: share, within: duration).starts(within: duration))
                #expect(starts.count == count, "phase \(share) of \(milliseconds) ms")
                #expect(zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 })
                #expect(starts.allSatisfy { $0 < duration })
            }
        }
    }

    @Test("a plan of a year at the highest rate is counted at once")
    func countsInClosedForm() {
        let year = Duration.seconds(366 * 86400)
        #expect(Schedule(rate: Rate(perSecond: 1e6)).count(within: year) == 366 * 86400 * 1_000_000)
        #expect(Schedule(.burst(batches: 1_000_000, every: .seconds(1))).count(within: year) == 366 * 86400 * 1_000_000)
        #expect(Schedule(.ramp(from: 0, to: 1e6)).count(within: year) == 366 * 86400 * 500_000)
        #expect(Schedule(.poisson(Rate(perSecond: 1))).count(within: year) == nil)
        #expect(Schedule(.closed(3)).count(within: year) == nil)
    }

    @Test("a ramp comes as often on the whole as its mean rate, and ever closer together, from zero too")
    func ramp() throws {
        for from in [0.0, 1.0] {
            let schedule = Schedule(.ramp(from: from, to: 10 - from))
            let starts = Array(schedule.starts(within: .seconds(10)))
            #expect(starts.count == 50)
            #expect(starts[0] == .zero)
            let gaps = zip(starts.dropFirst(), starts).map { $0 - $1 }
            #expect(zip(gaps.dropFirst(), gaps).allSatisfy { $0 < $1 })
            // The square root's law: batch k of 50 from zero is due at 10 s * sqrt(k / 50).
            if from == 0 { #expect(abs(starts[32].inSeconds - 8) < 1e-6) }
        }
    }

    @Test("bursts come together, and only between from and until")
    func bursts() {
        var schedule = Schedule(.burst(batches: 3, every: .seconds(2)), from: .seconds(1), until: .seconds(6))
        #expect(Array(schedule.starts(within: .seconds(10))) == [1, 1, 1, 3, 3, 3, 5, 5, 5].map { .seconds($0) })
        schedule.until = nil
        #expect(schedule.count(within: .seconds(4)) == 6)
    }

    @Test("steps follow each other, and then no more is due")
    func steps() {
        let schedule = Schedule(
            .steps([
                .init(rate: Rate(perSecond: 2), length: .seconds(1)),
                .init(rate: Rate(perSecond: 4), length: .seconds(1)),
            ])
        )
        let starts = schedule.starts(within: .seconds(60)).map(\.inMilliseconds)
        #expect(starts == [0, 500, 1000, 1250, 1500, 1750])
    }

    @Test("Poisson arrivals have the mean rate, exponential gaps, and are the same for the same seed")
    func poisson() {
        let schedule = Schedule(.poisson(Rate(perSecond: 1000)))
        let starts = schedule.starts(within: .seconds(20), seed: 5).map(\.inSeconds)
        // 20,000 are expected, with a standard deviation of 141.
        #expect(abs(starts.count - 20_000) < 700)
        let gaps = zip(starts.dropFirst(), starts).map { $0 - $1 }
        let share = Double(gaps.count { $0 > 0.001 }) / Double(gaps.count)
        #expect(abs(share - 0.3679) < 0.02, "1/e of exponential gaps are longer than their mean")
        #expect(schedule.starts(within: .seconds(20), seed: 5).map(\.inSeconds) == starts)
        #expect(schedule.starts(within: .seconds(20), seed: 6).map(\.inSeconds) != starts)
    }

    @Test("clients of one rate do not march in step, and the same seed gives them the same phases")
    func phases() throws {
        func firsts(_ seed: UInt64) throws -> [Double] {
            try (0..<200).map { number in
                let spec = try ClientSpec(text: "c\(number):uris=1,rate=1/s").phased(seed: seed, within: .seconds(3))
                return try #require(spec.schedule.starts(within: .seconds(3)).first { _ in true }).inSeconds
            }
        }
        let first = try firsts(1)
        for tenth in 0..<10 {
            let there = first.count { $0 >= Double(tenth) / 10 && $0 < Double(tenth + 1) / 10 }
            #expect((5...40).contains(there), "\(there) of 200 in tenth \(tenth)")
        }
        #expect(try firsts(1) == first)
        #expect(try firsts(2) != first)
        let fixed = try ClientSpec(text: "c:uris=1,rate=1/s,phase=300ms").phased(seed: 1, within: .seconds(3))
        #expect(Array(fixed.schedule.starts(within: .seconds(2))) == [.milliseconds(300), .milliseconds(1300)])
    }

    @Test(
        "what is left up to a moment is what going through it finds, however much was taken before",
        arguments: [
            "rate=40/s", "rate=40/s,from=1s", "ramp=0/s..100/s", "ramp=100/s..0/s", "steps=10/s*1s+50/s*2s",
            "burst=7/300ms",
            "poisson=40/s", "rate=40/s,until=2s", "rate=40/s,phase=500ms",
        ]
    )
    func backlog(text: String) throws {
        let schedule = try ClientSpec(text: "a:uris=1,\(text)").schedule.phased(by: 0.4, within: .seconds(4))
        for taken in [0, 1, 20] {
            for moment in [Duration.zero, .milliseconds(300), .milliseconds(1234), .seconds(4), .seconds(9)] {
                var starts = schedule.starts(within: .seconds(4), seed: 3)
                for _ in 0..<taken { _ = starts.next() }
                let expected = Array(starts.prefix { $0 <= moment })
                let parts = starts.backlog(until: moment)
                #expect(parts.map(\.due) == expected)
                #expect(parts.allSatisfy { $0.batches == 1 })
            }
        }
    }

    @Test("of a backlog of any length the number is exact, and it takes no time to find")
    func longBacklog() throws {
        let day = Duration.seconds(240 * 3600)
        for text in ["rate=1000000/s", "ramp=0/s..1000000/s", "burst=1000000/1s"] {
            let schedule = try ClientSpec(text: "a:uris=1,\(text)").schedule
            let parts = schedule.starts(within: day).backlog(until: day)
            #expect(parts.count == Starts.mostParts)
            #expect(parts.reduce(0) { $0 + $1.batches } == schedule.count(within: day))
            #expect(parts.map(\.due) == parts.map(\.due).sorted())
        }
        // Of random arrivals as many as come on average.
        let random = try ClientSpec(text: "a:uris=1,poisson=1000000/s").schedule
        let count = random.starts(within: day, seed: 1).backlog(until: .seconds(3600)).reduce(0) { $0 + $1.batches }
        #expect(abs(Double(count) / 3.6e9 - 1) < 0.01)
        let closed = try ClientSpec(text: "a:uris=1,closed=3").schedule
        #expect(closed.starts(within: day).backlog(until: day).isEmpty)
    }
}
