internal import SwiftProtobuf

/// How a message is written: Connect unary with proto3's JSON mapping, or with protobuf itself.
/// connectrpc.com/docs/protocol
package enum Codec: String, Sendable, CaseIterable {
    case json
    case proto

    /// Of requests and answers.
    package var contentType: String { "application/\(rawValue)" }

    func encode(_ message: some SwiftProtobuf.Message) throws(ConnectError) -> [UInt8] {
        do {
            switch self {
            case .json: return try message.jsonUTF8Bytes()
            case .proto: return try message.serializedBytes()
            }
        } catch {
            throw ConnectError(.internal, "the answer cannot be written: \(error)")
        }
    }
}
