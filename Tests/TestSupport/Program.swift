internal import Glibc
package import POSIX
internal import Testbed

/// One of the package's executables, run to its end or until it is told to end.
package final class Program {
    private var process: ChildProcess
    private let output: RunFolder
    private let path: String

    /// - Parameters:
    ///   - descriptorLimit: its RLIMIT_NOFILE; nil to inherit.
    ///   - temporaryFolder: where it makes folders of its own; nil for where everybody does.
    ///   - searchPath: where it finds other programs, as in PATH; nil to inherit.
    package init(
        _ name: String,
        _ arguments: [String],
        descriptorLimit: UInt64? = nil,
        temporaryFolder: String? = nil,
        searchPath: String? = nil
    ) throws {
        // A shell starts what it has in the background with SIGINT ignored, and the program would inherit that.
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
        output = try RunFolder()
        path = output.path + "/output"
        let file = try Descriptor.creating(path)
        let program = try Executables.sibling(name)
        let environment = [("TMPDIR", temporaryFolder), ("PATH", searchPath)].compactMap { name, value in
            value.map { "\(name)=\($0)" }
        }
        process = try ChildProcess(
            environment.isEmpty ? program : "/usr/bin/env",
            (environment.isEmpty ? [] : environment + [program]) + arguments,
            output: file.rawValue,
            descriptorLimit: descriptorLimit
        )
    }

    package var identifier: Int32 { process.identifier }

    package func send(_ signal: CInt) { process.send(signal) }

    /// How it ended, or nil while it runs.
    package func poll() -> ProcessExit? { process.poll() }

    /// Waits, a bounded while, for its end.
    package func wait(within timeout: Duration = .seconds(30)) -> ProcessExit? {
        _ = eventually(within: timeout) { process.poll() != nil }
        return process.poll()
    }

    /// What it printed so far, to standard output and error.
    package var text: String {
        get throws { String(decoding: try Descriptor.reading(path).readSome(upTo: 8 << 20), as: UTF8.self) }
    }
}

extension Program {
    /// The path of one of the package's executables.
    package static func path(_ name: String) throws -> String { try Executables.sibling(name) }

    package static func onPath(_ name: String) -> String? { ProgramPath.onPath(name) }

    package static func contents(of path: String) throws -> String {
        String(decoding: try Descriptor.reading(path).readSome(upTo: 8 << 20), as: UTF8.self)
    }
}

/// A path for a file of a test's own, removed with this object.
package final class TemporaryFile {
    private let folder: RunFolder

    package init() throws {
        folder = try RunFolder()
    }

    package var path: String { folder.path + "/file" }

    /// The folder it is in, which is removed with it.
    package var folderPath: String { folder.path }

    package var contents: String {
        get throws { try Program.contents(of: path) }
    }
}
