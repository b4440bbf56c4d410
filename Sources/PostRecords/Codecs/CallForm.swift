internal import HTTP
internal import HTTPTypes

/// What a call is written in, around its message.
enum CallForm: Sendable, Equatable {
    /// Connect's unary form: the message is the body, and an error is an HTTP status with JSON.
    /// connectrpc.com/docs/protocol
    case connect
    /// gRPC's, which over HTTP/1.1 goes in chunks: a frame of five bytes and the message, and how it went as trailers.
    /// github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
    case grpc(contentType: String)

    /// Of a request; Connect's where it does not say.
    init(of head: HTTPRequest?) {
        let type = head.flatMap { Self.mediaType(of: $0) } ?? ""
        self = Self.grpcTypes[type] == nil ? .connect : .grpc(contentType: type)
    }

    /// The codec of gRPC's content types.
    private static let grpcTypes: [String: Codec] = [
        "application/grpc": .proto, "application/grpc+proto": .proto, "application/grpc+json": .json,
    ]

    /// The content type without its parameters, in lower case.
    private static func mediaType(of head: HTTPRequest) -> String? {
        head.headerFields[.contentType].map { String($0.prefix { $0 != ";" }).trimmingBlanks().asciiLowercased }
    }

    /// The codec that a request is written in.
    /// - Throws: ``ConnectError``
    static func codec(of head: HTTPRequest) throws(ConnectError) -> Codec {
        let values = head.headerFields[values: .contentType]
        let type = mediaType(of: head) ?? "none"
        let codec = grpcTypes[type] ?? Codec.allCases.first { $0.contentType == type }
        guard values.count == 1, let codec else {
            var error = ConnectError(
                .unimplemented,
                values.count > 1
                    ? "there are several content types"
                    : "content type \(type.prefix(100)) is not spoken here; send application/json or application/proto, "
                        + "or application/grpc",
                status: .unsupportedMediaType
            )
            error.fields[HTTPField.Name("Accept-Post")!] =
                (Codec.allCases.map(\.contentType) + grpcTypes.keys.sorted()).joined(separator: ", ")
            throw error
        }
        let parameters = values[0].asciiLowercased.split(separator: ";").dropFirst()
            .map { String($0).trimmingBlanks() }
        let charset = parameters.first { $0.hasPrefix("charset=") }?.dropFirst(8) ?? "utf-8"
        guard charset == "utf-8" || charset == "\"utf-8\"" else {
            throw ConnectError(
                .unimplemented,
                "charset \(charset.prefix(100)) is not spoken here; send UTF-8",
                status: .unsupportedMediaType
            )
        }
        return codec
    }
}
