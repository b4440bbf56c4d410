internal import Glibc

/// A pipe, close-on-exec at both ends. pipe(2)
package struct Pipe: ~Copyable, Sendable {
    package let readEnd: Descriptor
    package let writeEnd: Descriptor

    /// - Throws: ``SystemCallError``
    package init() throws(SystemCallError) {
        var ends: [CInt] = [0, 0]
        try systemCall("pipe") { Int(pipe(&ends)) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        readEnd = Descriptor(owning: ends[0])
        writeEnd = Descriptor(owning: ends[1])
    }

    /// The reading end alone.
    package consuming func closingWriteEnd() -> Descriptor {
        readEnd
    }
}
