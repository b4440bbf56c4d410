internal import Dispatch
internal import POSIX
internal import Synchronization
internal import Units

/// Why a sink cannot take lines.
package struct LogSinkError: Error, Equatable, CustomStringConvertible {
    package var description: String
}

/// Opens files for lines, whatever they turn out to be: a pipe that nobody reads, a link of somebody's, or a file of a
/// server that is down, of which open(2) does not come back.
enum LogFile {
    private enum Opening {
        case underWay
        case ended(Result<CInt, LogSinkError>)
        /// Nobody waits any more.
        case abandoned
    }

    /// What may be waited for without an end, no more than so many times.
    private static let maxAbandoned = 4
    private static let abandoned = Atomic<Int>(0)

    /// - Parameter timeout: how long it may take.
    /// - Throws: ``LogSinkError`` for what is no regular file, but /dev/null and its like, and for what takes too long.
    static func open(_ path: String, within timeout: Duration = .seconds(2)) throws(LogSinkError) -> Descriptor {
        guard abandoned.load(ordering: .relaxed) < maxAbandoned else {
            throw LogSinkError(description: "open \(path): \(maxAbandoned) files are being opened without end already")
        }
        let opening = SharedOpening()
        do {
            try Thread(name: "log-open", stackBytes: 256 << 10) { opening.run(path) }.detach()
        } catch {
            throw LogSinkError(description: "open \(path): \(error)")
        }
        return Descriptor(owning: try opening.wait(upTo: timeout, for: path).get())
    }

    /// An open(2) on a thread of its own, which need not come back.
    private final class SharedOpening: Sendable {
        private let state = Mutex(Opening.underWay)
        private let ended = DispatchSemaphore(value: 0)

        func run(_ path: String) {
            let result = Result { () throws(LogSinkError) in try LogFile.openNow(path).release() }
            let isAbandoned = state.withLock { state in
                if case .abandoned = state { return true }
                state = .ended(result)
                return false
            }
            guard isAbandoned else { return _ = ended.signal() }
            LogFile.abandoned.wrappingSubtract(1, ordering: .relaxed)
            if let raw = try? result.get() { Descriptor(owning: raw).close() }
        }

        func wait(upTo timeout: Duration, for path: String) -> Result<CInt, LogSinkError> {
            _ = ended.wait(timeout: .now() + .nanoseconds(Int(timeout.wholeNanoseconds)))
            return state.withLock { state in
                if case .ended(let result) = state { return result }
                state = .abandoned
                LogFile.abandoned.wrappingAdd(1, ordering: .relaxed)
                return .failure(LogSinkError(description: "open \(path): it took longer than \(timeout.text)"))
            }
        }
    }

    /// stat(2), open(2), fstat(2)
    private static func openNow(_ path: String) throws(LogSinkError) -> Descriptor {
        let kind = FileKind(at: path)
        // One of these acts on being opened, and a file that is made among them is taken for the one that is missing.
        if kind == .device || FileKind.isAmongDevices(path), kind != .null, kind != .zeros {
            throw LogSinkError(
                description: "open \(path): of devices, lines go to /dev/null, /dev/stdout and /dev/stderr only"
            )
        }
        let file: Descriptor
        do {
            file = try .appendingUnfollowed(path)
        } catch {
            let reason =
                switch error.name {
                case "ELOOP": "it is a link; name the file it leads to"
                case "ENXIO": "it is a pipe that nobody reads; name a regular file"
                default: SystemCallError.text(of: error.errno)
                }
            throw LogSinkError(description: "open \(path): \(reason)")
        }
        let opened = FileKind(of: file)
        guard opened == .regular || opened == .null || opened == .zeros else {
            throw LogSinkError(
                description: "open \(path): it is no regular file; lines would wait for whoever reads it"
            )
        }
        return file
    }
}
