internal import HTTP
internal import HTTPTypes
internal import SwiftProtobuf

/// Connect unary with JSON: proto3's JSON mapping in both directions.
enum JSONCodec {
    static func decode<Message: SwiftProtobuf.Message>(_ body: [UInt8]) throws(ConnectError) -> Message {
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        do {
            return try Message(jsonUTF8Bytes: body, options: options)
        } catch {
            throw ConnectError(.invalidArgument, "the body is not the JSON of \(Message.protoMessageName): \(error)")
        }
    }

    static func response(_ message: some SwiftProtobuf.Message) throws(ConnectError) -> Response {
        do {
            return Response(.ok, contentType: "application/json", body: try message.jsonUTF8Bytes())
        } catch {
            throw ConnectError(.internal, "the answer cannot be written as JSON: \(error)")
        }
    }
}
