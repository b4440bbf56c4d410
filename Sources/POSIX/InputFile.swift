internal import Glibc
package import Units

/// Files that programs are given to read, whatever they turn out to be: a pipe that nobody writes to, a device that has
/// no end, a file that somebody shortens meanwhile.
package enum InputFile {
    /// How much is read.
    package enum Extent: Sendable {
        case all
        /// Up to the first line feed, so that who writes to a pipe need not close it.
        case firstLine
    }

    /// Reads a file. open(2), fstat(2), read(2)
    /// - Parameters:
    ///   - limit: what it may have.
    ///   - silence: how long a pipe may hand out nothing.
    /// - Throws: ``SystemCallError`` naming the file: EFBIG for more than the limit, ETIMEDOUT for a silent pipe, ENODEV
    ///   for a device other than /dev/null, ENODATA for a pipe without a writer, ESTALE for a file that was shortened.
    package static func contents(
        of path: String,
        upTo limit: ByteCount,
        _ extent: Extent = .all,
        silence: Duration = .seconds(10)
    ) throws(SystemCallError) -> [UInt8] {
        // Before it is opened: that alone makes some devices act.
        try check(FileKind(at: path), of: path)
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let file: Descriptor
        do {
            file = Descriptor(owning: CInt(try systemCall("open", on: path) { Int(open(path, flags)) }))
        } catch {
            guard error.errno == ENOENT, isLink(path) else { throw error }
            throw SystemCallError("open", on: path, errno: ENOENT, reason: "it is a link that leads nowhere")
        }
        return try contents(of: file, named: path, upTo: limit, extent, silence: silence)
    }

    /// Reads what another program hands over, for as long as it takes. read(2)
    /// - Throws: ``SystemCallError``, EFBIG for more than the limit.
    package static func standardInput(upTo limit: ByteCount) throws(SystemCallError) -> [UInt8] {
        let file = try Descriptor.duplicate(of: 0)
        return try contents(of: file, named: "standard input", upTo: limit, .all, silence: nil)
    }

    private static func check(_ kind: FileKind?, of path: String) throws(SystemCallError) {
        switch kind {
        case .folder: throw SystemCallError("read", on: path, errno: EISDIR)
        case .socket: throw SystemCallError("read", on: path, errno: ENXIO, reason: "it is a socket, no file")
        case .device, .terminal:
            throw SystemCallError("read", on: path, errno: ENODEV, reason: "it is a device, no file")
        case nil, .regular, .pipe, .null, .zeros: break
        }
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    private static func contents(
        of file: borrowing Descriptor,
        named name: String,
        upTo limit: ByteCount,
        _ extent: Extent,
        silence: Duration?
    ) throws(SystemCallError) -> [UInt8] {
        let kind = FileKind(of: file)
        if silence != nil { try check(kind, of: name) }
        var status = stat()
        let size = kind == .regular && fstat(file.rawValue, &status) == 0 ? Int(status.st_size) : 0
        let tooLarge = SystemCallError("read", on: name, errno: EFBIG, reason: "it has more than \(limit)")
        guard extent == .firstLine || size <= limit.bytes, kind != .zeros else { throw tooLarge }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(size, limit.bytes))
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
        defer { block.deallocate() }
        while true {
            switch try file.read(named: name, into: block) {
            case .wouldBlock: try file.waitForInput(named: name, upTo: silence)
            case .done(0):
                guard extent == .firstLine || silence == nil || bytes.count >= size else {
                    throw SystemCallError("read", on: name, errno: ESTALE, reason: "it became shorter as it was read")
                }
                guard kind != .pipe || silence == nil || !bytes.isEmpty else {
                    throw SystemCallError(
                        "read",
                        on: name,
                        errno: ENODATA,
                        reason: "it is a pipe that nobody writes to"
                    )
                }
                return bytes
            case .done(let count):
                let more = block[..<count]
                if extent == .firstLine, more.contains(UInt8(ascii: "\n")) { return bytes + more }
                guard count <= limit.bytes - bytes.count else { throw tooLarge }
                bytes.append(contentsOf: more)
            }
        }
    }
}

extension Descriptor {
    fileprivate func read(
        named name: String,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemCallError) -> IOResult {
        do throws(SystemCallError) {
            return try read(into: buffer)
        } catch {
            throw SystemCallError(error.call, on: name, errno: error.errno)
        }
    }

    /// Waits for a writer. poll(2)
    /// - Parameter silence: how long; nil for as long as it takes.
    /// - Throws: ``SystemCallError``, ETIMEDOUT when nothing came.
    fileprivate func waitForInput(named name: String, upTo silence: Duration?) throws(SystemCallError) {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        let timeout = silence.map { CInt($0.inSeconds * 1000) } ?? -1
        guard try systemCall("poll", on: name, { Int(poll(&entry, 1, timeout)) }) == 0, let silence else { return }
        throw SystemCallError(
            "read",
            on: name,
            errno: ETIMEDOUT,
            reason: "it is a pipe, and nothing was written to it for \(silence.text)"
        )
    }
}
