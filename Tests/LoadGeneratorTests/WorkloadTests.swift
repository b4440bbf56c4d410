import Glibc
import PostRecords
import SwiftProtobuf
import Testing
import Units

@testable import LoadGenerator

@Suite("Workload")
struct WorkloadTests {
    private func uris(of body: [UInt8], _ codec: Codec) throws -> [String] {
        switch codec {
        case .json: try Bsky_GetPostRecordsRequest(jsonUTF8Bytes: body).uris
        case .proto: try Bsky_GetPostRecordsRequest(serializedBytes: body).uris
        }
    }

    @Test("a batch asks for distinct posts, and the same seed asks for the same", arguments: Codec.allCases)
    func bodies(codec: Codec) throws {
        let workload = Workload(seed: 4, count: 100)
        let spec = ClientSpec(name: "a", uris: 1...100, rate: Rate(perSecond: 1))
        var (first, second) = (BatchPicker(spec, workload), BatchPicker(spec, workload))
        for size in [1, 50, 100] {
            let selection = first.next(size: size)
            #expect(selection == second.next(size: size))
            var body: [UInt8] = []
            workload.append(selection, in: codec, to: &body)
            let asked = try uris(of: body, codec)
            #expect(asked.count == size)
            #expect(Set(asked).count == size)
            #expect(Set(asked).isSubset(of: workload.uris))
        }
    }

    @Test("URIs of a trace go out as they are, long ones too", arguments: Codec.allCases)
    func ownURIs(codec: Codec) throws {
        let own = ["at://a/b/c", "at://" + String(repeating: "x", count: 240)]
        var body: [UInt8] = []
        Workload(seed: 1, count: 1).append(.uris(own), in: codec, to: &body)
        #expect(try uris(of: body, codec) == own)
    }

    @Test("of the hit ratio asked for, URIs are of the load's posts; the others never come twice")
    func hits() throws {
        let workload = Workload(seed: 4, count: 50)
        var spec = ClientSpec(name: "a", uris: 100...100, rate: Rate(perSecond: 1))
        spec.hits = 0.9
        var picker = BatchPicker(spec, workload)
        let known = Set(workload.uris)
        var fresh: [String] = []
        for _ in 0..<100 {
            var body: [UInt8] = []
            workload.append(picker.next(), in: .json, to: &body)
            fresh += try uris(of: body, .json).filter { !known.contains($0) }
        }
        // 1,000 of 10,000 are expected, with a standard deviation of 30.
        #expect(abs(fresh.count - 1000) < 150)
        #expect(Set(fresh).count == fresh.count)
    }

    @Test("of the duplicates asked for, URIs are in the batch already")
    func duplicates() {
        let workload = Workload(seed: 4, count: 10_000)
        var spec = ClientSpec(name: "a", uris: 1000...1000, rate: Rate(perSecond: 1))
        spec.duplicates = 0.3
        var picker = BatchPicker(spec, workload)
        guard case .posts(let numbers, _) = picker.next() else { return #expect(Bool(false)) }
        #expect(abs(numbers.count - Set(numbers).count - 300) < 100)
    }

    @Test("popularity by Zipf's law: each rank as often as its power of the first", arguments: [0.8, 1.0, 1.23, 2.1])
    func zipf(exponent: Double) {
        let zipf = ZipfDistribution(count: 1000, exponent: exponent)
        var generator = SplitMix64(seed: 3)
        var counts = Array(repeating: 0, count: 1000)
        let draws = 200_000
        for _ in 0..<draws { counts[zipf.draw(using: &generator)] += 1 }
        let sum = (1...1000).reduce(0.0) { $0 + 1 / pow(Double($1), exponent) }
        for rank in [1, 2, 3, 10] {
            let expected = Double(draws) / pow(Double(rank), exponent) / sum
            // Five standard deviations.
            #expect(abs(Double(counts[rank - 1]) - expected) < 5 * expected.squareRoot() + 1, "rank \(rank)")
        }
    }

    @Test("sizes by weight come as often as they weigh")
    func sizes() throws {
        let sizes = try BatchSizes(text: "90%:1..50,10%:20000")
        var generator = SplitMix64(seed: 1)
        let drawn = (0..<10_000).map { _ in sizes.draw(using: &generator) }
        #expect(abs(drawn.count { $0 == 20_000 } - 1000) < 150)
        #expect(drawn.allSatisfy { $0 == 20_000 || (1...50).contains($0) })
        #expect(sizes.bounds == 1...20_000)
    }
}

@Suite("Value sizes")
struct ValueSizesTests {
    @Test("values are as large as was asked for, and the same posts as before")
    func sizes() throws {
        let uri = PostURI.make(seed: 1, number: 3)
        for bytes in [10, 1000, 100_000] {
            let value = SyntheticPost.cacheValue(for: uri, bytes: bytes)
            let natural = SyntheticPost.cacheValue(for: uri)
            #expect(abs(value.count - max(bytes, natural.count)) <= 12)
            let (long, short) = (
                try Bsky_GetPostRecordsResponse(serializedBytes: value),
                try Bsky_GetPostRecordsResponse(serializedBytes: natural)
            )
            #expect(long.records[0].cid == short.records[0].cid)
        }
    }

    @Test("Facebook's ETC: the published quantiles of its generalised Pareto distribution")
    func etc() throws {
        let sizes = try ValueSizes(text: "fb-etc")
        let drawn = (0..<20_000).compactMap { sizes.bytes(seed: 1, number: $0) }.sorted()
        // Median 214.476 / 0.348238 * (2^0.348238 - 1) = 168, ninth decile 757.
        #expect(abs(drawn[10_000] - 168) < 10)
        #expect(abs(drawn[18_000] - 757) < 50)
        #expect(try ValueSizes(text: "twitter:29").bytes(seed: 1, number: 1) == 799)
        #expect(try ValueSizes(text: "2KiB").bytes(seed: 1, number: 1) == 2048)
        for text in ["", "0B", "fb", "twitter:2", "1GiB"] {
            #expect(throws: UnitTextError.self) { try ValueSizes(text: text) }
        }
    }
}
