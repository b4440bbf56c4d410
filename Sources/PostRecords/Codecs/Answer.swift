package import FanOut
internal import FoundationEssentials
internal import Memcached

/// A GetPostRecords answer: its body, and what became of the lookups it is made of.
struct Answer: Sendable {
    /// In blocks that go out one after another.
    let body: [[UInt8]]
    let tally: OutcomeTally

    /// Outcomes of one part: about a millisecond's work.
    private static let partSize = 1000

    /// - Parameter outcomes: their values are ones that ``CachedValue/isReadable(_:)``.
    init(_ outcomes: [Outcome], in codec: Codec) async {
        switch codec {
        case .json: self = await Self.made(of: AnswerJSON.self, outcomes)
        case .proto: self = await Self.made(of: AnswerProto.self, outcomes)
        }
    }

    private init(body: [[UInt8]], tally: OutcomeTally) {
        self.body = body
        self.tally = tally
    }

    private static func made<Part: AnswerPart>(of _: Part.Type, _ outcomes: [Outcome]) async -> Answer {
        if outcomes.count <= partSize {
            let part = Part(outcomes[...])
            return Answer(body: Part.body(of: [part]), tally: OutcomeTally(outcomes[...]))
        }
        let starts = Array(stride(from: 0, to: outcomes.count, by: partSize))
        // As many tasks as there are cores, which let others go first after each part: small answers do not queue
        // behind all of a large one.
        let tasks = min(starts.count, ProcessInfo.processInfo.activeProcessorCount)
        let parts = await withTaskGroup { group in
            for task in 0..<tasks {
                group.addTask {
                    var parts: [(start: Int, part: Part, tally: OutcomeTally)] = []
                    for index in stride(from: task, to: starts.count, by: tasks) {
                        let start = starts[index]
                        let slice = outcomes[start..<min(start + partSize, outcomes.count)]
                        parts.append((start, Part(slice), OutcomeTally(slice)))
                        await Task.yield()
                    }
                    return parts
                }
            }
            return await group.reduce(into: []) { $0 += $1 }.sorted { $0.start < $1.start }
        }
        return Answer(
            body: Part.body(of: parts.map(\.part)),
            tally: parts.reduce(into: OutcomeTally()) { $0.add($1.tally) }
        )
    }
}

/// A run of neighbours of an answer in one codec. Parts are written on several cores.
package protocol AnswerPart: Sendable {
    /// Puts outcomes in their places: a record and its meta for each, empty ones where there is none.
    /// - Parameter outcomes: a slice of the whole batch's, with its indices.
    init(_ outcomes: ArraySlice<Outcome>)

    /// The whole body out of its parts, in order.
    static func body(of parts: [Self]) -> [[UInt8]]
}

/// What became of lookups.
struct OutcomeTally: Sendable {
    var hits = 0
    var misses = 0
    var unreadable = 0
    /// By the name of their error.
    var errors: [String: Int] = [:]

    init() {}

    init(_ outcomes: ArraySlice<Outcome>) {
        for outcome in outcomes {
            switch outcome {
            case .hit: hits += 1
            case .missing, .stored: misses += 1
            case .unreadable: unreadable += 1
            case .failed(let error): errors[error.name, default: 0] += 1
            }
        }
    }

    var failed: Int { errors.values.reduce(0, +) }

    mutating func add(_ other: OutcomeTally) {
        hits += other.hits
        misses += other.misses
        unreadable += other.unreadable
        errors.merge(other.errors, uniquingKeysWith: +)
    }
}
