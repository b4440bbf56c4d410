import Testing
import Units

@testable import Telemetry

@Suite("Latency histogram")
struct LatencyHistogramTests {
    private func histogram(_ microseconds: [Int]) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for one in microseconds { histogram.record(.microseconds(one)) }
        return histogram
    }

    @Test("every latency is told to three digits, from a microsecond to an hour, and longer ones count as an hour")
    func digits() {
        var lengths = [0, 1, 2, 1023, 1024, 2047, 2048, 2049, 4095, 4096, 3_600_000_000]
        var length = 3.0
        while length < 3.6e9 {
            lengths.append(Int(length))
            length *= 1.37
        }
        for length in lengths {
            let buckets = histogram([length]).buckets
            #expect(buckets.count == 1 && buckets[0].count == 1)
            let told = Int(buckets[0].microseconds)
            #expect(told >= length && Double(told - length) <= Double(length) / 1000, "\(length) is told as \(told)")
            #expect(told == length || length >= 2048)
        }
        #expect(histogram([9_000_000_000]).buckets == histogram([3_600_000_000]).buckets)
        #expect(histogram([-5]).buckets == histogram([0]).buckets)
    }

    @Test("percentiles are those of the sorted latencies, each as the longest that is counted with it")
    func percentiles() throws {
        var generator = SplitMix64(seed: 7)
        for size in [1, 2, 10, 999, 1000] {
            let lengths = (0..<size).map { _ in
                Int.random(in: 1...1 << Int.random(in: 1...31, using: &generator), using: &generator)
            }
            let (all, sorted) = (histogram(lengths), lengths.sorted())
            #expect(all.count == size)
            for percent in [0, 50, 90, 99, 99.9, 100] {
                let rank = max(1, Int((percent * Double(size) / 100 - 1e-9).rounded(.up)))
                let (exact, told) = (
                    Double(sorted[rank - 1]) / 1000, try #require(all.milliseconds(atPercentile: percent))
                )
                #expect(told >= exact * 0.999 && told <= exact * 1.001 + 1e-9, "p\(percent) of \(size)")
            }
            #expect(all.milliseconds(atPercentile: 100) == Double(sorted.last!) / 1000)
            #expect(try #require(all.max) >= Double(sorted.last!) / 1000)
        }
        #expect(LatencyHistogram().milliseconds(atPercentile: 50) == nil && LatencyHistogram().max == nil)
    }

    @Test("two are one, whichever was longer, and what one holds makes it again")
    func sums() throws {
        var generator = SplitMix64(seed: 8)
        let lengths = (0..<2000).map { _ in
            Int.random(in: 0...1 << Int.random(in: 1...31, using: &generator), using: &generator)
        }
        let whole = histogram(lengths)
        for cut in [0, 1, 700, 2000] {
            var sum = histogram(Array(lengths[..<cut]))
            sum.add(histogram(Array(lengths[cut...])))
            #expect(sum.buckets == whole.buckets && sum.count == whole.count && sum.max == whole.max)
        }
        let again = try #require(LatencyHistogram(whole.buckets))
        #expect(again.buckets == whole.buckets && again.count == 2000)
        #expect(whole.buckets.map(\.microseconds) == whole.buckets.map(\.microseconds).sorted())
        var counted = LatencyHistogram()
        counted.record(.milliseconds(3), count: 5)
        #expect(counted.buckets == histogram(Array(repeating: 3000, count: 5)).buckets)
    }

    @Test("its text for plotters has its count and its longest")
    func text() {
        let text = histogram([1000, 2000, 500_000]).percentileText
        #expect(text.contains("Total count    =            3"))
        #expect(text.contains("     500.22") || text.contains("     500."), "\(text)")
    }
}
