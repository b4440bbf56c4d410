internal import Units

/// The batches of one client, one after the other: by its schedule, or as they were recorded.
struct BatchSource: Sendable {
    private var starts: Starts
    private var picker: BatchPicker
    private let trace: [Trace.Entry]?
    private var position = 0
    private let end: Duration?
    private let from: Duration
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
        loops = if case .closed(let batches) = schedule.arrival { batches } else { 0 }
    }

    var isClosedLoop: Bool { loops > 0 }

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
