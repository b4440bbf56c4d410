/// Memory for what memcached sends for a batch, which is the peer's choice: an account of it that may be full.
package protocol MemoryRoom: Sendable {
    /// - Returns: whether there was room for so many bytes; nothing is taken otherwise.
    func take(_ bytes: Int) -> Bool
    func giveBack(_ bytes: Int)
}

extension Optional<any MemoryRoom> {
    /// Bytes of a value, or of a reply that is not whole, that are not counted: whoever admitted the batch has counted
    /// as much for each of its keys.
    fileprivate static let freeBytes = 1024

    /// Whether there is room for what is made of a value, until the batch is answered.
    func takes(_ bytes: Int, forValueOf value: Int) -> Bool {
        value <= Self.freeBytes || self?.take(bytes) ?? true
    }
}

extension Batch {
    /// Whether there is room for a value, until the batch is answered: for itself, and for the answer that is made of it.
    func takesRoom(forValue bytes: Int) -> Bool { room.takes(2 * bytes, forValueOf: bytes) }

    /// What a part of a reply takes from the room.
    func roomTaken(byPart bytes: Int) -> Int { room == nil || bytes <= (any MemoryRoom)?.freeBytes ? 0 : bytes }
}
