internal import FanOut
internal import SwiftProtobuf

extension Bsky_GetPostRecordsResponse {
    /// Puts outcomes in their places: a record and its meta for each URI, empty ones where there is none.
    /// - Parameter unreadable: called with the place of a cached value that is no post record.
    init(_ outcomes: [Outcome], unreadable: (Int) -> Void) {
        self.init()
        records.reserveCapacity(outcomes.count)
        meta.reserveCapacity(outcomes.count)
        for (place, outcome) in outcomes.enumerated() {
            switch outcome {
            case .hit(let value), .stored(let value):
                if !append(value) {
                    unreadable(place)
                    appendEmpty(at: place)
                }
            case .missing, .failed:
                appendEmpty(at: place)
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
