internal import HTTP
internal import HTTPTypes
internal import POSIX

/// Who a request comes from: the `x-atlantis-caller` header, else `User-Agent`, else the address.
enum CallerName {
    static let header = HTTPField.Name("x-atlantis-caller")!
    private static let longest = 64

    static func of(_ request: Request) -> String {
        for name in [header, .userAgent] {
            guard let value = request.head.headerFields[name], !value.isEmpty else { continue }
            // Kept short and printable: it becomes a field of every error line.
            return String(value.prefix(longest).map { $0.isPrintable ? $0 : "?" })
        }
        guard case .ipv4(let address, _) = request.peer else { return "unknown" }
        return address.description
    }
}

extension Character {
    fileprivate var isPrintable: Bool { unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f } }
}
