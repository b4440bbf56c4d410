internal import ArgumentParser
internal import LoadGenerator

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

    func form() throws -> RequestForm {
        do {
            return try text.form()
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
