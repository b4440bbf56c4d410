internal import ArgumentParser
internal import Commands
internal import HTTP
internal import HTTPTypes
internal import LoadGenerator
internal import POSIX
internal import PostRecords

/// Where requests go, and what they look like.
struct RequestOptions: ParsableArguments {
    /// Bytes of a body out of a file.
    private static let largestBody = 64 << 20

    @Option(
        help: ArgumentHelp(
            "The server; with a path it is asked there in place of GetPostRecords' own.",
            valueName: "url"
        )
    )
    var target = "http://127.0.0.1:8080"

    @Option(
        help: ArgumentHelp(
            "Send plain requests in place of batches of URIs: GET, POST or another method. Of their answers status, size "
                + "and time count, and 2xx is success.",
            valueName: "method"
        )
    )
    var method: String?

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp(
            "A header field, as in 'Authorization: Bearer x'; repeat it for several.",
            valueName: "field"
        )
    )
    var headers: [String] = []

    @Option(help: ArgumentHelp("The body of plain requests, out of a file.", valueName: "path"))
    var bodyFile: String?

    var isPlain: Bool { method != nil || bodyFile != nil }

    func form() throws -> RequestForm {
        let url = try readOption("--target", target) {
            try TargetURL(text: $0, defaultPath: isPlain ? "/" : Endpoint.path)
        }
        var fields = HTTPFields()
        for header in headers { fields.append(try Self.field(header)) }
        guard isPlain else { return RequestForm(to: url.target, host: url.host, fields: fields) }
        let body = try bodyFile.map { try Self.contents(of: $0) }
        let text = method ?? "POST"
        guard let method = HTTPRequest.Method(text), text.allSatisfy({ $0.isASCII && $0.isUppercase }),
            text != "CONNECT"
        else {
            throw ValidationError("--method: '\(text)' is not a method: use GET, POST, PUT, DELETE, HEAD or another")
        }
        return RequestForm(.plain(method, body: body), to: url.target, host: url.host, fields: fields)
    }

    private static func field(_ text: String) throws -> HTTPField {
        let sides = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, let name = HTTPField.Name(String(sides[0])),
            sides[1].utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 })
        else {
            throw ValidationError("--header: '\(text)' is not a header field: write it as 'Name: value'")
        }
        // They say where the request ends.
        guard !["content-length", "transfer-encoding", "connection"].contains(name.canonicalName) else {
            throw ValidationError("--header: \(name) is set by spiral-load itself; leave it out")
        }
        return HTTPField(name: name, value: String(sides[1].drop { $0 == " " || $0 == "\t" }))
    }

    private static func contents(of path: String) throws -> [UInt8] {
        do {
            return try Descriptor.reading(path).readToEnd(upTo: largestBody)
        } catch  where error.name == "EFBIG" {
            throw ValidationError("--body-file: \(path) has more than \(largestBody >> 20) MiB")
        } catch {
            throw ValidationError("--body-file: cannot \(error)")
        }
    }
}
