package import Cures
internal import LoadGenerator

extension BarChart {
    /// What each cure came to, in the order of the table: complete batches, and beside them what another program paid.
    /// Nil when nothing was measured.
    package init?(_ result: CuresResult) {
        let measured = result.cures.filter { $0.dials != nil }
        guard !measured.isEmpty else { return nil }
        let missing = result.cures.count - measured.count
        self.init(
            id: "complete",
            title: "Complete batches, and who pays",
            note:
                "Both rounds together. A batch is complete when each of its URIs was found. The last bar is the harm done "
                + "to a program that has nothing to do with it: dials of its own that found no port."
                + (missing > 0 ? " Without \(missing) that were not played." : ""),
            series: [
                "heavy batches complete", "small batches complete", "other program's failed dials",
            ],
            rows: measured.map { row in
                let others = row.others.flatMap { Self.share($0.failed, of: $0.ok + $0.failed) }
                return Row(
                    name: row.name,
                    group: row.verdict.text,
                    values: [
                        Self.complete(row.client(CuresPlan.heavyName)), Self.complete(row.client(CuresPlan.smallName)),
                        others,
                    ]
                )
            },
            harms: [2]
        )
    }

    private static func complete(_ client: ClientResult?) -> Double? {
        client.flatMap { client in client.complete.flatMap { share($0, of: client.batches) } }
    }

    /// Percent; nil of none, and of what a file says that is no part.
    private static func share(_ part: Int, of all: Int) -> Double? {
        all > 0 && (0...all).contains(part) ? 100 * Double(part) / Double(all) : nil
    }
}
