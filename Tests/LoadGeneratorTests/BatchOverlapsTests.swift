import Testing

@testable import LoadGenerator

@Suite("Batches under way together")
struct BatchOverlapsTests {
    @Test("a group ends when no batch is under way; it has those of all clients, answered or not")
    func groups() {
        let overlaps = BatchOverlaps()
        let answer = AnswerCheck.Tally()
        let (a, b) = (Recorder(name: "a", overlaps: overlaps), Recorder(name: "b", overlaps: overlaps))
        a.begin(uris: 3)
        a.succeed(answer, latency: .zero, service: .zero)
        a.begin(uris: 4)
        b.begin(uris: 9)
        a.fail("EOF", after: .zero)
        a.begin(uris: 5)
        b.succeed(answer, latency: .zero, service: .zero)
        a.succeed(answer, latency: .zero, service: .zero)
        b.begin(uris: 1)
        #expect(overlaps.groups == .init([[3], [4, 9, 5], [1]]))
        #expect(overlaps.groups.all.map { Array($0) } == [[3], [4, 9, 5], [1]])
    }
}
