internal import CLinux

/// A pipe, close-on-exec at both ends from the moment there is one: a child that another thread starts just then would
/// keep it open. pipe2(2)
package struct Pipe: ~Copyable, Sendable {
    package let readEnd: Descriptor
    package let writeEnd: Descriptor

    /// - Throws: ``SystemCallError``
    package init() throws(SystemCallError) {
        var ends: [CInt] = [0, 0]
        try systemCall("pipe") { Int(linux_pipe(&ends)) }
        readEnd = Descriptor(owning: ends[0])
        writeEnd = Descriptor(owning: ends[1])
    }

    /// The reading end alone.
    package consuming func closingWriteEnd() -> Descriptor {
        readEnd
    }
}
