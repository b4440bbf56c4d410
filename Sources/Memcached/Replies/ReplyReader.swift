internal import Glibc

/// Decides what the bytes are that memcached answers a request with, in whatever pieces they come. A value: it has no
/// socket, keeps no bytes and asks libmemcached nothing.
///
/// A value of a `get` is given out as soon as it is whole, but for that of the last key without an answer, which waits
/// for the end of the reply: one that goes wrong always leaves some key that fails with it. Values may come in any order,
/// as they do through some proxies, each key's once. No number that a peer sends becomes an index, or the size of
/// anything. protocol.txt, "Retrieval command"
package struct ReplyReader: Sendable {
    /// What was sent.
    package enum Request: Sendable, Equatable {
        /// One `get`, of so many keys: 1 or more.
        case get(keys: Int)
        case set
    }

    /// What the bytes so far amount to.
    package enum Progress: Sendable, Equatable {
        /// So far it is a reply, and more of it is to come.
        case partial
        /// The reply is whole, and nothing follows it.
        case complete
        /// It is no reply to the request. What has been given out counts; no more will be, and the connection is not to
        /// be used again.
        case broken(ReplyFault)
    }

    /// What more bytes came to.
    package struct Step: Sendable, Equatable {
        package var progress: Progress
        /// How many of the bytes are whole values, or the end: these are handed on, and not shown to the reader again.
        package var count: Int
    }

    /// The longest value that is taken. memcached keeps up to 1 MiB unless told otherwise (`-I`), and posts have a
    /// thousandth of that.
    package static let maxValueBytes = 16 << 20

    private let request: Request
    /// Where the next line begins, or would after the value that is being received; from the first byte not handed on.
    private var next = 0
    /// Whether the value before `next` has not been seen whole.
    private var isInValue = false
    /// The key of the value before `next`, until that is given out.
    private var current: Int?
    /// Keys that no value was given out for.
    private var outstanding: Int
    /// The first key that no value has come for, nor for one after it.
    private var cursor = 0
    /// Keys before the cursor that no value has come for, in order.
    private var passedOver: [Int] = []

    package init(_ request: Request) {
        self.request = request
        outstanding = if case .get(let keys) = request { keys } else { 0 }
    }

    /// Keys that no value was given out for, by their positions in the request. Once the reply is complete, memcached
    /// does not have them; before that nothing is known of them.
    package var unanswered: [Int] {
        guard case .get(let keys) = request else { return [] }
        return passedOver + (current.map { [$0] } ?? []) + (cursor..<keys)
    }

    /// Whether a value was given out for each key.
    package var isAnswered: Bool { outstanding == 0 }

    /// Reads on.
    /// - Parameters:
    ///   - bytes: all that was received and not handed on, from the first byte.
    ///   - mayFollow: whether more has arrived behind it already.
    ///   - given: the positions of the keys whose values the step's bytes hold are added to it, in their order.
    ///   - key: the key at a position of the request.
    package mutating func read(
        _ bytes: UnsafeRawBufferPointer,
        mayFollow: Bool = false,
        given: inout [Int],
        key: (Int) -> UnsafeRawBufferPointer
    ) -> Step {
        var count = 0
        var progress: Progress?
        while progress == nil {
            if isInValue {
                guard bytes.count >= next else { break }
                guard bytes[next - 2] == UInt8(ascii: "\r"), bytes[next - 1] == UInt8(ascii: "\n") else {
                    progress = .broken(.protocolError("a value does not end where its length says"))
                    break
                }
                isInValue = false
                if outstanding > 1 {
                    giveCurrent(&given)
                    count = next
                }
            }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[next...])
            if let (header, length) = dueValue(rest, key) {
                expectValue(of: cursor, header: header, length: length)
                cursor += 1
                continue
            }
            switch line(rest, key) {
            case .partial: return step(.partial, count)
            case .value(let position, let header, let length):
                expectValue(of: position, header: header, length: length)
            case .end(let length):
                guard next + length == bytes.count, !mayFollow else {
                    progress = .broken(.protocolError("more follows the end of a reply"))
                    break
                }
                giveCurrent(&given)
                count = bytes.count
                progress = .complete
            case .fault(let fault): progress = .broken(fault)
            }
        }
        return step(progress ?? .partial, count)
    }

    /// Values that were given out could not be taken: nothing is known of their keys.
    package mutating func takeBack(_ positions: some Sequence<Int>) {
        let before = passedOver.count
        passedOver += positions
        outstanding += passedOver.count - before
    }

    private mutating func step(_ progress: Progress, _ count: Int) -> Step {
        next -= count
        return Step(progress: progress, count: count)
    }

    private mutating func giveCurrent(_ given: inout [Int]) {
        guard let position = current else { return }
        given.append(position)
        current = nil
        outstanding -= 1
    }

    // MARK: Lines

    private enum Line {
        case partial
        /// The line before a value: the position of its key, the bytes of the line, and those of the value.
        case value(position: Int, header: Int, length: Int)
        /// The line that ends a reply well, and its bytes.
        case end(length: Int)
        case fault(ReplyFault)
    }

    /// The `VALUE` line of the key that is due, as memcached writes it: nearly always it is there, so that it need not be
    /// searched for its end and its key. Nil for all others.
    @inline(__always)
    private func dueValue(
        _ rest: UnsafeRawBufferPointer,
        _ key: (Int) -> UnsafeRawBufferPointer
    ) -> (header: Int, length: Int)? {
        guard case .get(let keys) = request, cursor < keys, rest.count > 6, begins(rest, with: "VALUE ") else {
            return nil
        }
        let expected = key(cursor)
        guard rest.count > 6 + expected.count, memcmp(rest.baseAddress! + 6, expected.baseAddress!, expected.count) == 0
        else { return nil }
        var position = 6 + expected.count
        guard Self.shortNumber(rest, &position) != nil, let length = Self.shortNumber(rest, &position),
            length <= Self.maxValueBytes, position + 1 < rest.count, rest[position] == UInt8(ascii: "\r"),
            rest[position + 1] == UInt8(ascii: "\n")
        else { return nil }
        return (position + 2, length)
    }

    /// A space and a number of up to nine digits.
    @inline(__always)
    private static func shortNumber(_ line: UnsafeRawBufferPointer, _ position: inout Int) -> Int? {
        guard position < line.count, line[position] == UInt8(ascii: " ") else { return nil }
        position += 1
        let start = position
        var value = 0
        while position < min(line.count, start + 9), case let digit = line[position] &- UInt8(ascii: "0"), digit < 10 {
            value = value &* 10 &+ Int(digit)
            position += 1
        }
        return position > start ? value : nil
    }

    private mutating func line(_ rest: UnsafeRawBufferPointer, _ key: (Int) -> UnsafeRawBufferPointer) -> Line {
        let word: StaticString = request == .set ? "STORED\r\n" : "END\r\n"
        if begins(rest, with: word) { return .end(length: word.utf8CodeUnitCount) }
        if case .get(let keys) = request, begins(rest, with: "VALUE ") { return otherValue(rest, keys, key) }
        switch ReplyLine.first(of: rest) {
        case .partial: return .partial
        case .whole(let count, _): return .fault(ReplyFault(line: .init(rebasing: rest[..<count]), answering: request))
        case .noLine(let count): return .fault(.noLine(rest[..<count]))
        }
    }

    private func begins(_ bytes: UnsafeRawBufferPointer, with word: StaticString) -> Bool {
        bytes.count >= word.utf8CodeUnitCount && memcmp(bytes.baseAddress!, word.utf8Start, word.utf8CodeUnitCount) == 0
    }

    /// A `VALUE` line that is not whole, not of the key that is due, or not as it should be.
    private mutating func otherValue(
        _ rest: UnsafeRawBufferPointer,
        _ keys: Int,
        _ key: (Int) -> UnsafeRawBufferPointer
    ) -> Line {
        let line: UnsafeRawBufferPointer
        switch ReplyLine.first(of: rest) {
        case .partial: return .partial
        case .noLine(let count): return .fault(.noLine(rest[..<count]))
        case .whole(let count, let next):
            line = UnsafeRawBufferPointer(rebasing: rest[..<count])
            guard next == count + 2 else { return .fault(.badValueLine(line)) }
        }
        let name = UnsafeRawBufferPointer(rebasing: line[6...].prefix { $0 != UInt8(ascii: " ") })
        guard let (flags, length, end) = Self.fields(rest, from: 6 + name.count), end == line.count, flags <= UInt32.max
        else { return .fault(.badValueLine(line)) }
        guard length <= UInt64(Self.maxValueBytes) else {
            return .fault(
                ReplyFault(.tooBig, "a value of \(length) bytes; no more than \(Self.maxValueBytes) are taken")
            )
        }
        func isKey(_ position: Int) -> Bool { key(position).elementsEqual(name) }
        let position: Int
        if let ahead = (cursor..<keys).first(where: isKey) {
            passedOver += cursor..<ahead
            cursor = ahead + 1
            position = ahead
        } else if let index = passedOver.firstIndex(where: isKey) {
            position = passedOver.remove(at: index)
        } else {
            let isSecond = (0..<keys).contains(where: isKey)
            let text = isSecond ? "a second value for" : "a value for a key that was not asked for:"
            return .fault(.protocolError("\(text) '\(ReplyFault.quoted(name))'"))
        }
        return .value(position: position, header: line.count + 2, length: Int(length))
    }

    private mutating func expectValue(of position: Int, header: Int, length: Int) {
        current = position
        next += header + length + 2
        isInValue = true
    }

    /// Two numbers with a space before each.
    private static func fields(
        _ line: UnsafeRawBufferPointer,
        from start: Int
    ) -> (flags: UInt64, length: UInt64, end: Int)? {
        var position = start
        guard let flags = number(line, &position), let length = number(line, &position) else { return nil }
        return (flags, length, position)
    }

    /// A space and a number in decimal; nil also for one of more digits than 64 bits have, zeros before it counted.
    private static func number(_ line: UnsafeRawBufferPointer, _ position: inout Int) -> UInt64? {
        guard position < line.count, line[position] == UInt8(ascii: " ") else { return nil }
        position += 1
        let start = position
        var value: UInt64 = 0
        while position < line.count, case let digit = line[position] &- UInt8(ascii: "0"), digit < 10 {
            let (tens, isOver) = value.multipliedReportingOverflow(by: 10)
            let (sum, isOverToo) = tens.addingReportingOverflow(UInt64(digit))
            if isOver || isOverToo { return nil }
            value = sum
            position += 1
        }
        return (1...20).contains(position - start) ? value : nil
    }
}

extension ReplyFault {
    fileprivate static func noLine(_ bytes: Slice<UnsafeRawBufferPointer>) -> ReplyFault {
        .protocolError("what came is no line of memcached's: '\(quoted(bytes))'")
    }

    fileprivate static func badValueLine(_ line: UnsafeRawBufferPointer) -> ReplyFault {
        .protocolError("a value is not announced as memcached does: '\(quoted(line))'")
    }
}
