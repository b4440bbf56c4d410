internal import Glibc

/// The keys of a batch in one block of memory, where libmemcached can point at them.
package final class KeyList: Sendable {
    // Safe: written in init only, before anybody else can see it.
    private nonisolated(unsafe) let bytes: UnsafeMutablePointer<CChar>
    private let offsets: [Int]

    package init(_ keys: [String]) {
        var offsets = [0]
        offsets.reserveCapacity(keys.count + 1)
        let bytes = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, keys.reduce(0) { $0 + $1.utf8.count }))
        var end = 0
        for var key in keys {
            key.withUTF8 { utf8 in
                UnsafeMutableRawBufferPointer(start: bytes + end, count: utf8.count).copyBytes(from: utf8)
                end += utf8.count
            }
            offsets.append(end)
        }
        self.bytes = bytes
        self.offsets = offsets
    }

    deinit {
        bytes.deallocate()
    }

    package var count: Int { offsets.count - 1 }

    /// The key's bytes, valid while the list lives.
    package subscript(index: Int) -> UnsafeBufferPointer<CChar> {
        UnsafeBufferPointer(start: bytes + offsets[index], count: offsets[index + 1] - offsets[index])
    }

    package func text(_ index: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(self[index]), as: UTF8.self)
    }

    /// Whether a value came back under this key.
    func matches(_ index: Int, _ other: UnsafeBufferPointer<CChar>) -> Bool {
        let key = self[index]
        return key.count == other.count && memcmp(key.baseAddress!, other.baseAddress!, key.count) == 0
    }
}
