internal import HTTP
internal import HTTPTypes
internal import SwiftProtobuf

/// How a message is written: Connect unary with proto3's JSON mapping, or with protobuf itself.
/// connectrpc.com/docs/protocol
package enum Codec: String, Sendable, CaseIterable {
    case json
    case proto

    /// Of requests and answers.
    package var contentType: String { "application/\(rawValue)" }

    func decode<Message: SwiftProtobuf.Message>(_ body: [UInt8]) throws(ConnectError) -> Message {
        do {
            switch self {
            case .json:
                var options = JSONDecodingOptions()
                options.ignoreUnknownFields = true
                return try Message(jsonUTF8Bytes: body, options: options)
            case .proto: return try Message(serializedBytes: body)
            }
        } catch {
            let form = self == .json ? "JSON" : "protobuf"
            throw ConnectError(.invalidArgument, "the body is not the \(form) of \(Message.protoMessageName): \(error)")
        }
    }

    func response(_ message: some SwiftProtobuf.Message) throws(ConnectError) -> Response {
        do {
            let body: [UInt8]
            switch self {
            case .json: body = try message.jsonUTF8Bytes()
            case .proto: body = try message.serializedBytes()
            }
            return Response(.ok, contentType: contentType, body: body)
        } catch {
            throw ConnectError(.internal, "the answer cannot be written: \(error)")
        }
    }
}
