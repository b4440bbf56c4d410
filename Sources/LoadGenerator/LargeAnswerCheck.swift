internal import PostRecords
internal import Synchronization

/// Looks through large answers on the assistant's thread.
final class LargeAnswerCheck: Sendable {
    /// Bytes from which on an answer is large: to look through it takes a tenth of a millisecond.
    static let size = 64 << 10

    private let check: Mutex<AnswerCheck>

    init(_ workload: Workload) {
        check = Mutex(AnswerCheck(workload))
    }

    func check(_ body: [UInt8], _ codec: Codec, against selection: Selection) -> Result<
        AnswerCheck.Tally, AnswerCheck.Fault
    > {
        check.withLock { check in
            Result { () throws(AnswerCheck.Fault) in try check.check(body, codec, against: selection) }
        }
    }
}
