/// The keys of a batch in one block of memory, where libmemcached can point at them.
package final class KeyList: Sendable {
    /// Where a key lies in the block.
    package struct Span: Sendable {
        package let start: UInt32
        package let count: UInt32

        package init(start: Int, count: Int) {
            self.start = UInt32(start)
            self.count = UInt32(count)
        }
    }

    // Safe: written in init only, before anybody else can see it.
    private nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer
    private let spans: [Span]
    /// Whose block it is, where it is another list's.
    private let owner: KeyList?

    /// - Parameters:
    ///   - text: copied; less than 4 GiB.
    ///   - spans: of the keys in it.
    package init(_ text: [UInt8], spans: [Span]) {
        bytes = .allocate(byteCount: max(1, text.count), alignment: 1)
        bytes.copyBytes(from: text)
        self.spans = spans
        owner = nil
    }

    /// Some keys of another list, in its block.
    private init(_ spans: [Span], of owner: KeyList) {
        bytes = owner.bytes
        self.spans = spans
        self.owner = owner
    }

    package convenience init(_ keys: [String]) {
        var text: [UInt8] = []
        var spans: [Span] = []
        for key in keys {
            let start = text.count
            text += key.utf8
            spans.append(Span(start: start, count: text.count - start))
        }
        self.init(text, spans: spans)
    }

    deinit {
        if owner == nil { bytes.deallocate() }
    }

    /// The same without keys that it has before, and for each key here its index there; nil where none is twice.
    func withoutDuplicates() -> (keys: KeyList, indices: [Int])? {
        var first: [Key: Int] = [:]
        first.reserveCapacity(count)
        var kept: [Span] = []
        var indices: [Int] = []
        indices.reserveCapacity(count)
        for index in 0..<count {
            let key = Key(bytes: UnsafeRawBufferPointer(self[index]))
            if let known = first[key] {
                indices.append(known)
            } else {
                first[key] = kept.count
                indices.append(kept.count)
                kept.append(spans[index])
            }
        }
        return kept.count == count ? nil : (KeyList(kept, of: self), indices)
    }

    /// A key's bytes, compared as such.
    private struct Key: Hashable {
        let bytes: UnsafeRawBufferPointer

        static func == (left: Self, right: Self) -> Bool { left.bytes.elementsEqual(right.bytes) }

        func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes) }
    }

    package var count: Int { spans.count }

    /// The key's bytes, valid while the list lives.
    package subscript(index: Int) -> UnsafeBufferPointer<CChar> {
        let span = spans[index]
        let start = bytes.baseAddress! + Int(span.start)
        return UnsafeBufferPointer(start: start.assumingMemoryBound(to: CChar.self), count: Int(span.count))
    }

    /// The key at this index, from 0 to ``count`` - 1.
    package func text(_ index: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(self[index]), as: UTF8.self)
    }
}
