package import FanOut

extension FailureMessages {
    /// As the incident's log worded them.
    package static let postRecords = FailureMessages(
        get: "failed to get post cache item",
        set: "failed to set post cache item",
        unreadable: "cached value is not a post record",
        unreadableDetail: "not the protobuf of one record and its meta, or too long to be"
    )
}
