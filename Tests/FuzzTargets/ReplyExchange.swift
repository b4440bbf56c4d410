package import Memcached

/// A request and what it was answered.
package struct ReplyExchange: Sendable, CustomStringConvertible {
    /// What a reader made of a reply.
    package struct Reading: Equatable, Sendable {
        /// Positions of keys, in the order their values were given out.
        package var positions: [Int] = []
        /// The bytes that were given out.
        package var bytes: [UInt8] = []
        package var progress = ReplyReader.Progress.partial
        package var unanswered: [Int] = []

        package var fault: ReplyFault? { if case .broken(let fault) = progress { fault } else { nil } }
    }

    package let request: ReplyReader.Request
    package let reply: [UInt8]
    private let line: String
    private let keys: Keys

    package var description: String {
        "\(line): \(String(decoding: reply.prefix(400), as: UTF8.self).debugDescription)"
    }

    /// - Parameter line: `get` with its keys, or `set` with its key.
    package init(asking line: String, _ reply: some Collection<UInt8>) {
        self.line = line
        self.reply = Array(reply)
        let words = line.split(separator: " ").map { Array($0.utf8) }
        keys = Keys(Array(words.dropFirst()))
        request = words.first.map { $0 == Array("set".utf8) } ?? false ? .set : .get(keys: keys.count)
    }

    package init(asking line: String, _ reply: String) {
        self.init(asking: line, reply.utf8)
    }

    /// An input of the corpus, or of a fuzzer: the request's line and the reply. Nil without a key, or with too many to be
    /// told apart in time.
    package init?(_ input: some Collection<UInt8>) {
        let line = input.prefix { $0 != UInt8(ascii: "\n") }
        self.init(asking: String(decoding: line, as: UTF8.self), input.dropFirst(line.count + 1))
        guard (1...64).contains(keys.count) else { return nil }
    }

    /// Has a reader read the reply in pieces that end at the given offsets, until it is done.
    /// - Throws: ``FuzzTarget/Violation`` when it does what it never must.
    package func read(in pieces: some Sequence<Int>) throws -> Reading {
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
            if reading.progress == .complete, reading.bytes.count != end { throw violation("bytes are left over") }
            start = end
        }
        reading.unanswered = incoming.unanswered
        try check(reading)
        return reading
    }

    /// A reply is the same in any pieces, but that what follows its end is seen only where it comes with it.
    /// - Throws: ``FuzzTarget/Violation``
    package func compare(_ reading: Reading, with whole: Reading) throws {
        if reading.progress == .complete, whole.fault?.text == "more follows the end of a reply" { return }
        if reading != whole { throw violation("in pieces it is \(reading), and whole \(whole)") }
    }

    private func check(_ reading: Reading) throws {
        guard reply.starts(with: reading.bytes) else { throw violation("what was given out is not what came") }
        guard case .get(let count) = request else { return }
        let (given, left) = (Set(reading.positions), Set(reading.unanswered))
        guard given.count == reading.positions.count, left.count == reading.unanswered.count,
            given.isDisjoint(with: left)
        else { throw violation("a key was answered twice: \(reading)") }
        guard given.union(left) == Set(0..<count) else { throw violation("a key was lost: \(reading)") }
        // So that a failure is always some key's.
        if reading.progress != .complete, left.isEmpty { throw violation("it failed, and no key with it") }
    }

    private func violation(_ text: String) -> FuzzTarget.Violation { .init("\(self): \(text)") }

    /// Keys where pointers to them stay good.
    private final class Keys: Sendable {
        // Safe: written in init only.
        private nonisolated(unsafe) let spans: [UnsafeMutableRawBufferPointer]

        init(_ keys: [[UInt8]]) {
            spans = keys.map { key in
                let span = UnsafeMutableRawBufferPointer.allocate(byteCount: key.count, alignment: 1)
                span.copyBytes(from: key)
                return span
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
