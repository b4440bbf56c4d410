package import HTTPTypes
package import POSIX

/// A blocking, kept-alive connection to an HTTP/1.1 server; one request at a time.
package struct Client: ~Copyable {
    /// A whole answer: status, header and body.
    package struct Answer: Sendable {
        package var status: Int
        package var fields: HTTPFields
        package var body: [UInt8]
    }

    private let socket: Socket
    private let host: String
    private var parser: ResponseParser
    private let longestAnswer: Duration?
    private var isKept = true

    /// - Parameters:
    ///   - source: address to connect from; nil leaves it to the kernel.
    ///   - timeout: of the connect, and of every wait for more bytes.
    ///   - longestAnswer: for a whole answer, from when its request is out: one that comes byte by byte ends no wait.
    ///   - largestBody: bytes of an answer's body; a larger one is an error.
    /// - Throws: ``SystemCallError``
    package init(
        to address: SocketAddress,
        from source: IPv4Address? = nil,
        timeout: Duration,
        longestAnswer: Duration? = nil,
        largestBody: Int = 64 << 20
    ) throws(SystemCallError) {
        socket = try Socket.connected(to: address, from: source.map { IPAddress($0) }, timeout: timeout)
        host = address.description
        self.longestAnswer = longestAnswer
        parser = ResponseParser(largestBody: largestBody)
    }

    /// Whether another request can be sent on it: the server keeps it, and has neither closed it since nor said anything
    /// that nobody asked for.
    package var isReusable: Bool { isKept && parser.isBetweenAnswers && !socket.descriptor.isReadable }

    /// Sends a request and waits for its whole answer.
    package mutating func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        fields: HTTPFields = [:],
        body: [UInt8] = []
    ) throws(ClientError) -> Answer {
        isKept = false
        var head = "\(method.rawValue) \(path) HTTP/1.1\r\nHost: \(host)\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        if !body.isEmpty || method == .post { head += "Content-Length: \(body.count)\r\n" }
        head += "\r\n"
        parser.expect(answerTo: method)
        do {
            try write(Array(head.utf8) + body)
        } catch .system(let error) {
            // A server that refuses a request may close before it has read all of it, and has answered.
            guard let (answer, _) = try? readAnswer() else { throw .system(error) }
            return answer
        }
        let (answer, isKept) = try readAnswer()
        self.isKept = isKept
        return answer
    }

    private func write(_ bytes: [UInt8]) throws(ClientError) {
        var sent = 0
        while sent < bytes.count {
            let result: IOResult
            do throws(SystemCallError) {
                result = try socket.descriptor.write(bytes[sent...])
            } catch {
                throw .system(error)
            }
            // A blocking socket answers EAGAIN when its timeout is over.
            guard case .done(let count) = result else { throw .timedOut }
            sent += count
        }
    }

    private mutating func readAnswer() throws(ClientError) -> (Answer, isKept: Bool) {
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { space.deallocate() }
        let deadline = longestAnswer.map { MonotonicInstant.now + $0 }
        while true {
            let count = try read(into: space)
            if let deadline, deadline <= .now { throw .timedOut }
            let output: ResponseParser.Output
            do throws(ResponseParser.Failure) {
                parser.append(UnsafeRawBufferPointer(rebasing: space[..<count]))
                output = count == 0 ? try parser.finish() : try parser.next()
            } catch {
                throw ClientError(error)
            }
            if case .answer(let answer, let isKept) = output { return (answer, isKept) }
        }
    }

    /// - Returns: bytes read; 0 at the end of the connection.
    private func read(into space: UnsafeMutableRawBufferPointer) throws(ClientError) -> Int {
        let result: IOResult
        do throws(SystemCallError) {
            result = try socket.descriptor.read(into: space)
        } catch {
            throw .system(error)
        }
        // A blocking socket answers EAGAIN when its timeout is over.
        guard case .done(let count) = result else { throw .timedOut }
        return count
    }
}
