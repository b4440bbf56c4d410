internal import HTTP
internal import HTTPTypes
internal import SwiftProtobuf
internal import Text

/// An error as Connect's unary protocol words it: a code out of its list, in JSON, with the HTTP
/// status the code maps to. connectrpc.com/docs/protocol
struct ConnectError: Error {
    enum Code: String {
        case invalidArgument = "invalid_argument"
        case resourceExhausted = "resource_exhausted"
        case unimplemented
        case `internal`
    }

    var code: Code
    var message: String
    var status: HTTPResponse.Status

    /// - Parameter status: where HTTP has a more telling one than the code's own.
    init(_ code: Code, _ message: String, status: HTTPResponse.Status? = nil) {
        self.code = code
        self.message = message
        self.status =
            status
            ?? {
                switch code {
                case .invalidArgument: .badRequest
                case .resourceExhausted: .tooManyRequests
                case .unimplemented: .notImplemented
                case .internal: .internalServerError
                }
            }()
    }

    var response: Response {
        let fields = ["code": code.rawValue, "message": message].sorted { $0.key < $1.key }
        return Response(status, contentType: "application/json", body: JSONText.object(fields) + Array("\n".utf8))
    }
}
