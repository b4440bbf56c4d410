package import POSIX

/// Why a request got no answer.
package enum ClientError: Error, CustomStringConvertible {
    case system(SystemCallError)
    /// The server closed before the answer was complete.
    case closed
    /// No bytes for as long as the connection's timeout.
    case timedOut
    case malformed(String)
    /// Header fields or body are beyond their bound.
    case tooLarge(String)

    init(_ failure: ResponseParser.Failure) {
        self =
            switch failure {
            case .malformed(let what): .malformed(what)
            case .tooLarge(let what): .tooLarge(what)
            case .closed: .closed
            }
    }

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .closed: "the server closed the connection before its answer was complete"
        case .timedOut: "no answer within the timeout"
        case .malformed(let what): "the answer is not HTTP/1.1: \(what)"
        case .tooLarge(let what): "the answer is too large: \(what)"
        }
    }

    /// One name to count the failure under.
    package var name: String {
        switch self {
        case .system(let error): error.name
        case .closed: "EOF"
        case .timedOut: "ETIMEDOUT"
        case .malformed: "MALFORMED"
        case .tooLarge: "TOO_LARGE"
        }
    }
}
