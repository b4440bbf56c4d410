internal import HTTP
internal import HTTPTypes
internal import POSIX
internal import Text

/// Who a request comes from: the `x-atlantis-caller` header, else `User-Agent`, else the address.
enum CallerName {
    static let header = HTTPField.Name("x-atlantis-caller")!
    /// Bytes of UTF-8: a name becomes a label of every metric, and a field of every error line.
    private static let maxBytes = 64

    static func of(_ request: Request) -> String {
        for name in [header, .userAgent] {
            guard let value = request.head.headerFields[name], !value.isEmpty else { continue }
            return value.printable(bytes: maxBytes)
        }
        return request.peer?.endpoint?.address.description ?? "unknown"
    }
}
