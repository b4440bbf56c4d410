/// A few of a row's open connections, the same few at each look for as long as they are open: they tell whether those open
/// now were there before.
///
/// Connections that the other end closes leave no TIME_WAIT here, and where as many come as go, nothing that is counted
/// changes. Those kept are the ones with the lowest numbers after mixing, so any that is lower than all of an earlier
/// look's must have come since.
struct OpenSketch: Sendable, Equatable {
    private static let most = 32

    /// Lowest first.
    private var numbers: [UInt64] = []

    mutating func add(_ port: UInt16, _ inode: UInt32) {
        // Nobody has the descriptor of one without an inode any more.
        guard inode != 0 else { return }
        let number = (UInt64(inode) << 16 | UInt64(port)).folded(with: 0x9e37_79b9_7f4a_7c15)
        guard numbers.count < Self.most || number < numbers[numbers.count - 1] else { return }
        let index = numbers.firstIndex { $0 > number } ?? numbers.count
        numbers.insert(number, at: index)
        if numbers.count > Self.most { numbers.removeLast() }
    }

    /// Whether most of the connections came after an earlier look.
    func isMostlyNew(since earlier: OpenSketch) -> Bool {
        let known = Set(earlier.numbers)
        let limit = earlier.numbers.count < Self.most ? UInt64.max : earlier.numbers[Self.most - 1]
        let new = numbers.count { $0 <= limit && !known.contains($0) }
        return new > 0 && new * 2 >= numbers.count
    }
}
