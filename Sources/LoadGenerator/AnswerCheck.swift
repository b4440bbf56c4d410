package import PostRecords

/// Looks through a GetPostRecords answer: it must be of its codec to the letter, and have a record for each URI, in
/// their order.
///
/// A record is known by its cid. The posts of a load are made up, and so are their cids: a record with a cid of that form
/// must have the cid of its URI's post. Other cids are of a server with posts of its own, and cannot be judged.
package struct AnswerCheck: Sendable {
    /// What is wrong with an answer.
    package enum Fault: String, Error {
        case json = "MALFORMED_JSON"
        case proto = "MALFORMED_PROTO"
        /// There are more or fewer records, or metas, than URIs.
        case count = "WRONG_COUNT"
        /// A record is not its URI's, but another post's.
        case record = "WRONG_RECORD"
    }

    /// What an answer holds.
    package struct Tally: Sendable, Equatable {
        package var records = 0
        /// Records without any field, or with default values alone: the post was not found.
        package var empty = 0

        package init(records: Int = 0, empty: Int = 0) {
            self.records = records
            self.empty = empty
        }
    }

    private let workload: Workload
    /// What tells the cid of each post from others: eight of its letters as a number, 0 while it is not known.
    private var known: [UInt64]

    package init(_ workload: Workload) {
        self.workload = workload
        known = Array(repeating: 0, count: workload.count)
    }

    /// - Throws: ``Fault``
    package mutating func check(_ body: [UInt8], _ codec: Codec, against selection: Selection) throws(Fault) -> Tally {
        var findings = Findings()
        findings.marks.reserveCapacity(selection.size)
        let isWellFormed = body.withUnsafeBufferPointer { bytes in
            switch codec {
            case .json: findings.readJSON(bytes)
            case .proto: findings.readProto(bytes)
            }
        }
        guard isWellFormed else { throw codec == .json ? .json : .proto }
        let metas = findings.metas ?? selection.size
        guard findings.marks.count == selection.size, metas == selection.size else { throw .count }
        guard agree(findings.marks, selection) else { throw .record }
        return Tally(records: findings.marks.count, empty: findings.empty)
    }

    /// Whether every record that can be judged is that of its URI.
    private mutating func agree(_ marks: [UInt64], _ selection: Selection) -> Bool {
        switch selection {
        case .none, .uris: return true
        case .neighbours(let first, let size):
            for index in 0..<size where marks[index] != 0 {
                if mark(of: (first + index) % workload.count) != marks[index] { return false }
            }
        case .posts(let numbers, let freshSeed):
            for (number, mark) in zip(numbers, marks) where mark != 0 {
                let expected =
                    if number < workload.count { self.mark(of: number) } else {
                        Self.mark(ofPost: .posts([number], freshSeed: freshSeed), in: workload)
                    }
                if expected != mark { return false }
            }
        }
        return true
    }

    private mutating func mark(of number: Int) -> UInt64 {
        if known[number] == 0 {
            known[number] = Self.mark(ofPost: .neighbours(first: number, size: 1), in: workload)
        }
        return known[number]
    }

    private static func mark(ofPost selection: Selection, in workload: Workload) -> UInt64 {
        var mark: UInt64 = 0
        workload.forEachURI(of: selection) { uri in
            mark = SyntheticPost.cid(of: uri).withUnsafeBufferPointer { Findings.mark(ofCID: $0) }
            return true
        }
        return mark
    }
}

/// What was found in the body of an answer.
private struct Findings {
    /// Of each record, what its cid is known by; 0 for none, and for one that is not of the form of a made-up post's.
    var marks: [UInt64] = []
    var empty = 0
    /// Nil where the answer has no list of metas.
    var metas: Int?

    static func mark(ofCID cid: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let prefix = SyntheticPost.cidPrefix
        guard cid.count == prefix.count + SyntheticPost.cidLetters, cid.starts(with: prefix) else { return 0 }
        return UnsafeRawPointer(cid.baseAddress! + prefix.count).loadUnaligned(as: UInt64.self)
    }

    mutating func readProto(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            guard let tag = reader.nextTag(), let message = reader.nextBytes() else { return false }
            switch tag {
            case 0x0a:
                var mark: UInt64 = 0
                guard Self.everyField(of: message, { if $0 == 0x12 { mark = Self.mark(ofCID: $1) } }) else {
                    return false
                }
                marks.append(mark)
                if message.isEmpty { empty += 1 }
            case 0x12:
                guard Self.everyField(of: message, { _, _ in }) else { return false }
                metas = (metas ?? 0) + 1
            default: return false
            }
        }
        return true
    }

    /// Calls `body` with the tag and bytes of each field that has bytes.
    /// - Returns: whether all fields are well formed.
    private static func everyField(
        of message: UnsafeBufferPointer<UInt8>,
        _ body: (UInt8, UnsafeBufferPointer<UInt8>) -> Void
    ) -> Bool {
        var reader = WireReader(message)
        while !reader.isAtEnd {
            guard let tag = reader.nextTag() else { return false }
            switch tag & 7 {
            case 0: guard reader.nextVarint() != nil else { return false }
            case 2:
                guard let field = reader.nextBytes() else { return false }
                body(tag, field)
            default: return false
            }
        }
        return true
    }

    mutating func readJSON(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var reader = JSONReader(bytes)
        do throws(JSONReader.NotJSON) {
            try reader.object { (reader, name) throws(JSONReader.NotJSON) in
                if name.elementsEqual("records".utf8), marks.isEmpty {
                    try reader.array { (reader) throws(JSONReader.NotJSON) in try readRecord(&reader) }
                } else if name.elementsEqual("meta".utf8), metas == nil {
                    var count = 0
                    try reader.array { (reader) throws(JSONReader.NotJSON) in
                        count += 1
                        try reader.object { (reader, _) throws(JSONReader.NotJSON) in try reader.skipValue() }
                    }
                    metas = count
                } else {
                    try reader.skipValue()
                }
            }
            try reader.finish()
        } catch {
            return false
        }
        return true
    }

    /// A field with its default value is one that is not there, as JSON of protobuf has it: many servers write both.
    private mutating func readRecord(_ reader: inout JSONReader) throws(JSONReader.NotJSON) {
        var mark: UInt64 = 0
        var isEmpty = true
        try reader.object { (reader, name) throws(JSONReader.NotJSON) in
            switch reader.peek() {
            case UInt8(ascii: "\""):
                let text = try reader.string()
                if !text.isEmpty { isEmpty = false }
                if name.elementsEqual("cid".utf8) { mark = Self.mark(ofCID: text) }
            case UInt8(ascii: "{"):
                try reader.object { (reader, _) throws(JSONReader.NotJSON) in
                    isEmpty = false
                    try reader.skipValue()
                }
            case UInt8(ascii: "["):
                try reader.array { (reader) throws(JSONReader.NotJSON) in
                    isEmpty = false
                    try reader.skipValue()
                }
            case let first:
                if ![UInt8(ascii: "n"), UInt8(ascii: "f"), UInt8(ascii: "0")].contains(first) { isEmpty = false }
                try reader.skipValue()
            }
        }
        marks.append(mark)
        if isEmpty { empty += 1 }
    }
}
