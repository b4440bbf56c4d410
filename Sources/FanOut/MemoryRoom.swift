/// Memory for what memcached sends for a batch, which is the peer's choice: an account of it that may be full.
package protocol MemoryRoom: Sendable {
    /// - Returns: whether there was room for so many bytes; nothing is taken otherwise.
    func take(_ bytes: Int) -> Bool
    func giveBack(_ bytes: Int)
}

extension Batch {
    /// Bytes of a value, or of a reply that is not whole, that are not counted: whoever admitted the batch has counted
    /// as much for each of its keys.
    private static let freeBytes = 1024

    /// Whether there is room for a value, until the batch is answered: for itself, and for the answer that is made of it.
    func takesRoom(forValue bytes: Int) -> Bool {
        bytes <= Self.freeBytes || room?.take(2 * bytes) ?? true
    }

    /// What a part of a reply takes from the room.
    func roomTaken(byPart bytes: Int) -> Int { bytes <= Self.freeBytes || room == nil ? 0 : bytes }
}
