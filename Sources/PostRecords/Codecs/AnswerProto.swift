internal import FanOut

/// Part of a GetPostRecords answer in protobuf.
///
/// A cached value is the answer to asking for its URI alone, and protobuf's messages merge by being put one behind
/// another: lists follow each other (protobuf.dev/programming-guides/encoding, "Last One Wins"). So values go
/// into the answer as they are.
struct AnswerProto: AnswerPart {
    private var bytes: [UInt8] = []

    /// A record and a meta without any field.
    private static let empty: [UInt8] = [0x0a, 0, 0x12, 0]

    init(_ outcomes: ArraySlice<Outcome>) {
        bytes.reserveCapacity(outcomes.count * 512)
        for outcome in outcomes {
            switch outcome {
            // One that is broken would make the whole answer unreadable; here there is none.
            case .hit(let value), .stored(let value): bytes += value
            case .missing, .unreadable, .failed: bytes += Self.empty
            }
        }
    }

    static func body(of parts: [AnswerProto]) -> [[UInt8]] {
        parts.map(\.bytes)
    }
}
