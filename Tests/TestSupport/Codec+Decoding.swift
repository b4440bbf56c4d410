package import PostRecords
package import SwiftProtobuf

extension Codec {
    /// What swift-protobuf makes of a body.
    package func decode<Message: SwiftProtobuf.Message>(_ body: [UInt8]) throws -> Message {
        switch self {
        case .json:
            var options = JSONDecodingOptions()
            options.ignoreUnknownFields = true
            return try Message(jsonUTF8Bytes: body, options: options)
        case .proto: return try Message(serializedBytes: body)
        }
    }
}
