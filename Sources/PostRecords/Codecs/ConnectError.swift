internal import HTTP
internal import HTTPTypes
internal import SwiftProtobuf
internal import Text

/// An error as Connect and gRPC word it: a code out of their list, and a message. In Connect's unary form it goes as JSON
/// with the HTTP status the code maps to, in gRPC's as trailers. connectrpc.com/docs/protocol
package struct ConnectError: Error {
    /// Connect's error codes.
    package enum Code: String, CaseIterable {
        case canceled
        case invalidArgument = "invalid_argument"
        case unauthenticated
        case permissionDenied = "permission_denied"
        case deadlineExceeded = "deadline_exceeded"
        case resourceExhausted = "resource_exhausted"
        case unavailable
        case unimplemented
        case `internal`
    }

    package var code: Code
    package var message: String
    var status: HTTPResponse.Status
    /// Sent beside it.
    var fields: HTTPFields = [:]
    /// Whether what follows on the connection cannot be told from a body.
    var closes = false

    /// - Parameter status: where HTTP has a more telling one than the code's own.
    init(_ code: Code, _ message: String, status: HTTPResponse.Status? = nil) {
        self.code = code
        self.message = message
        self.status =
            status
            ?? {
                switch code {
                case .canceled: HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
                case .invalidArgument: .badRequest
                case .unauthenticated: .unauthorized
                case .permissionDenied: .forbidden
                case .deadlineExceeded: .gatewayTimeout
                case .resourceExhausted: .tooManyRequests
                case .unavailable: .serviceUnavailable
                case .unimplemented: .notImplemented
                case .internal: .internalServerError
                }
            }()
    }

    /// A request that could not be read or taken.
    init(_ error: RequestError) {
        let code: Code =
            switch error.status {
            case .unauthorized: .unauthenticated
            case .forbidden: .permissionDenied
            case .contentTooLarge, .tooManyRequests: .resourceExhausted
            case .requestTimeout: .deadlineExceeded
            case .serviceUnavailable: .unavailable
            case .notImplemented, .httpVersionNotSupported: .unimplemented
            default: .invalidArgument
            }
        self.init(code, error.message, status: error.status)
    }

    /// The error in JSON, under its HTTP status.
    var response: Response { response(in: .connect) }

    func response(in form: CallForm) -> Response {
        if case .grpc(let contentType) = form {
            // To gRPC the answer is no error of HTTP.
            var response = Response(.ok, contentType: contentType, blocks: [])
            response.trailers = GRPCStatus.trailers(of: self)
            response.closes = closes
            return response
        }
        let fields = ["code": code.rawValue, "message": message].sorted { $0.key < $1.key }
        var response = Response(
            status,
            contentType: "application/json",
            body: JSONText.object(fields) + Array("\n".utf8)
        )
        for field in self.fields { response.head.headerFields.append(field) }
        response.closes = closes
        return response
    }

    /// A body that cannot be told from the next request.
    static var lengthRequired: ConnectError {
        var error = ConnectError(
            .invalidArgument,
            "it is not said how long the body is; send Content-Length, or Transfer-Encoding: chunked",
            status: .lengthRequired
        )
        error.closes = true
        return error
    }

    /// - Parameter allowed: the methods there are, as the Allow field lists them. RFC 9110 section 15.5.6
    static func methodNotAllowed(_ method: HTTPRequest.Method, for path: String, allowed: String) -> ConnectError {
        var error = ConnectError(
            .unimplemented,
            "\(path) is not for \(method); use \(allowed)",
            status: .methodNotAllowed
        )
        error.fields[.allow] = allowed
        return error
    }
}
