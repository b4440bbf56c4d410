internal import CLinux
internal import Glibc
internal import POSIX
internal import Units

/// Where a running `spiral exec` is asked for its figures, and told to change its dials: a socket with a name that only
/// the kernel keeps, gone with the process. Whoever asks must be the same user, or root. unix(7)
enum ControlSocket {
    private static let limit = 64 << 10
    private static let timeout = timeval(tv_sec: 5, tv_usec: 0)

    /// The socket of the present process, to be opened before its network is left.
    /// - Throws: ``SystemCallError``
    static func open() throws(SystemCallError) -> Descriptor {
        let socket = try make()
        let error = call(Glibc.bind, socket.rawValue, process: getpid())
        guard error == 0 else { throw SystemCallError("bind", on: "the control socket", errno: error) }
        guard listen(socket.rawValue, 16) == 0 else { throw SystemCallError("listen", errno: errno) }
        return socket
    }

    /// Connects to that of a process.
    /// - Throws: ``SystemCallError``: ECONNREFUSED when it has none.
    static func connect(to process: Int32) throws(SystemCallError) -> Descriptor {
        let socket = try make()
        let error = call(Glibc.connect, socket.rawValue, process: process)
        guard error == 0 else { throw SystemCallError("connect", on: "process \(process)", errno: error) }
        return socket
    }

    /// Answers each request with what `answer` makes of it, on the calling thread, for as long as the process lives.
    static func serve(_ listener: borrowing Descriptor, _ answer: ([UInt8]) -> [UInt8]) {
        while true {
            let raw = accept(listener.rawValue, nil, nil)
            guard raw >= 0 else {
                sleepThread(for: .milliseconds(50))
                continue
            }
            let connection = Descriptor(owning: raw)
            _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
            guard isOurs(raw) else { continue }
            setTimeouts(raw)
            guard let request = try? read(connection) else { continue }
            try? connection.writeAll(answer(request))
        }
    }

    /// Sends a request, and reads the answer to its end.
    /// - Throws: ``SystemCallError``
    static func ask(_ process: Int32, _ request: [UInt8]) throws(SystemCallError) -> [UInt8] {
        let socket = try connect(to: process)
        setTimeouts(socket.rawValue)
        try socket.writeAll(request)
        _ = shutdown(socket.rawValue, CInt(SHUT_WR))
        return try socket.readToEnd()
    }

    private static func read(_ connection: borrowing Descriptor) throws(SystemCallError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            let more = try connection.readSome(upTo: limit)
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    private static func make() throws(SystemCallError) -> Descriptor {
        let raw = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw SystemCallError("socket", errno: errno) }
        return Descriptor(owning: raw)
    }

    private static func setTimeouts(_ socket: CInt) {
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            var timeout = timeout
            setsockopt(socket, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    private static func isOurs(_ connection: CInt) -> Bool {
        let user = linux_peer_user(connection)
        return user == 0 || user == Int64(geteuid())
    }

    /// Its name begins with a zero byte: no file.
    private static func call(
        _ body: (CInt, UnsafePointer<sockaddr>, socklen_t) -> CInt,
        _ socket: CInt,
        process: Int32
    ) -> CInt {
        let name = Array("\0spiral-exec-\(process)".utf8)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(socket, $0, length) == 0 ? 0 : errno }
        }
    }
}

/// What is asked of a running `spiral exec`: changes of settings, all of them or none, and its figures in return.
package struct ControlRequest: Sendable {
    package var changes: [(name: String, text: String)]

    package init(changes: [(name: String, text: String)]) {
        self.changes = changes
    }

    /// Why it was not answered.
    package struct Failure: Error {
        package var message: String
        /// The request was wrong; else there was nobody to answer it.
        package var isRefusal: Bool
    }

    /// Sends it to a running `spiral exec`.
    /// - Returns: its figures as JSON.
    /// - Throws: ``Failure``
    package func send(to process: Int32) throws(Failure) -> [UInt8] {
        let answer: [UInt8]
        do {
            answer = try ControlSocket.ask(process, bytes)
        } catch {
            throw Failure(
                message: error.errno == ECONNREFUSED
                    ? "process \(process) is no 'spiral exec' of this network namespace"
                    : "process \(process): \(error)",
                isRefusal: false
            )
        }
        guard answer.first == UInt8(ascii: "{") else {
            let text = String(decoding: answer, as: UTF8.self)
            throw Failure(message: text.isEmpty ? "process \(process) does not answer" : text, isRefusal: !text.isEmpty)
        }
        return answer
    }

    /// One change a line.
    private var bytes: [UInt8] { changes.flatMap { Array("\($0.name) \($0.text)\n".utf8) } }

    /// - Throws: ``UnitTextError`` for a line that is no change.
    init(bytes: [UInt8]) throws(UnitTextError) {
        changes = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { throw UnitTextError(text: String(line), expected: "a setting and its value") }
            changes.append((String(words[0]), String(words[1])))
        }
    }

    /// The policy with its changes.
    /// - Throws: ``UnitTextError``
    func applied(to policy: DialPolicy) throws(UnitTextError) -> DialPolicy {
        var policy = policy
        for change in changes { try policy.set(change.name, to: change.text) }
        return policy
    }
}
