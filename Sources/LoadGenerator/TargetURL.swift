package import HTTP
internal import POSIX
package import Units

/// Where a load is sent, as people write it: `http://HOST[:PORT][/PATH]`.
package struct TargetURL: Sendable, Equatable {
    package let target: Target
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
        guard !authority.contains("["), !authority.contains("@") else {
            throw problem("write http://HOST:PORT with an IPv4 address or a name, as in http://127.0.0.1:8080")
        }
        let sides = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(sides.count), !sides[0].isEmpty,
            let port = sides.count == 1 ? 80 : UInt16(sides[1]), port != 0,
            sides[0].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) })
        else {
            throw problem("write http://HOST:PORT, as in http://127.0.0.1:8080")
        }
        let name = String(sides[0])
        let numeric = name == "localhost" ? IPv4Address.loopback : IPv4Address(text: name)
        guard let address = numeric ?? NameLookup.address(of: name) else {
            throw problem("no IPv4 address is known for \(name)")
        }
        target = Target(
            address: .ipv4(address, port: port),
            path: path.isEmpty || path == "/" ? defaultPath : path
        )
        host = String(authority)
    }
}
