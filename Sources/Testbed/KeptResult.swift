internal import POSIX
internal import Text

/// A file in which a result is kept while more of it is being measured.
package struct KeptResult {
    /// Nil, or "-", for nowhere.
    private let file: String?
    /// What goes on when it cannot be kept, as in "the sweep".
    private let subject: String
    /// Shows lines to whoever waits.
    private let show: ([String]) -> Void
    /// Why the last attempt failed; nil when it did not.
    package private(set) var unsaved: String?

    package init(in file: String?, of subject: String, show: @escaping ([String]) -> Void) {
        self.file = file
        self.subject = subject
        self.show = show
    }

    /// Keeps what is measured so far: complete or not at all, and the earlier file when it does not fit.
    package mutating func save(_ result: some Encodable) {
        guard let file, file != "-" else { return }
        do {
            try Descriptor.replaceFile(file, with: JSONText.encode(result) + Array("\n".utf8))
            unsaved = nil
        } catch {
            if unsaved == nil { show(["cannot \(error): what was measured before is kept, and \(subject) goes on"]) }
            unsaved = "\(error)"
        }
    }
}
