internal import Glibc

/// A file that is written bit by bit: what is there stays until the first bit, and then goes.
package struct StreamedFile: ~Copyable, Sendable {
    private let file: Descriptor
    private let path: String
    private var isBegun = false

    /// Standard output.
    package init() throws(SystemCallError) {
        file = try .duplicate(of: 1)
        path = "standard output"
        isBegun = true
    }

    /// - Throws: ``SystemCallError`` naming the file; ENXIO for a pipe that nobody reads. open(2)
    package init(_ path: String) throws(SystemCallError) {
        file = try .output(path)
        self.path = path
        // Whoever holds one of these has it open as well, and decides where it begins.
        isBegun = StandardStreams.number(of: path) != nil
    }

    /// - Throws: ``SystemCallError`` naming the file. ftruncate(2), write(2)
    package mutating func write(_ bytes: [UInt8]) throws(SystemCallError) {
        if !isBegun { file.empty() }
        isBegun = true
        do throws(SystemCallError) {
            try file.writeAll(bytes)
        } catch {
            throw SystemCallError(error.call, on: path, errno: error.errno)
        }
    }
}

extension Descriptor {
    /// Opens what a command was told to write to: a file, made where there is none, a pipe that is read, a terminal, or
    /// /dev/null and its like. Written to at its end. open(2)
    /// - Throws: ``SystemCallError`` naming the file; for other devices, and for a file that would be made among them.
    static func output(_ path: String) throws(SystemCallError) -> Descriptor {
        if let number = StandardStreams.number(of: path) { return try .duplicate(of: number) }
        try checkOutput(path)
        // Without a wait for whoever reads a pipe.
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        do {
            return Descriptor(owning: CInt(try systemCall("open", on: path) { Int(open(path, flags, 0o644)) }))
        } catch {
            guard error.errno == ENXIO else { throw error }
            throw SystemCallError("open", on: path, errno: ENXIO, reason: "nobody reads it")
        }
    }

    /// Whether a path leads to something that a result may be written to.
    static func checkOutput(_ path: String) throws(SystemCallError) {
        switch FileKind(at: path) {
        case .device: throw SystemCallError("open", on: path, errno: ENODEV, reason: "it is a device; name a file")
        case nil where FileKind.isAmongDevices(path):
            throw SystemCallError("open", on: path, errno: ENOENT, reason: "there is no such device; name a file")
        default: break
        }
    }
}
