internal import HTTPTypes

/// How a call went, as gRPC's trailers say it.
enum GRPCStatus {
    private static let status = HTTPField.Name("grpc-status")!
    private static let message = HTTPField.Name("grpc-message")!

    static let ok: HTTPFields = [status: "0"]

    static func trailers(of error: ConnectError) -> HTTPFields {
        [status: "\(error.code.grpc)", message: percentEncoded(error.message)]
    }

    /// With what is no plain ASCII, and `%`, as `%` and two hexadecimal digits.
    private static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if 0x20...0x7e ~= byte, byte != UInt8(ascii: "%") {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}

extension ConnectError.Code {
    /// grpc.io/docs/guides/status-codes
    fileprivate var grpc: Int {
        switch self {
        case .canceled: 1
        case .invalidArgument: 3
        case .deadlineExceeded: 4
        case .permissionDenied: 7
        case .resourceExhausted: 8
        case .unimplemented: 12
        case .internal: 13
        case .unavailable: 14
        case .unauthenticated: 16
        }
    }
}
