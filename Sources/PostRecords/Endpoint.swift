internal import FanOut
package import HTTP
package import HTTPTypes
internal import Memcached
internal import POSIX
internal import Telemetry
internal import Units

/// `bsky.Service` over HTTP: GetPostRecords, its alias GetPostRecord, and Ping.
package struct Endpoint: Responder {
    package static let path = "/bsky.Service/GetPostRecords"

    private let service: Service

    package init(_ service: Service) {
        self.service = service
    }

    private enum Method {
        case getPostRecords, ping
    }

    package func respond(to request: Request) async -> Response {
        let form = request.isHTTP10 ? .connect : CallForm(of: request.head)
        do throws(ConnectError) {
            let method = try method(of: request.head)
            let call = try CallHead(request.head)
            // An empty message in protobuf is no byte, of which some clients say no length; all others are some.
            guard request.hasLength || call.codec == .proto && call.form == .connect else { throw .lengthRequired }
            guard form == call.form else {
                throw ConnectError(
                    .unimplemented,
                    "gRPC's status follows the answer, which HTTP/1.0 cannot; use HTTP/1.1",
                    status: .httpVersionNotSupported
                )
            }
            let message = try call.message(in: request.body, limit: service.bounds.maxBody)
            switch method {
            case .getPostRecords: return try await getPostRecords(message, request, call)
            case .ping:
                try PingRequest.check(message, in: call.codec)
                return await call.response([try call.codec.encode(Bsky_PingResponse())])
            }
        } catch {
            return error.response(in: form)
        }
    }

    package func response(to error: RequestError, head: HTTPRequest?) -> Response {
        ConnectError(error).response(in: CallForm(of: head))
    }

    package func refusal(of head: HTTPRequest) -> Response? {
        do throws(ConnectError) {
            _ = try method(of: head)
            _ = try CallHead(head)
            return nil
        } catch {
            return error.response(in: CallForm(of: head))
        }
    }

    private func method(of head: HTTPRequest) throws(ConnectError) -> Method {
        let path = (head.path ?? "").prefix { $0 != "?" }
        let method: Method
        switch path {
        case Self.path, "/bsky.Service/GetPostRecord": method = .getPostRecords
        case "/bsky.Service/Ping": method = .ping
        default:
            throw ConnectError(
                .unimplemented,
                "there is no \(path.prefix(100)); try POST \(Self.path)",
                status: .notFound
            )
        }
        guard head.method == .post else {
            throw .methodNotAllowed(head.method, for: String(path), allowed: "POST")
        }
        return method
    }

    private func getPostRecords(
        _ message: [UInt8],
        _ request: Request,
        _ call: CallHead
    ) async throws(ConnectError) -> Response {
        let keys = try keys(of: message, call.codec)
        let account = service.clients.begin(CallerName.of(request), uris: keys.count)
        account.outstanding.increment(by: keys.count)
        defer { account.outstanding.decrement(by: keys.count) }
        let reservation: ProcessBounds.Reservation
        do throws(Overload) {
            reservation = try admit(keys, for: account)
        } catch {
            throw refuse(keys.count, of: account, since: request.arrived, error)
        }
        defer { withExtendedLifetime(reservation) {} }
        let deadline = call.timeout.map { request.arrived + $0 }
        switch await lookUp(keys, for: account, until: deadline, holding: reservation) {
        case .outcomes(let outcomes):
            let answer = await Answer(outcomes, in: call.codec)
            report(answer.tally, of: account, since: request.arrived)
            return await call.response(answer.body)
        case .refused(let overload): throw refuse(keys.count, of: account, since: request.arrived, overload)
        case .cancelled(let cancellation):
            throw report(cancellation, of: keys.count, of: account, since: request.arrived)
        }
    }

    /// Looks a batch up for as long as its caller waits.
    /// - Parameters:
    ///   - deadline: when the caller waits no longer; nil when it did not say.
    ///   - reservation: kept until the last lookup is over, whether or not somebody waits for it.
    private func lookUp(
        _ keys: KeyList,
        for account: ClientAccount,
        until deadline: MonotonicInstant?,
        holding reservation: ProcessBounds.Reservation
    ) async -> BatchWait.End {
        let wait = BatchWait()
        let lookups = service.engine.lookUp(keys, for: account, room: reservation) { result in
            withExtendedLifetime(reservation) {}
            switch result {
            case .success(let outcomes):
                if wait.end(as: .outcomes(outcomes)) { return }
                // What was found has reached nobody.
                let tally = OutcomeTally(outcomes[...])
                account.fail("CANCELLED", count: tally.hits + tally.misses)
            case .failure(let overload):
                if !wait.end(as: .refused(overload)) { account.fail("CANCELLED", count: keys.count) }
            }
        }
        guard service.bounds.abandoned == .cancel else { return await wait.value }
        let timer = deadline.map { deadline in
            Task {
                try? await Task.sleep(for: max(.zero, deadline - .now))
                if !Task.isCancelled { wait.end(as: .cancelled(.deadline)) }
            }
        }
        let end = await withTaskCancellationHandler {
            await wait.value
        } onCancel: {
            wait.end(as: .cancelled(.abandoned))
        }
        timer?.cancel()
        if case .cancelled = end { lookups?.cancel() }
        return end
    }

    /// The URIs that a request asks for.
    /// - Throws: ``ConnectError`` when it cannot be read, or one of them cannot be looked up.
    private func keys(of body: [UInt8], _ codec: Codec) throws(ConnectError) -> KeyList {
        do throws(ConnectError) {
            return try KeyList.read(body, in: codec, limit: service.bounds.maxURIs)
        } catch {
            if error.code == .resourceExhausted { service.engine.counters.refusals.add(for: .maxURIs) }
            throw error
        }
    }

    /// - Throws: ``Overload`` when a guard or a bound does not admit the batch.
    private func admit(
        _ keys: KeyList,
        for account: ClientAccount
    ) throws(Overload) -> ProcessBounds.Reservation {
        do throws(Overload) {
            try service.guards.current.check(uris: keys.count, of: account)
            return try service.bounds.reserve(uris: keys.count)
        } catch {
            service.engine.counters.refusals.add(for: error.reason)
            throw error
        }
    }

    /// Counts a batch that was not looked up for its caller, and traces it.
    private func refuse(
        _ uris: Int,
        of account: ClientAccount,
        since arrived: MonotonicInstant,
        _ overload: Overload
    ) -> ConnectError {
        account.fail("RESOURCE_EXHAUSTED", count: uris)
        service.traces?.add(
            Span(
                "GetPostRecords",
                duration: .now - arrived,
                failed: true,
                [
                    ("client.name", .text(account.name)), ("batch.uris", .number(uris)),
                    ("batch.refused", .text(overload.reason.rawValue)),
                ]
            )
        )
        return ConnectError(.resourceExhausted, overload.message)
    }

    /// Counts a batch that nobody waits for any more, and traces it.
    private func report(
        _ cancellation: Cancellation,
        of uris: Int,
        of account: ClientAccount,
        since arrived: MonotonicInstant
    ) -> ConnectError {
        service.cancellations.add(for: cancellation)
        service.traces?.add(
            Span(
                "GetPostRecords",
                duration: .now - arrived,
                failed: true,
                [
                    ("client.name", .text(account.name)), ("batch.uris", .number(uris)),
                    ("batch.cancelled", .text(cancellation.rawValue)),
                ]
            )
        )
        switch cancellation {
        case .deadline:
            return ConnectError(
                .deadlineExceeded,
                "the time the caller gave was over before all \(uris) URIs were looked up"
            )
        case .abandoned: return ConnectError(.canceled, "the caller has left")
        }
    }

    /// Counts an answered batch for its caller, and traces it.
    private func report(_ tally: OutcomeTally, of account: ClientAccount, since arrived: MonotonicInstant) {
        let latency = MonotonicInstant.now - arrived
        account.finish(ok: tally.hits + tally.misses, latency: latency)
        service.traces?.add(
            Span(
                "GetPostRecords",
                duration: latency,
                failed: tally.failed > 0,
                [
                    ("client.name", .text(account.name)),
                    ("batch.uris", .number(tally.hits + tally.misses + tally.unreadable + tally.failed)),
                    ("lookups.hits", .number(tally.hits)),
                    ("lookups.misses", .number(tally.misses)),
                    ("lookups.unreadable", .number(tally.unreadable)),
                    ("lookups.failed", .number(tally.failed)),
                ] + tally.errors.sorted { $0.key < $1.key }.map { ("lookups.errors.\($0.key)", .number($0.value)) }
            )
        )
    }
}
