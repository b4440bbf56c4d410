/// What the log says of what went wrong; the error's own text follows it.
package struct FailureMessages: Sendable {
    package var get: String
    package var set: String
    /// Of a value that is no record.
    package var unreadable: String
    /// The error's text of such a value.
    package var unreadableDetail: String

    package init(get: String, set: String, unreadable: String, unreadableDetail: String) {
        self.get = get
        self.set = set
        self.unreadable = unreadable
        self.unreadableDetail = unreadableDetail
    }
}
