package import HTTP
package import POSIX
package import Units

/// Where a load is sent, as people write it: `http://HOST[:PORT][/PATH]`.
package struct TargetURL: Sendable, Equatable {
    package let target: Target
    /// Where the target may be, its own address first: a name may have several.
    package let addresses: [SocketAddress]
    /// What the Host field says.
    package let host: String

    /// Looks the host's name up where it is one.
    /// - Parameter defaultPath: the path when the text has none.
    /// - Throws: ``UnitTextError`` with what is wrong.
    package init(text: String, defaultPath: String) throws(UnitTextError) {
        if text.lowercased().hasPrefix("https://") {
            throw UnitTextError(
                text: text,
                expected:
                    "an address without TLS, which is not supported: put stunnel, nginx or another proxy before it "
                    + "that speaks TLS, and write its http://HOST:PORT"
            )
        }
        func problem(_ what: String) -> UnitTextError { UnitTextError(text: text, expected: "an address: \(what)") }
        let rest = text.lowercased().hasPrefix("http://") ? text.dropFirst(7) : text[...]
        let authority = rest.prefix { !"/?#".contains($0) }
        var path = String(rest[authority.endIndex...].prefix { $0 != "#" })
        if path.hasPrefix("?") { path = "/" + path }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw problem("its path has a character that must be written with %, as a blank is %20")
        }
        guard !authority.contains("@") else {
            throw problem("a user name is not supported; add --header 'Authorization: Basic …'")
        }
        let (name, port) = try Self.split(authority, orThrow: problem)
        let numeric = IPAddress(text: name)
        let found = numeric.map { [$0] } ?? NameLookup.addresses(of: name)
        guard let first = found.first else { throw problem("no address is known for \(name)") }
        addresses = found.map { SocketAddress(IPEndpoint($0, port: port)) }
        target = Target(
            address: SocketAddress(IPEndpoint(first, port: port)),
            path: path.isEmpty || path == "/" ? defaultPath : path
        )
        host = String(authority)
    }

    /// Takes `HOST:PORT` apart, of which HOST may be an IPv6 address in brackets.
    /// - Throws: what `problem` makes of the sentence saying what is wrong.
    private static func split(
        _ authority: Substring,
        orThrow problem: (String) -> UnitTextError
    ) throws(UnitTextError) -> (name: String, port: UInt16) {
        let form = problem("write http://HOST:PORT, as in http://127.0.0.1:8080 or http://[::1]:8080")
        let name: String
        let rest: Substring
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            name = String(authority[...end])
            guard !name.contains("%") else {
                throw problem("\(name) has a zone, which is not supported; use an address that needs none")
            }
            guard IPAddress(text: name) != nil else { throw problem("\(name) is not an IPv6 address") }
            rest = authority[authority.index(after: end)...]
        } else {
            guard authority.count(where: { $0 == ":" }) <= 1 else {
                guard IPAddress(text: String(authority)) != nil else { throw form }
                throw problem("an IPv6 address is written in brackets, as in http://[\(authority)]:8080")
            }
            let end = authority.firstIndex(of: ":") ?? authority.endIndex
            name = String(authority[..<end])
            guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) })
            else { throw form }
            rest = authority[end...]
        }
        if rest.isEmpty { return (name, 80) }
        guard rest.hasPrefix(":"), rest.dropFirst().allSatisfy({ ("0"..."9").contains($0) }),
            let port = UInt16(rest.dropFirst()), port != 0
        else { throw form }
        return (name, port)
    }
}
