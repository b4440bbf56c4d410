package import POSIX
internal import Synchronization

/// The error log of a running server; mode and sink change while it is written to.
package final class ErrorLog: Sendable {
    private struct State {
        var mode: LogMode
        var sink: LogSink
        var output: Output
    }

    private final class Output: Sendable {
        let descriptor: Descriptor

        init(_ descriptor: consuming Descriptor) {
            self.descriptor = descriptor
        }
    }

    private let state: Mutex<State>
    /// Lines handed to the kernel whole, and lines it did not take.
    package let written = Counter()
    package let dropped = Counter()

    /// - Throws: ``SystemCallError`` when the sink cannot be opened.
    package init(mode: LogMode, sink: LogSink) throws(SystemCallError) {
        state = Mutex(State(mode: mode, sink: sink, output: Output(try sink.open())))
    }

    /// Changes mode and sink; nothing has changed when the sink cannot be opened.
    /// - Throws: ``SystemCallError`` from opening the sink.
    package func set(mode: LogMode, sink: LogSink) throws(SystemCallError) {
        let sameSink = state.withLock { $0.sink == sink }
        let output = sameSink ? nil : Output(try sink.open())
        state.withLock { state in
            state.mode = mode
            guard let output else { return }
            state.sink = sink
            state.output = output
        }
    }

    /// Logs an error in the present mode. `line` is made only when something is to be written.
    package func record(_ line: () -> ErrorLine) {
        let output = state.withLock { $0.mode == .blocking ? $0.output : nil }
        guard let output else { return }
        let bytes = line().encoded()
        // One write(2) a line, outside the lock: a slow reader holds up only who writes.
        let result = bytes.withUnsafeBytes { bytes in
            (try? output.descriptor.write(bytes)) == .done(bytes.count)
        }
        (result ? written : dropped).add()
    }
}
