/// Something that reads bytes which others chose, and what must hold whatever they are.
///
/// A new one is a file beside this with a `static let`, its name in ``all``, and a folder of small inputs in `Corpus`.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    /// What did not hold, and for which input it did not.
    package struct Violation: Error, CustomStringConvertible {
        package var description: String

        package init(_ description: String) {
            self.description = description
        }
    }

    package static let all: [FuzzTarget] = [.replies]

    /// Its name on the command line, and that of its folder in `Corpus`.
    package var name: String
    /// What its inputs are made of: pieces that mutations put in.
    package var words: [String]
    /// - Throws: ``Violation``
    package var run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    package var description: String { name }
}
