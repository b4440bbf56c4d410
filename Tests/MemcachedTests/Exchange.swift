import FoundationEssentials
import Memcached
import Testing

/// A request and what it was answered.
struct Exchange: CustomTestStringConvertible {
    /// What a reader made of a reply.
    struct Reading: Equatable {
        /// Positions of keys, in the order their values were given out.
        var positions: [Int] = []
        /// The bytes that were given out.
        var bytes: [UInt8] = []
        var progress = ReplyReader.Progress.partial
        var unanswered: [Int] = []

        var fault: ReplyFault? { if case .broken(let fault) = progress { fault } else { nil } }
    }

    let request: ReplyReader.Request
    let reply: [UInt8]
    private let name: String
    private let keys: Keys

    var testDescription: String { name }

    /// What was read, for the message of a failure.
    var text: String { "\(name): \(String(decoding: reply.prefix(400), as: UTF8.self).debugDescription)" }

    /// - Parameter line: `get` with its keys, or `set` with its key.
    init(_ name: String = "", asking line: String, _ reply: some Collection<UInt8>) {
        self.name =
            name.isEmpty ? "\(line): \(String(decoding: reply.prefix(60), as: UTF8.self).debugDescription)" : name
        self.reply = Array(reply)
        let words = line.split(separator: " ").map(String.init)
        keys = Keys(Array(words.dropFirst()))
        request = words.first == "set" ? .set : .get(keys: keys.count)
    }

    init(asking line: String, _ reply: String) {
        self.init(asking: line, reply.utf8)
    }

    /// The same request with another answer.
    func answered(_ reply: [UInt8]) -> Exchange {
        Exchange(request: request, reply: reply, name: name, keys: keys)
    }

    private init(request: ReplyReader.Request, reply: [UInt8], name: String, keys: Keys) {
        (self.request, self.reply, self.name, self.keys) = (request, reply, name, keys)
    }

    /// The exchanges of the corpus: files whose first line is the request, and the rest its reply.
    static func corpus() throws -> [Exchange] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Replies")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            let bytes = try [UInt8](Data(contentsOf: folder.appendingPathComponent(name)))
            let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            return Exchange(name, asking: String(decoding: bytes[..<end], as: UTF8.self), bytes[end...].dropFirst())
        }
    }

    /// Has a reader read the reply in pieces that end at the given offsets, until it is done.
    func read(in pieces: some Sequence<Int>) -> Reading {
        var incoming = IncomingReply(to: request)
        var reading = Reading()
        var positions: [Int] = []
        var start = 0
        for end in pieces where reading.progress == .partial {
            reading.progress = reply[start..<end].withUnsafeBytes { piece in
                incoming.read(piece, mayFollow: false, positions: &positions, key: { keys[$0] }) {
                    bytes,
                    positions,
                    _ in
                    reading.bytes += bytes
                    reading.positions += positions
                    return positions.count
                }
            }
            if reading.progress == .complete { #expect(reading.bytes.count == end, "\(text)") }
            start = end
        }
        reading.unanswered = incoming.unanswered
        return reading
    }

    var whole: Reading { read(in: [reply.count]) }

    /// What holds for a reading of any bytes at all.
    func check(_ reading: Reading) {
        #expect(reply.starts(with: reading.bytes), "what was given out is not what came: \(text)")
        guard case .get(let count) = request else { return }
        #expect(Set(reading.positions).count == reading.positions.count, "a key was given out twice: \(text)")
        #expect(Set(reading.positions).isDisjoint(with: reading.unanswered), "\(text)")
        #expect(Set(reading.unanswered).count == reading.unanswered.count)
        #expect(reading.positions.count + reading.unanswered.count == count)
        // So that a failure is always some key's.
        #expect(reading.progress == .complete || !reading.unanswered.isEmpty, "\(text)")
    }

    /// Keys where pointers to them stay good.
    private final class Keys: Sendable {
        // Safe: written in init only.
        private nonisolated(unsafe) let spans: [UnsafeMutableRawBufferPointer]

        init(_ keys: [String]) {
            spans = keys.map { key in
                let span = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, key.utf8.count), alignment: 1)
                span.copyBytes(from: key.utf8)
                return UnsafeMutableRawBufferPointer(rebasing: span[..<key.utf8.count])
            }
        }

        deinit {
            for span in spans { span.deallocate() }
        }

        var count: Int { spans.count }

        // Traps for what is no key of the request, which a reader must never ask for.
        subscript(index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(spans[index]) }
    }
}
