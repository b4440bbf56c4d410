internal import Units

/// Chooses the sizes and URIs of one client's batches, one after the other: the same seed chooses the same.
package struct BatchPicker: Sendable {
    private let spec: ClientSpec
    private let count: Int
    private let zipf: ZipfDistribution?
    private let freshSeed: UInt64
    private var generator: SplitMix64
    /// Posts that nobody has asked for yet.
    private var fresh: Int

    package init(_ spec: ClientSpec, _ workload: Workload) {
        self.spec = spec
        count = workload.count
        let seed = spec.seed(of: workload.seed)
        generator = SplitMix64(seed: seed)
        freshSeed = seed ^ 0x6672_6573_6800_0000
        fresh = workload.count
        zipf =
            if case .zipf(let exponent) = spec.popularity {
                ZipfDistribution(count: workload.count, exponent: exponent)
            } else {
                nil
            }
    }

    /// - Parameter size: nil draws one of the client's.
    package mutating func next(size: Int? = nil) -> Selection {
        guard let size = size ?? spec.sizes?.draw(using: &generator) else { return .none }
        let first = Int(generator.next() % UInt64(count))
        if zipf == nil, spec.hits == nil, spec.duplicates == 0 { return .neighbours(first: first, size: size) }
        var numbers: [Int] = []
        numbers.reserveCapacity(size)
        for index in 0..<size {
            if spec.duplicates > 0, let number = numbers.randomElement(using: &generator),
                Double.random(in: 0..<1, using: &generator) < spec.duplicates
            {
                numbers.append(number)
            } else if let hits = spec.hits, Double.random(in: 0..<1, using: &generator) >= hits {
                numbers.append(fresh)
                fresh += 1
            } else {
                numbers.append(zipf?.draw(using: &generator) ?? (first + index) % count)
            }
        }
        return .posts(numbers, freshSeed: freshSeed)
    }
}
