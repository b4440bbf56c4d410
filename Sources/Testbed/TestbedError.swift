/// Why a run cannot be set up or go on, in one line that says what to do.
package struct TestbedError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// A signal asked the run to end.
package struct Interrupted: Error {
    package init() {}
}
