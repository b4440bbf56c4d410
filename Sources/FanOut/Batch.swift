internal import Limits
internal import Memcached
internal import Synchronization
internal import Telemetry

/// One caller's keys on their way through the lanes. Lanes claim units of it until none are left.
final class Batch: Sendable {
    /// Keys of one server that are looked up with one `get`: positions in ``order``.
    struct Unit {
        var server: Int
        var positions: Range<Int>
    }

    let keys: KeyList
    let account: ClientAccount
    /// What its lookups need a permit of; nil without a limit.
    let permits: Permits?
    /// Nil where batches do not queue.
    let admission: Admission?
    /// Nil where memory is not counted.
    let room: (any MemoryRoom)?
    /// How many lanes have a part of it.
    let sliceCount: Int

    private let servers: ServerList
    // Nil while each key is a unit of its own, in the order they came.
    private let grouped: (order: [Int], units: [Unit])?
    private let claimed = Atomic<Int>(0)
    private let issued = Atomic<Int>(0)
    private let unfinished: Atomic<Int>
    private let cancelled = Atomic<Bool>(false)
    // Safe: each element is written by the one lane that finished its key, and read after
    // `unfinished` reached zero, which orders the two.
    private nonisolated(unsafe) let outcomes: UnsafeMutableBufferPointer<Outcome>
    private let completion: @Sendable (Result<[Outcome], Overload>) -> Void

    init(
        _ keys: KeyList,
        account: ClientAccount,
        servers: ServerList,
        fanout: FanoutPolicy,
        permits: Permits?,
        admission: Admission?,
        room: (any MemoryRoom)?,
        maxSlices: Int,
        completion: @escaping @Sendable (Result<[Outcome], Overload>) -> Void
    ) {
        self.keys = keys
        self.account = account
        self.servers = servers
        self.permits = permits
        self.admission = admission
        self.room = room
        self.completion = completion
        if case .multiget(let chunk) = fanout {
            grouped = Self.group(keys, servers: servers, chunk: chunk)
        } else {
            grouped = nil
        }
        // A lane is worth waking for 16 units; a batch of normal size stays on one.
        sliceCount = min(maxSlices, ((grouped?.units.count ?? keys.count) + 15) / 16)
        unfinished = Atomic(keys.count)
        outcomes = .allocate(capacity: keys.count)
        outcomes.initialize(repeating: .missing)
    }

    deinit {
        if unfinished.load(ordering: .relaxed) > 0 { outcomes.deinitialize() }
        outcomes.deallocate()
    }

    /// Moves the outcomes out, once; retaining each of 20,000 values anew would show.
    private func takeOutcomes() -> [Outcome] {
        Array(unsafeUninitializedCapacity: outcomes.count) { room, count in
            count = room.moveInitialize(fromContentsOf: outcomes)
        }
    }

    private static func group(_ keys: KeyList, servers: ServerList, chunk: Int) -> (order: [Int], units: [Unit]) {
        var byServer: [[Int]] = Array(repeating: [], count: servers.addresses.count)
        for index in 0..<keys.count { byServer[servers.index(of: keys[index])].append(index) }
        var order: [Int] = []
        var units: [Unit] = []
        for (server, indices) in byServer.enumerated() {
            let end = order.count + indices.count
            for start in stride(from: order.count, to: end, by: chunk) {
                units.append(Unit(server: server, positions: start..<min(start + chunk, end)))
            }
            order += indices
        }
        return (order, units)
    }

    private var unitCount: Int { grouped?.units.count ?? keys.count }

    /// Permits that each of its slices asks for first.
    var firstTarget: Int { (unitCount + sliceCount - 1) / sliceCount }

    /// Units that nobody has taken.
    var unclaimed: Int {
        if let admission, admission.isRefused { return 0 }
        return max(0, unitCount - claimed.load(ordering: .relaxed))
    }

    /// The next few units nobody has taken, or nil when all are taken.
    func claim() -> Range<Int>? {
        guard unclaimed > 0, admission?.begin() ?? true else { return nil }
        let start = claimed.wrappingAdd(runLength, ordering: .relaxed).oldValue
        guard start < unitCount else { return nil }
        return start..<min(start + runLength, unitCount)
    }

    /// Units that a lane claims at once. Lanes take the counter from each other's caches, so not one by one, unless each
    /// is a lot of work.
    private var runLength: Int { grouped == nil ? 8 : 1 }

    subscript(unit number: Int) -> Unit {
        if let grouped { return grouped.units[number] }
        return Unit(server: servers.index(of: keys[number]), positions: number..<number + 1)
    }

    /// Requests of claimed units are out, or have failed.
    /// - Returns: whether they were the last of the batch.
    func markIssued(_ count: Int) -> Bool {
        issued.wrappingAdd(count, ordering: .releasing).newValue == unitCount
    }

    /// Whether every unit of the batch has been issued, by whichever lane.
    var isIssued: Bool { issued.load(ordering: .acquiring) == unitCount }

    /// The index of the key at a position of a unit.
    func keyIndex(at position: Int) -> Int { grouped?.order[position] ?? position }

    func server(ofKey index: Int) -> Int { servers.index(of: keys[index]) }

    /// Notes what became of a key, which ``finish(_:)`` is still to count.
    func set(_ outcome: Outcome, of index: Int) {
        outcomes[index] = outcome
    }

    /// Counts keys as settled; the last of them completes the batch.
    func finish(_ count: Int) {
        if unfinished.wrappingSubtract(count, ordering: .acquiringAndReleasing).newValue == 0 {
            completion(.success(takeOutcomes()))
        }
    }

    /// What keys end as that are not looked up, as nobody waits for them any more.
    var cancellation: MemcachedError { .cancelled(server: servers.addresses[0]) }

    /// Whether nobody waits for it any more.
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// Takes back the units nobody has claimed: their keys end as cancelled.
    /// - Returns: how many keys they had; the batch is completed here where they were all that was left of it.
    func cancelUnclaimed() -> Int {
        // One that still waits for its first permit waits no longer; one that was refused is over.
        if let admission, !admission.refuse(), admission.isRefused { return 0 }
        cancelled.store(true, ordering: .relaxed)
        let start = claimed.exchange(unitCount, ordering: .relaxed)
        guard start < unitCount else { return 0 }
        let error = cancellation
        var keys = 0
        for unit in start..<unitCount {
            for position in self[unit: unit].positions { set(.failed(error), of: keyIndex(at: position)) }
            keys += self[unit: unit].positions.count
        }
        _ = markIssued(unitCount - start)
        return keys
    }

    /// Ends a batch that nothing has been looked up of.
    func refuse(_ overload: Overload) {
        completion(.failure(overload))
    }
}
