internal import Units

/// The batches of one client, one after the other: by its schedule, or as they were recorded.
struct BatchSource: Sendable {
    private var starts: Starts
    private var picker: BatchPicker
    private let trace: [Trace.Entry]?
    private var position = 0
    private let end: Duration?
    private let from: Duration
    /// URIs of a batch on average; nil where they have none.
    private let meanSize: Double?
    /// Batches in flight at all times; 0 in an open loop.
    let loops: Int

    /// - Parameter duration: how long the load lasts; nil is without end.
    init(_ client: Load.Client, _ workload: Workload, within duration: Duration?) {
        let schedule = client.spec.schedule
        starts = schedule.starts(within: duration, seed: client.spec.seed(of: workload.seed) ^ 0x6761_7073_0000_0000)
        picker = BatchPicker(client.spec, workload)
        trace = client.trace
        end = duration
        from = schedule.from + (schedule.phase ?? .zero)
        meanSize = client.spec.sizes?.mean
        loops = if case .closed(let batches) = schedule.arrival { batches } else { 0 }
    }

    var isClosedLoop: Bool { loops > 0 }

    /// Batches of about one moment.
    struct Backlog: Equatable {
        /// From the beginning of the load.
        var due: Duration
        var batches: Int
        /// As many as they have on average, where that was not drawn yet.
        var uris: Int
    }

    /// What is left of it up to a moment, from the beginning of the load, in order; nothing in a closed loop.
    func backlog(until moment: Duration) -> [Backlog] {
        if isClosedLoop { return [] }
        guard let trace else {
            return starts.backlog(until: moment).map { part in
                Backlog(
                    due: part.due,
                    batches: part.batches,
                    uris: Int(((meanSize ?? 0) * Double(part.batches)).rounded())
                )
            }
        }
        let until = [moment, end.map { $0 - .nanoseconds(1) }].compactMap { $0 }.min()!
        return trace[position...].prefix { $0.offset <= until }.map {
            Backlog(due: $0.offset, batches: 1, uris: $0.batch.size)
        }
    }

    /// When the next batch is due, from the beginning of the load, and what it asks for. In a closed loop the time is
    /// that of its beginning.
    mutating func next() -> (due: Duration, selection: Selection)? {
        if isClosedLoop { return (from, picker.next()) }
        guard let trace else {
            return starts.next().map { ($0, picker.next()) }
        }
        guard position < trace.count, end.map({ trace[position].offset < $0 }) ?? true else { return nil }
        let entry = trace[position]
        position += 1
        switch entry.batch {
        case .size(let size): return (entry.offset, picker.next(size: size))
        case .uris(let uris): return (entry.offset, .uris(uris))
        }
    }
}
