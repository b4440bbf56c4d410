internal import Units

/// Makes inputs out of others, the same ones for the same seed: for a short run without a fuzzer's knowledge of the code.
package struct Mutator {
    private let corpus: [[UInt8]]
    private let words: [[UInt8]]
    private var random: SplitMix64

    /// - Parameter corpus: one input or more.
    package init(_ corpus: [[UInt8]], words: [String], seed: UInt64) {
        self.corpus = corpus
        self.words = words.map { Array($0.utf8) }
        random = SplitMix64(seed: seed)
    }

    private mutating func number(below bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

    /// The next input: one of the corpus with up to four changes.
    package mutating func next() -> [UInt8] {
        var input = corpus[number(below: corpus.count)]
        for _ in 0...number(below: 4) {
            let start = number(below: input.count + 1)
            let end = start + number(below: min(20, input.count - start) + 1)
            switch number(below: 6) {
            case 0: input.removeSubrange(start..<end)
            case 1: input.insert(contentsOf: input[start..<end], at: number(below: input.count + 1))
            case 2: if start < input.count { input[start] ^= 1 << UInt8(number(below: 8)) }
            case 3: input.removeLast(input.count - start)
            case 4: input += corpus[number(below: corpus.count)]
            default: input.insert(contentsOf: words[number(below: words.count)], at: start)
            }
        }
        return input
    }
}
