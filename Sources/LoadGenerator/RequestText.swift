internal import HTTP
internal import HTTPTypes
internal import POSIX
internal import PostRecords
internal import Units

/// Where the requests of a load go and what they look like, as the options of commands say it.
package struct RequestText: Sendable, Codable, Equatable {
    /// Bytes of a body out of a file.
    private static let largestBody = ByteCount(bytes: 64 << 20)

    /// `http://HOST[:PORT][/PATH]`
    package var target: String
    /// Of plain requests; nil for POST where there is a body, and for batches of URIs where there is none.
    package var method: String?
    /// `Name: value`
    package var headers: [String]
    /// The path of a file with the body of plain requests.
    package var bodyFile: String?

    package init(target: String, method: String? = nil, headers: [String] = [], bodyFile: String? = nil) {
        self.target = target
        self.method = method
        self.headers = headers
        self.bodyFile = bodyFile
    }

    /// Why a text is no request, with the option that says so.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    /// Whether they are requests of any kind, in place of batches of URIs.
    package var isPlain: Bool { method != nil || bodyFile != nil }

    /// Reads the body and looks the host's name up.
    /// - Throws: ``Problem``
    package func form() throws(Problem) -> RequestForm {
        let url = try url()
        var fields = HTTPFields()
        for header in headers { fields.append(try Self.field(header)) }
        guard isPlain else { return RequestForm(to: url.target, url.addresses, host: url.host, fields: fields) }
        let body: [UInt8]? = if let bodyFile { try Self.contents(of: bodyFile) } else { nil }
        let text = method ?? "POST"
        guard let method = HTTPRequest.Method(text), text.allSatisfy({ $0.isASCII && $0.isUppercase }),
            text != "CONNECT"
        else {
            throw Problem(
                description: "--method: '\(text)' is not a method: use GET, POST, PUT, DELETE, HEAD or another"
            )
        }
        return RequestForm(
            .plain(method, body: body),
            to: url.target,
            url.addresses,
            host: url.host,
            fields: fields
        )
    }

    private func url() throws(Problem) -> TargetURL {
        do {
            return try TargetURL(text: target, defaultPath: isPlain ? "/" : Endpoint.path)
        } catch {
            throw Problem(description: "--target: \(error)")
        }
    }

    private static func field(_ text: String) throws(Problem) -> HTTPField {
        let sides = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, let name = HTTPField.Name(String(sides[0])),
            sides[1].utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 })
        else {
            throw Problem(
                description:
                    "--header: '\(text.filter { !$0.isNewline })' is not a header field: write it as 'Name: value'"
            )
        }
        // They say where the request ends.
        guard !["content-length", "transfer-encoding", "connection"].contains(name.canonicalName) else {
            throw Problem(description: "--header: \(name) is set by the load itself; leave it out")
        }
        return HTTPField(name: name, value: String(sides[1].drop { $0 == " " || $0 == "\t" }))
    }

    private static func contents(of path: String) throws(Problem) -> [UInt8] {
        do {
            return try InputFile.contents(of: path, upTo: largestBody)
        } catch {
            throw Problem(description: "--body-file: cannot \(error)")
        }
    }
}
