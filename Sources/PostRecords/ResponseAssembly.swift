internal import FanOut
internal import SwiftProtobuf

extension Bsky_GetPostRecordsResponse {
    /// Puts outcomes in their places: a record and its meta for each URI, empty ones where there is none.
    /// - Parameter unreadable: called with the index of a cached value that is no post record.
    init(_ outcomes: ArraySlice<Outcome>, unreadable: (Int) -> Void) {
        self.init()
        records.reserveCapacity(outcomes.count)
        meta.reserveCapacity(outcomes.count)
        for (place, outcome) in zip(outcomes.indices, outcomes) {
            switch outcome {
            case .hit(let value), .stored(let value):
                if !append(value) {
                    unreadable(place)
                    appendEmpty(at: place - outcomes.startIndex)
                }
            case .missing, .failed:
                appendEmpty(at: place - outcomes.startIndex)
            }
        }
    }

    /// Merges a cached value in; it is the response to asking for one URI.
    private mutating func append(_ value: [UInt8]) -> Bool {
        let place = records.count
        do {
            try merge(serializedBytes: value)
        } catch {
            return false
        }
        return records.count == place + 1 && meta.count == place + 1
    }

    private mutating func appendEmpty(at place: Int) {
        records.removeSubrange(min(place, records.count)...)
        meta.removeSubrange(min(place, meta.count)...)
        records.append(Bsky_Record())
        meta.append(Bsky_PostRecordMeta())
    }
}
