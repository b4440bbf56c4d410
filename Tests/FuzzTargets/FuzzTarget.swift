internal import Units

/// Something that reads bytes which others chose, and what must hold whatever they are.
///
/// A new one is a file beside this with a `static let`, its name in ``all``, and a folder of small inputs in `Corpus`.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    /// What did not hold, and for which input it did not.
    package struct Violation: Error, CustomStringConvertible {
        package var description: String

        package init(_ description: String) {
            self.description = description
        }
    }

    package static let all: [FuzzTarget] = [
        .replies, .httpRequests, .httpAnswers, .gzip, .calls, .cachedValues, .answers, .settings, .scenarios, .results,
        .traces,
    ]

    /// Its name on the command line, and that of its folder in `Corpus`.
    package var name: String
    /// What its inputs are made of: pieces that mutations put in.
    package var words: [String]
    /// - Throws: ``Violation``
    package var run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    package var description: String { name }

    /// Ends of pieces, of any length and some empty, that the same input is always cut into; the last is the input's.
    static func pieces(of count: Int, chosenBy input: UnsafeRawBufferPointer) -> [Int] {
        var random = SplitMix64(seed: input.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
        let longest = random.next() % UInt64(count + 2)
        var pieces: [Int] = []
        while pieces.last ?? 0 < count {
            pieces.append(min(count, (pieces.last ?? 0) + Int(random.next() % (longest + 2))))
        }
        return pieces + [count]
    }

    /// An input as a failure shows it.
    static func shown(_ input: some Collection<UInt8>) -> String {
        String(decoding: input.prefix(400), as: UTF8.self).debugDescription
    }
}
