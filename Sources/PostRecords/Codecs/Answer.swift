internal import FanOut
internal import Memcached

/// A GetPostRecords answer: its body, and what became of the lookups it is made of.
struct Answer: Sendable {
    /// In blocks that go out one after another.
    let body: [[UInt8]]
    let tally: OutcomeTally

    /// Outcomes from which on a second core is worth its task.
    private static let partSize = 2000

    /// - Parameter unreadable: called with the index of a cached value that is no post record.
    init(_ outcomes: [Outcome], in codec: Codec, unreadable: @escaping @Sendable (Int) -> Void) async {
        switch codec {
        case .json: self = await Self.made(of: AnswerJSON.self, outcomes, unreadable)
        case .proto: self = await Self.made(of: AnswerProto.self, outcomes, unreadable)
        }
    }

    private init(body: [[UInt8]], tally: OutcomeTally) {
        self.body = body
        self.tally = tally
    }

    private static func made<Part: AnswerPart>(
        of _: Part.Type,
        _ outcomes: [Outcome],
        _ unreadable: @escaping @Sendable (Int) -> Void
    ) async -> Answer {
        let parts = await withTaskGroup { group in
            for start in stride(from: 0, to: outcomes.count, by: partSize) {
                group.addTask {
                    let slice = outcomes[start..<min(start + partSize, outcomes.count)]
                    return (start, Part(slice, unreadable: unreadable), OutcomeTally(slice))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }
        }
        return Answer(
            body: Part.body(of: parts.map(\.1)),
            tally: parts.reduce(into: OutcomeTally()) { $0.add($1.2) }
        )
    }
}

/// A run of neighbours of an answer in one codec. Parts are written on several cores.
protocol AnswerPart: Sendable {
    /// Puts outcomes in their places: a record and its meta for each, empty ones where there is none.
    /// - Parameters:
    ///   - outcomes: a slice of the whole batch's, with its indices.
    ///   - unreadable: called with the index of a cached value that is no post record.
    init(_ outcomes: ArraySlice<Outcome>, unreadable: (Int) -> Void)

    /// The whole body out of its parts, in order.
    static func body(of parts: [Self]) -> [[UInt8]]
}

/// What became of lookups.
struct OutcomeTally: Sendable {
    var hits = 0
    var misses = 0
    /// By the name of their error.
    var errors: [String: Int] = [:]

    init() {}

    init(_ outcomes: ArraySlice<Outcome>) {
        for outcome in outcomes {
            switch outcome {
            case .hit: hits += 1
            case .missing, .stored: misses += 1
            case .failed(let error): errors[error.name, default: 0] += 1
            }
        }
    }

    var failed: Int { errors.values.reduce(0, +) }

    mutating func add(_ other: OutcomeTally) {
        hits += other.hits
        misses += other.misses
        errors.merge(other.errors, uniquingKeysWith: +)
    }
}
