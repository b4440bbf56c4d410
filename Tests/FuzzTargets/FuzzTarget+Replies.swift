internal import Units

extension FuzzTarget {
    /// memcached's replies: the first line of an input is the request, and the rest what it was answered.
    static let replies = FuzzTarget(
        name: "replies",
        words: [
            "VALUE ", "END\r\n", "STORED\r\n", "\r\n", "\n", "\r", " ", "0", "-", "4294967296", "18446744073709551615",
            "ERROR",
            "SERVER_ERROR ", "a", "b", "VALUE a 0 1\r\n1\r\n", "\u{0}", "\u{7f}", "\u{e9}",
        ],
        run: { input in
            guard let exchange = ReplyExchange(input) else { return }
            let count = exchange.reply.count
            let whole = try exchange.read(in: [count])
            // Pieces of any length, the same for the same input; some are empty.
            var random = SplitMix64(seed: input.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
            let longest = random.next() % UInt64(count + 2)
            var pieces: [Int] = []
            while pieces.last ?? 0 < count {
                pieces.append(min(count, (pieces.last ?? 0) + Int(random.next() % (longest + 2))))
            }
            for ends in [Array(0...count), pieces + [count]] {
                try exchange.compare(try exchange.read(in: ends), with: whole)
            }
        }
    )
}
