package import PostRecords
package import Units

/// One named client of a load: how large its batches are, and when they are due. Its text form is read and written in
/// `ClientSpec+Text.swift`.
package struct ClientSpec: Sendable, Equatable, CustomStringConvertible {
    package var name: String
    /// Nil where a request is not a batch of URIs: see ``RequestForm``.
    package var sizes: BatchSizes?
    package var schedule: Schedule
    /// The time in which a batch should be answered, with a post for each URI; nil for no SLO.
    package var slo: Duration?
    /// How it writes its batches, and reads the answers.
    package var codec = Codec.json
    package var popularity = Popularity.uniform
    /// URIs out of the load's posts, from 0 to 1; the others are of posts that nobody has asked for before, so that no
    /// cache has them. Nil where all are out of the load's posts.
    package var hits: Double?
    /// URIs that are in the batch already, from 0 to 1.
    package var duplicates = 0.0

    package init(name: String, uris: ClosedRange<Int>, rate: Rate) {
        self.name = name
        sizes = BatchSizes(uris)
        schedule = Schedule(rate: rate)
    }

    init(name: String, sizes: BatchSizes?, schedule: Schedule) {
        self.name = name
        self.sizes = sizes
        self.schedule = schedule
    }

    /// The fewest and the most URIs of a batch.
    package var uris: ClosedRange<Int> { sizes?.bounds ?? 1...1 }

    /// A number for this client out of that of the load: clients of one load still differ.
    package func seed(of load: UInt64) -> UInt64 {
        name.utf8.reduce(load) { $0 &* 31 &+ UInt64($1) }
    }

    /// This client with a schedule that does not march in step with that of others, see ``Schedule/phased(by:within:)``.
    package func phased(seed: UInt64, within duration: Duration?) -> ClientSpec {
        var generator = SplitMix64(seed: self.seed(of: seed) ^ 0x7068_6173_6500_0000)
        var phased = self
        phased.schedule = schedule.phased(by: Double.random(in: 0..<1, using: &generator), within: duration)
        return phased
    }
}
