/// What the log says of a failed exchange; the error's own text follows it.
package struct FailureMessages: Sendable {
    package var get: String
    package var set: String

    package init(get: String, set: String) {
        self.get = get
        self.set = set
    }
}
