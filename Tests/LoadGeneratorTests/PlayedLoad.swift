import HTTP
import POSIX
import PostRecords
import TestSupport
import Testing
import Units

@testable import LoadGenerator

/// Sends a load to a server that does what a test says, to its end. Whatever becomes of batches, they add up.
/// - Parameters:
///   - addresses: where the server may be, the first to begin with; nil for where it is.
///   - during: called while it is sent.
func play(
    _ clients: [String],
    for duration: Duration = .milliseconds(500),
    to server: ScriptedServer,
    at addresses: [SocketAddress]? = nil,
    form kind: RequestForm.Kind = .posts,
    _ change: (inout Load.Options) -> Void = { _ in },
    during: (Load) throws -> Void = { _ in }
) throws -> [ClientResult] {
    Signals.ignoreBrokenPipes()
    defer { server.end() }
    let target = Target(address: addresses?.first ?? server.address, path: Endpoint.path)
    let form = RequestForm(kind, to: target, addresses)
    var options = Load.Options(form, timeout: .seconds(30))
    change(&options)
    let given = ClientSpec.Given(isSized: !form.isPlain)
    let specs = try clients.map { Load.Client(try ClientSpec(text: $0, given: given)) }
    let load = try Load(specs, options, Workload(seed: 1, count: 1000))
    try load.start(for: duration)
    try during(load)
    let isOver = eventually(within: .seconds(40)) { load.isOver }
    #expect(isOver)
    let results = load.recorders.map(\.result)
    for result in results {
        #expect(result.due == result.answered + result.failed + result.unanswered + result.unsent)
        #expect(result.failed == result.errors.values.reduce(0, +))
        #expect(result.answered == result.distributionOfAll.last.map { result.due - $0.above } ?? 0)
    }
    return results
}
