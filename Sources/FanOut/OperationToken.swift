/// One use of an operation's slot as a number, for the poller and for other threads.
struct OperationToken: Equatable {
    private static let mark: UInt64 = 1 << 63
    let rawValue: UInt64

    /// - Parameter generation: tells this use of the slot from earlier ones, whose events may still come.
    init(slot: Int, generation: UInt32) {
        rawValue = Self.mark | UInt64(slot) << 32 | UInt64(generation)
    }

    /// Nil for a number that is not a token.
    init?(_ rawValue: UInt64) {
        guard rawValue & Self.mark != 0 else { return nil }
        self.rawValue = rawValue
    }

    var slot: Int { Int((rawValue ^ Self.mark) >> 32) }
}
