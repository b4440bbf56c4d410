internal import ArgumentParser
internal import LoadGenerator
internal import POSIX

/// Where requests go, and what they look like.
struct RequestOptions: ParsableArguments {
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

    private var text: RequestText {
        RequestText(target: target, method: method, headers: headers, bodyFile: bodyFile)
    }

    var isPlain: Bool { text.isPlain }

    /// - Parameter family: of the addresses connections come from; nil where the kernel chooses.
    func form(from family: IPAddress.Family?) throws -> RequestForm {
        var form: RequestForm
        do {
            form = try text.form()
        } catch {
            throw ValidationError("\(error)")
        }
        if let family, !form.keep(family) {
            let (one, other) = family == .ipv4 ? ("IPv4", "IPv6") : ("IPv6", "IPv4")
            throw ValidationError("--source: it is of \(one), and --target \(target) has addresses of \(other) only")
        }
        return form
    }
}
