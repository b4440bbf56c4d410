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
            for ends in [Array(0...count), pieces(of: count, chosenBy: input)] {
                try exchange.compare(try exchange.read(in: ends), with: whole)
            }
        }
    )
}
