internal import FanOut
package import HTTP
internal import Synchronization

/// What requests take of the process at the most, whatever the settings say.
package struct ProcessBounds: Sendable {
    /// The incident's heaviest caller asked for 20,000 at once.
    package static let defaultMaxURIs = 100_000

    /// What a URI takes from its request to its answer, as the values it brings and the answer made of them: measured
    /// with posts of 400 bytes, asked for by 50 callers at once.
    static let bytesOfURI = 900

    /// Bytes of one request's message.
    package let maxBody: Int
    /// URIs of one request.
    package let maxURIs: Int
    /// Bytes of requests and answers that are held.
    package let heldBytes: Allowance
    /// Batches that are waiting, looked up or answered.
    package let batches: Allowance
    /// What becomes of a batch whose caller has left, or waits no longer.
    package let abandoned: ServerBounds.Abandoned

    /// - Parameters:
    ///   - heldBytes: nil for any number.
    ///   - batches: nil for any number.
    package init(
        maxBody: Int = 16 << 20,
        maxURIs: Int = defaultMaxURIs,
        heldBytes: Int? = 1 << 30,
        batches: Int? = 10_000,
        abandoned: ServerBounds.Abandoned = .cancel
    ) {
        self.abandoned = abandoned
        self.maxBody = maxBody
        self.maxURIs = maxURIs
        self.heldBytes = Allowance(limit: heldBytes)
        self.batches = Allowance(limit: batches)
    }

    /// What one batch takes, until the last reference to it is gone.
    final class Reservation: MemoryRoom {
        private let bounds: ProcessBounds
        private let bytes: Atomic<Int>

        fileprivate init(_ bounds: ProcessBounds, bytes: Int) {
            self.bounds = bounds
            self.bytes = Atomic(bytes)
        }

        /// What memcached sends beyond what a URI was reckoned with.
        func take(_ more: Int) -> Bool {
            guard bounds.heldBytes.take(more) else { return false }
            bytes.add(more, ordering: .relaxed)
            return true
        }

        func giveBack(_ some: Int) {
            bytes.subtract(some, ordering: .relaxed)
            bounds.heldBytes.giveBack(some)
        }

        deinit {
            bounds.heldBytes.giveBack(bytes.load(ordering: .relaxed))
            bounds.batches.giveBack(1)
        }
    }

    /// - Throws: ``Overload`` when there is no room for the batch.
    func reserve(uris: Int) throws(Overload) -> Reservation {
        guard batches.take(1) else {
            throw Overload(.heldBatches, "\(batches.value) batches are under way already; try again later")
        }
        let bytes = uris * Self.bytesOfURI
        guard heldBytes.take(bytes) else {
            batches.giveBack(1)
            throw Overload(
                .heldBytes,
                heldBytes.limit.map { bytes > $0 } ?? false
                    ? "a batch of \(uris) URIs takes some \(bytes) bytes, more than may be held here; ask for fewer"
                    : "requests and answers of \(heldBytes.value) bytes are held here already; try again later"
            )
        }
        return Reservation(self, bytes: bytes)
    }
}
