internal import FoundationEssentials
internal import Glibc
internal import POSIX
internal import Testbed

/// A headless Chromium with one page, steered over its debugging pipe: JSON messages that end with a zero byte.
/// chromedevtools.github.io/devtools-protocol
package final class Browser {
    private struct Message: Decodable {
        struct Outcome: Decodable {
            struct Value: Decodable {
                var value: String?
                var description: String?
            }
            struct Target: Decodable {
                var targetId: String
                var type: String
            }
            var result: Value?
            var sessionId: String?
            var targetInfos: [Target]?
        }
        var id: Int?
        var method: String?
        var result: Outcome?
    }

    /// Why it did not do what it was told.
    package struct Problem: Error {
        package var text: String
    }

    private let folder: RunFolder
    private var process: ChildProcess
    private let input: Descriptor
    private let output: Descriptor
    private var unread: [UInt8] = []
    private var asked = 0
    private var session: String?
    /// Errors and messages of the pages' consoles so far, as the protocol words them.
    package private(set) var console: [String] = []

    package init() throws {
        folder = try RunFolder()
        let (down, up) = (folder.path + "/down", folder.path + "/up")
        for path in [down, up] where mkfifo(path, 0o600) != 0 { throw Problem(text: "no pipe at \(path)") }
        let flags =
            "--headless --no-sandbox --disable-gpu --remote-debugging-pipe --user-data-dir=\(folder.path)/profile"
        let null = try Descriptor.writing("/dev/null")
        process = try ChildProcess(
            "/bin/sh",
            ["-c", "exec chromium \(flags) 3<\(down) 4>\(up)"],
            output: null.rawValue
        )
        // Each waits for the browser to open its end.
        input = Descriptor(owning: Glibc.open(down, O_WRONLY | O_CLOEXEC))
        output = Descriptor(owning: Glibc.open(up, O_RDONLY | O_CLOEXEC))
        let targets = try call("Target.getTargets").targetInfos ?? []
        guard let page = targets.first(where: { $0.type == "page" }) else { throw Problem(text: "it has no page") }
        session = try call("Target.attachToTarget", ["targetId": page.targetId, "flatten": true]).sessionId
        for domain in ["Page", "Runtime", "Log"] { _ = try call("\(domain).enable") }
    }

    deinit {
        process.terminate(timeout: .zero)
    }

    /// Goes to an address, without waiting for all of it.
    package func open(_ address: String) throws {
        _ = try call("Page.navigate", ["url": address])
    }

    /// What an expression of JavaScript comes to, as text.
    /// - Throws: ``Problem`` when it throws.
    package func value(of expression: String) throws -> String {
        let result = try call("Runtime.evaluate", ["expression": "String(\(expression))"]).result
        guard let value = result?.value else { throw Problem(text: result?.description ?? "no value") }
        return value
    }

    /// Whether an expression becomes true in time; one that throws is not true yet.
    package func becomesTrue(_ expression: String, within timeout: Duration = .seconds(20)) -> Bool {
        eventually(within: timeout) { (try? value(of: expression)) == "true" }
    }

    private func call(_ method: String, _ parameters: [String: any Encodable & Sendable] = [:]) throws
        -> Message.Outcome
    {
        asked += 1
        var text = "{\"id\":\(asked),\"method\":\"\(method)\""
        if let session { text += ",\"sessionId\":\"\(session)\"" }
        let fields = try parameters.map {
            "\"\($0.key)\":\(String(decoding: try JSONEncoder().encode($0.value), as: UTF8.self))"
        }
        text += ",\"params\":{\(fields.joined(separator: ","))}}"
        try input.writeAll(Array(text.utf8) + [0])
        while true {
            let message = try nextMessage()
            if message.id == asked {
                guard let result = message.result else { throw Problem(text: "\(method) failed") }
                return result
            }
        }
    }

    private func nextMessage() throws -> Message {
        while true {
            if let end = unread.firstIndex(of: 0) {
                let bytes = Array(unread[..<end])
                unread.removeFirst(end + 1)
                let message = try JSONDecoder().decode(Message.self, from: Data(bytes))
                let isConsole = ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"]
                if isConsole.contains(message.method ?? "") { console.append(String(decoding: bytes, as: UTF8.self)) }
                return message
            }
            let more = try output.readSome(upTo: 1 << 20)
            guard !more.isEmpty else { throw Problem(text: "it ended") }
            unread += more
        }
    }
}
