internal import HTTP
package import HTTPTypes

/// What a call says beside its message: how it is written, compressed, and how long it may take.
package struct CallHead: Sendable {
    static let grpcEncoding = HTTPField.Name("grpc-encoding")!
    static let grpcAcceptEncoding = HTTPField.Name("grpc-accept-encoding")!
    private static let protocolVersion = HTTPField.Name("Connect-Protocol-Version")!

    let form: CallForm
    package let codec: Codec
    let timeout: Duration?
    /// Whether the message is compressed; in gRPC, whether it may be.
    private let isCompressed: Bool
    private let acceptsGzip: Bool

    /// An answer below this goes out in one packet as it is.
    private static let smallestCompressed = 1400

    /// - Throws: ``ConnectError`` when something is not spoken here.
    package init(_ head: HTTPRequest) throws(ConnectError) {
        let fields = head.headerFields
        form = CallForm(of: head)
        codec = try CallForm.codec(of: head)
        if form == .connect, let version = fields[Self.protocolVersion], version != "1" {
            throw ConnectError(
                .invalidArgument,
                "Connect-Protocol-Version is '\(version.prefix(40))', and 1 is spoken here"
            )
        }
        timeout = try CallTimeout.of(fields, in: form)
        let isConnect = form == .connect
        isCompressed = try Self.isGzip(fields[isConnect ? .contentEncoding : Self.grpcEncoding], in: form)
        acceptsGzip = fields.elements(of: isConnect ? .acceptEncoding : Self.grpcAcceptEncoding).contains(
            where: Self.isAcceptedGzip
        )
    }

    private static func isGzip(_ coding: String?, in form: CallForm) throws(ConnectError) -> Bool {
        switch coding?.asciiLowercased.trimmingBlanks() ?? "" {
        case "", "identity": return false
        case "gzip", "x-gzip": return true
        case let other:
            var error = ConnectError(
                .unimplemented,
                "content encoding \(other.prefix(40)) is not spoken here; send gzip or identity"
            )
            error.fields[form == .connect ? .acceptEncoding : grpcAcceptEncoding] = "gzip, identity"
            throw error
        }
    }

    /// Whether an element of a list of codings names gzip, and not with a weight of 0. RFC 9110 section 12.5.3
    private static func isAcceptedGzip(_ element: String) -> Bool {
        let parts = element.split(separator: ";").map { String($0).trimmingBlanks() }
        guard parts.first == "gzip" || parts.first == "x-gzip" else { return false }
        let weight = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
        return weight.map { Double($0) ?? 0 > 0 } ?? true
    }

    /// The message in a body.
    /// - Parameter limit: of its bytes when they are decompressed.
    /// - Throws: ``ConnectError``
    package func message(in body: [UInt8], limit: Int) throws(ConnectError) -> [UInt8] {
        switch form {
        case .connect: return isCompressed && !body.isEmpty ? try decompress(body, limit: limit) : body
        case .grpc:
            let frame = try GRPCFrame(body)
            guard frame.isCompressed else { return frame.message }
            guard isCompressed else {
                throw ConnectError(.internal, "the message is compressed, and no grpc-encoding says with what")
            }
            return try decompress(frame.message, limit: limit)
        }
    }

    private func decompress(_ bytes: [UInt8], limit: Int) throws(ConnectError) -> [UInt8] {
        do throws(Gzip.Failure) {
            return try Gzip.decompress(bytes, limit: limit)
        } catch {
            switch error {
            case .malformed(let what): throw ConnectError(.invalidArgument, "the body is not gzip: \(what)")
            case .tooLarge:
                throw ConnectError(
                    .resourceExhausted,
                    "the body is larger than \(limit) bytes when it is decompressed; send a smaller batch",
                    status: .contentTooLarge
                )
            }
        }
    }

    /// The answer with a message in blocks.
    func response(_ message: [[UInt8]]) async -> Response {
        let length = message.reduce(0) { $0 + $1.count }
        let compresses = acceptsGzip && length >= Self.smallestCompressed
        let blocks = compresses ? await Gzip.compress(message) : message
        switch form {
        case .connect:
            var response = Response(.ok, contentType: codec.contentType, blocks: blocks)
            if compresses {
                response.head.headerFields[.contentEncoding] = "gzip"
                response.head.headerFields[.vary] = "Accept-Encoding"
            }
            return response
        case .grpc(let contentType):
            var response = Response(
                .ok,
                contentType: contentType,
                blocks: [GRPCFrame.prefix(of: blocks, isCompressed: compresses)] + blocks
            )
            if compresses { response.head.headerFields[Self.grpcEncoding] = "gzip" }
            response.head.headerFields[Self.grpcAcceptEncoding] = "gzip, identity"
            response.trailers = GRPCStatus.ok
            return response
        }
    }
}
