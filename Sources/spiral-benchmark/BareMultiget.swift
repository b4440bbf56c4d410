internal import FanOut
internal import Memcached
internal import POSIX

/// Gets of many keys as libmemcached alone does them: one handle, one `get` after another, each value fetched.
struct BareMultiget: ~Copyable {
    private let handle: Handle
    private let values = ValueBuffer()

    init(to address: SocketAddress) {
        handle = Handle(server: address, timeout: .seconds(5))
    }

    /// - Throws: ``MemcachedError`` when a key was not found or not answered.
    func get(_ uris: [String], chunk: Int) throws {
        let keys = KeyList(uris)
        var pointers: [UnsafePointer<CChar>?] = (0..<keys.count).map { keys[$0].baseAddress }
        let lengths = (0..<keys.count).map { keys[$0].count }
        for start in stride(from: 0, to: keys.count, by: chunk) {
            let count = min(chunk, keys.count - start)
            let code = pointers.withUnsafeMutableBufferPointer { pointers in
                lengths.withUnsafeBufferPointer { lengths in
                    handle.sendGet(
                        keys: pointers.baseAddress! + start,
                        lengths: lengths.baseAddress! + start,
                        count: count
                    )
                }
            }
            guard code == .success else { throw Failure(description: "mget: \(code.text)") }
            var found = 0
            while handle.nextValue(into: values).value != nil { found += 1 }
            guard found == count else { throw Failure(description: "\(found) of \(count) keys were found") }
        }
        withExtendedLifetime(keys) {}
    }
}

/// Why nothing was timed.
struct Failure: Error, CustomStringConvertible {
    var description: String
}
