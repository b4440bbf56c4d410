import Glibc
import Units

/// Makes exchanges out of those of the corpus: the same ones for the same seed.
struct ReplyFuzzer {
    /// A second, or as many as SPIRAL_FUZZ_SECONDS says.
    static let duration = Duration.seconds(getenv("SPIRAL_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) } ?? 1)

    /// What replies are made of, and near misses of it.
    private static let words = [
        "VALUE ", "END\r\n", "STORED\r\n", "\r\n", "\n", "\r", " ", "0", "-", "4294967296", "18446744073709551615",
        "ERROR",
        "SERVER_ERROR ", "a", "b", "VALUE a 0 1\r\n1\r\n", "\u{0}", "\u{7f}", "\u{e9}",
    ].map { Array($0.utf8) }

    private let corpus: [Exchange]
    private var random = SplitMix64(seed: 20_260_403)

    init(_ corpus: [Exchange]) {
        self.corpus = corpus
    }

    private mutating func number(below bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

    mutating func next() -> Exchange {
        let origin = corpus[number(below: corpus.count)]
        var reply = origin.reply
        for _ in 0..<number(below: 4) + 1 {
            let position = number(below: reply.count + 1)
            let end = position + number(below: min(20, reply.count - position) + 1)
            switch number(below: 6) {
            case 0: reply.removeSubrange(position..<end)
            case 1: reply.insert(contentsOf: reply[position..<end], at: number(below: reply.count + 1))
            case 2: if position < reply.count { reply[position] ^= 1 << UInt8(number(below: 8)) }
            case 3: reply.removeLast(reply.count - position)
            case 4: reply += corpus[number(below: corpus.count)].reply
            default: reply.insert(contentsOf: Self.words[number(below: Self.words.count)], at: position)
            }
        }
        return origin.answered(reply)
    }

    /// Where pieces of a reply end; some are empty.
    mutating func pieces(of exchange: Exchange) -> [Int] {
        let count = exchange.reply.count
        let longest = 1 + number(below: count + 1)
        var ends: [Int] = []
        while ends.last ?? 0 < count { ends.append(min(count, (ends.last ?? 0) + number(below: longest + 1))) }
        return ends + [count]
    }
}
