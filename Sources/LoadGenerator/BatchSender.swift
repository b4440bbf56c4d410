internal import HTTP
internal import HTTPTypes
internal import POSIX
internal import PostRecords

/// One kept-alive connection to the server: sends a batch, waits for the answer, records it.
struct BatchSender: ~Copyable {
    struct Options: Sendable {
        var target: Target
        var source: IPv4Address?
        var client: String
        var codec: Codec
        var timeout: Duration
    }

    struct Job: Sendable {
        var body: [UInt8]
        var uris: Int
        var due: MonotonicInstant
        var recorder: Recorder
    }

    /// Bytes; a batch of 100,000 is answered with some 60 MB.
    private static let largestAnswer = 1 << 30

    private let options: Options
    private let fields: HTTPFields
    private var client: Client?

    init(_ options: Options) {
        self.options = options
        fields = [.contentType: options.codec.contentType, HTTPField.Name("x-atlantis-caller")!: options.client]
    }

    mutating func send(_ job: Job) {
        let sent = MonotonicInstant.now
        let answer: Client.Answer
        do throws(ClientError) {
            answer = try exchange(job.body)
        } catch {
            return job.recorder.fail(error.name)
        }
        let received = MonotonicInstant.now
        guard answer.status == 200 else { return job.recorder.fail("HTTP_\(answer.status)") }
        guard let scan = AnswerScan(answer.body, options.codec), scan.records == job.uris else {
            return job.recorder.fail("MALFORMED")
        }
        job.recorder.succeed(scan, latency: received - job.due, service: received - sent)
    }

    private mutating func exchange(_ body: [UInt8]) throws(ClientError) -> Client.Answer {
        // A connection that failed, or that the server closes, makes way for a new one.
        var client: Client
        if let kept = self.client.take(), kept.isReusable {
            client = kept
        } else {
            do {
                client = try Client(
                    to: options.target.address,
                    from: options.source,
                    timeout: options.timeout,
                    largestBody: Self.largestAnswer
                )
            } catch {
                throw .system(error)
            }
        }
        let answer = try client.send(.post, options.target.path, fields: fields, body: body)
        self.client = consume client
        return answer
    }
}
