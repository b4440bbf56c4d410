internal import Memcached

/// Room for the key pointers of one `get`, as libmemcached wants them; one a lane.
struct RequestScratch: ~Copyable {
    private let keys: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let lengths: UnsafeMutablePointer<Int>

    init() {
        keys = .allocate(capacity: FanoutPolicy.largestChunk)
        lengths = .allocate(capacity: FanoutPolicy.largestChunk)
    }

    deinit {
        keys.deallocate()
        lengths.deallocate()
    }

    /// Sends the request of an operation on a handle.
    func send(_ operation: Operation, on handle: borrowing Handle) -> ReturnCode {
        let batch = operation.slice.batch
        switch operation.work {
        case .get:
            let positions = operation.positions
            for index in 0..<positions.count {
                let key = batch.keys[batch.keyIndex(at: positions[index])]
                keys[index] = key.baseAddress
                lengths[index] = key.count
            }
            return handle.sendGet(keys: keys, lengths: lengths, count: positions.count)
        case .set(let key, let value):
            return handle.sendSet(key: batch.keys[key], value: value)
        case .read:
            preconditionFailure("a read asks the store, not memcached")
        }
    }
}
