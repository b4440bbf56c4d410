internal import Glibc

/// A file descriptor with one owner, closed exactly once: by `deinit`, or earlier by ``close()``.
package struct Descriptor: ~Copyable, Sendable {
    package let rawValue: CInt

    /// Takes ownership of an open descriptor.
    package init(owning rawValue: CInt) {
        self.rawValue = rawValue
    }

    deinit {
        _ = Glibc.close(rawValue)
    }

    package consuming func close() {}

    /// Gives the descriptor up without closing it.
    package consuming func release() -> CInt {
        let raw = rawValue
        discard self
        return raw
    }

    /// Opens a file for appending, created with mode 0644. open(2)
    package static func appending(to path: String) throws(SystemCallError) -> Descriptor {
        let raw = try systemCall("open", on: path) {
            Int(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644))
        }
        return Descriptor(owning: CInt(raw))
    }

    /// As ``appending(to:)``, but of a file that may be anybody's: no link is followed, and a pipe that nobody reads is
    /// ENXIO instead of a wait. open(2) O_NOFOLLOW, O_NONBLOCK
    package static func appendingUnfollowed(_ path: String) throws(SystemCallError) -> Descriptor {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let raw = try systemCall("open", on: path) { Int(open(path, flags, 0o644)) }
        return Descriptor(owning: CInt(raw))
    }

    /// Opens a file for writing from its beginning, created with mode 0644. open(2)
    package static func creating(_ path: String) throws(SystemCallError) -> Descriptor {
        let raw = try systemCall("open", on: path) {
            Int(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644))
        }
        return Descriptor(owning: CInt(raw))
    }

    /// Empties a file; anything else stays as it is. ftruncate(2)
    package func empty() {
        _ = ftruncate(rawValue, 0)
    }

    /// Opens a file for reading; a pipe too, without a wait for its writer. open(2)
    package static func reading(_ path: String) throws(SystemCallError) -> Descriptor {
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let raw = try systemCall("open", on: path) { Int(open(path, flags)) }
        return Descriptor(owning: CInt(raw))
    }

    /// Opens an existing file for writing; ENXIO for a pipe that nobody reads. open(2)
    package static func writing(_ path: String) throws(SystemCallError) -> Descriptor {
        let flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let raw = try systemCall("open", on: path) { Int(open(path, flags)) }
        return Descriptor(owning: CInt(raw))
    }

    /// A duplicate of a descriptor that is somebody else's. fcntl(2) F_DUPFD_CLOEXEC
    package static func duplicate(of rawValue: CInt) throws(SystemCallError) -> Descriptor {
        let raw = try systemCall("dup") { Int(fcntl(rawValue, F_DUPFD_CLOEXEC, 3)) }
        return Descriptor(owning: CInt(raw))
    }

    /// Reads what is there, up to the buffer's size; `.done(0)` at the end. read(2)
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> IOResult {
        try nonBlockingCall("read") { Glibc.read(rawValue, buffer.baseAddress, buffer.count) }
    }

    /// Reads what is there as an array: empty at the end, or when a blocking socket's timeout is over. read(2)
    package func readSome(upTo count: Int) throws(SystemCallError) -> [UInt8] {
        var failure: SystemCallError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { space, filled in
            do throws(SystemCallError) {
                if case .done(let count) = try read(into: UnsafeMutableRawBufferPointer(space)) { filled = count }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads all there is up to the end, however the kernel hands it out. read(2)
    /// - Parameter limit: bytes it may be; a device may have no end.
    /// - Throws: ``SystemCallError``, EFBIG when it is more.
    package func readToEnd(upTo limit: Int = 1 << 30) throws(SystemCallError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let more = try readSome(upTo: 64 << 10)
            if more.isEmpty { return bytes }
            guard more.count <= limit - bytes.count else { throw SystemCallError("read", errno: EFBIG) }
            bytes += more
        }
    }

    /// Reads the end of a file. lseek(2), read(2)
    package func readLast(_ count: Int) throws(SystemCallError) -> [UInt8] {
        // Refused where the file is shorter: then all of it is read.
        _ = lseek(rawValue, off_t(-count), SEEK_END)
        return try readSome(upTo: count)
    }

    /// Writes all of it, however often the kernel must be asked. write(2)
    package func writeAll(_ bytes: [UInt8]) throws(SystemCallError) {
        try Self.writeAll(bytes, to: rawValue)
    }

    /// Writes all of it to a descriptor that is somebody else's: standard output may have been made non-blocking by
    /// whoever shares it, and then room is waited for. write(2), poll(2)
    package static func writeAll(_ bytes: [UInt8], to rawValue: CInt) throws(SystemCallError) {
        var sent = 0
        while sent < bytes.count {
            let result = try nonBlockingCall("write") {
                bytes[sent...].withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
            }
            switch result {
            case .done(let count): sent += count
            case .wouldBlock:
                var entry = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                try systemCall("poll") { Int(poll(&entry, 1, -1)) }
            }
        }
    }

    /// Whether a read would return at once. poll(2)
    package var isReadable: Bool {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    /// Writes what fits. write(2)
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> IOResult {
        try nonBlockingCall("write") { Glibc.write(rawValue, bytes.baseAddress, bytes.count) }
    }

    /// Writes what fits. write(2)
    package func write(_ bytes: ArraySlice<UInt8>) throws(SystemCallError) -> IOResult {
        // withUnsafeBytes does not carry typed errors out.
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemCallError) in try write(bytes) }
        }
        return try result.get()
    }
}
