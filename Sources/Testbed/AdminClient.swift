package import HTTP
package import HTTPTypes
package import POSIX
package import PostRecords
internal import Text

/// The admin listener of a running server, over one kept connection.
package struct AdminClient: ~Copyable {
    package let address: SocketAddress
    private let timeout: Duration
    private let fields: HTTPFields
    private var connection: Client?

    /// Control comes from an address of its own: when the dialer has taken every port of its address,
    /// or the kernel's choice is blocked, settings must still change and figures still be read.
    private static let source = IPv4Address(value: 0x7f00_0202)

    /// - Parameters:
    ///   - token: what it wants requests to carry; nil where it wants nothing.
    ///   - timeout: how long to wait for it to connect, and then for an answer.
    package init(_ address: SocketAddress, token: AccessToken? = nil, timeout: Duration = .seconds(10)) {
        self.address = address
        fields = token.map { [.authorization: "Bearer \($0.text)"] } ?? [:]
        self.timeout = timeout
    }

    /// Changes settings while it runs.
    /// - Throws: ``TestbedError``
    package mutating func change(_ changes: [SettingChange]) throws(TestbedError) {
        _ = try call(.patch, "/admin/settings", body: JSONText.encode(SettingsDocument(changes)))
    }

    /// What it counted.
    /// - Parameter takePeaks: whether peaks start over.
    /// - Throws: ``TestbedError``
    package mutating func counters(takePeaks: Bool) throws(TestbedError) -> CounterSnapshot {
        try read(CounterSnapshot.self, takePeaks ? .post : .get, "/admin/counters")
    }

    /// Who asks it for how much.
    /// - Throws: ``TestbedError``
    package mutating func clients() throws(TestbedError) -> ClientRanking {
        try read(ClientRanking.self, .get, "/debug/clients")
    }

    private mutating func read<Value: Decodable>(
        _ type: Value.Type,
        _ method: HTTPRequest.Method,
        _ path: String
    ) throws(TestbedError) -> Value {
        let body = try call(method, path)
        guard let value = try? JSONText.decode(type, from: body) else {
            throw TestbedError("what \(address) answers to \(path) is not spiral-server's")
        }
        return value
    }

    /// What an answer that is no success says, on one line. Another program's page is not repeated.
    static func refusal(_ status: Int, _ body: [UInt8], _ path: String, _ address: SocketAddress) -> String {
        let text = String(decoding: body, as: UTF8.self)
        guard text.hasPrefix("{"), text.utf8.count <= 2000 else {
            return "what listens at \(address) is not spiral-server's admin listener: it answers \(status) to \(path)"
        }
        return "spiral-server refused \(path) with \(status): \(text.printable)"
    }

    /// - Throws: ``TestbedError`` when there is no answer, or one that refuses.
    @discardableResult
    package mutating func call(
        _ method: HTTPRequest.Method,
        _ path: String,
        body: [UInt8] = []
    ) throws(TestbedError) -> [UInt8] {
        do {
            var client: Client
            if let kept = connection.take(), kept.isReusable {
                client = kept
            } else {
                let isLoopback = address.isLoopback
                client = try Client(
                    to: address,
                    from: isLoopback ? Self.source : nil,
                    timeout: timeout,
                    longestAnswer: timeout
                )
            }
            let answer = try client.send(method, path, fields: fields, body: body)
            connection = consume client
            guard answer.status == 200 else {
                throw TestbedError(Self.refusal(answer.status, answer.body, path, address))
            }
            return answer.body
        } catch let error as TestbedError {
            throw error
        } catch {
            throw TestbedError("spiral-server does not answer \(path): \(error)")
        }
    }
}
