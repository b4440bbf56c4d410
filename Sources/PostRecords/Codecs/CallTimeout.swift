internal import HTTPTypes

/// How long a caller waits for its answer, as its request says.
enum CallTimeout {
    static let connectHeader = HTTPField.Name("Connect-Timeout-Ms")!
    static let grpcHeader = HTTPField.Name("grpc-timeout")!

    /// Longer ones are none: nothing here is waited for as long.
    private static let longest = Duration.seconds(24 * 60 * 60)

    /// - Throws: ``ConnectError`` when it is not said as the protocol has it.
    static func of(_ fields: HTTPFields, in form: CallForm) throws(ConnectError) -> Duration? {
        let timeout: Duration?
        switch form {
        case .connect:
            guard let text = fields[connectHeader] else { return nil }
            timeout = number(text, digits: 10).map { .milliseconds($0) }
            guard timeout != nil else {
                throw ConnectError(
                    .invalidArgument,
                    "Connect-Timeout-Ms is '\(text.prefix(40))'; it is a number of milliseconds of up to 10 digits"
                )
            }
        case .grpc:
            guard let text = fields[grpcHeader] else { return nil }
            timeout = grpc(text)
            guard timeout != nil else {
                throw ConnectError(
                    .invalidArgument,
                    "grpc-timeout is '\(text.prefix(40))'; it is up to 8 digits and one of H, M, S, m, u and n"
                )
            }
        }
        return timeout.flatMap { $0 > longest ? nil : $0 }
    }

    private static func grpc(_ text: String) -> Duration? {
        guard let unit = text.last, let value = number(String(text.dropLast()), digits: 8) else { return nil }
        switch unit {
        case "H": return .seconds(value * 3600)
        case "M": return .seconds(value * 60)
        case "S": return .seconds(value)
        case "m": return .milliseconds(value)
        case "u": return .microseconds(value)
        case "n": return .nanoseconds(value)
        default: return nil
        }
    }

    private static func number(_ text: String, digits: Int) -> Int? {
        guard (1...digits).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int(text)
    }
}
