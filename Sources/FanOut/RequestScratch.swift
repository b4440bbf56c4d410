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
    func send(_ work: Operation.Work, of batch: Batch, on handle: borrowing Handle) -> ReturnCode {
        switch work {
        case .get(let unit):
            for (index, position) in unit.positions.enumerated() {
                let key = batch.keys[batch.keyIndex(at: position)]
                keys[index] = key.baseAddress
                lengths[index] = key.count
            }
            return handle.sendGet(keys: keys, lengths: lengths, count: unit.positions.count)
        case .set(let key, let value):
            return handle.sendSet(key: batch.keys[key], value: value)
        case .read:
            preconditionFailure("a read asks the store, not memcached")
        }
    }
}
