internal import Incident
package import POSIX

/// One of the package's executables, run to its end or until it is told to end.
package final class Program {
    private var process: ChildProcess
    private let output: RunFolder
    private let path: String

    package init(_ name: String, _ arguments: [String]) throws {
        output = try RunFolder()
        path = output.path + "/output"
        let file = try Descriptor.creating(path)
        process = try ChildProcess(try Executables.sibling(name), arguments, output: file.rawValue)
    }

    package var identifier: Int32 { process.identifier }

    package func send(_ signal: CInt) { process.send(signal) }

    /// How it ended, or nil while it runs.
    package func poll() -> ProcessExit? { process.poll() }

    /// Waits, a bounded while, for its end.
    package func wait(within patience: Duration = .seconds(30)) -> ProcessExit? {
        _ = eventually(within: patience) { process.poll() != nil }
        return process.poll()
    }

    /// What it printed so far, to standard output and error.
    package var text: String {
        get throws { String(decoding: try Descriptor.reading(path).readSome(upTo: 8 << 20), as: UTF8.self) }
    }
}

extension Program {
    package static func onPath(_ name: String) -> String? { Executables.onPath(name) }

    /// A path nobody uses; the file is the caller's to make. It goes with the machine's temporary files.
    package static func temporaryFile() throws -> String {
        "/tmp/spiral-test-\(MonotonicInstant.now.nanoseconds)"
    }

    package static func contents(of path: String) throws -> String {
        String(decoding: try Descriptor.reading(path).readSome(upTo: 8 << 20), as: UTF8.self)
    }
}
