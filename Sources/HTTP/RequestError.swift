package import HTTPTypes

/// A request that cannot be read or taken, and the status it is answered with. The connection closes after it.
package struct RequestError: Error, Equatable {
    package var status: HTTPResponse.Status
    package var message: String

    package init(_ status: HTTPResponse.Status, _ message: String) {
        self.status = status
        self.message = message
    }
}

extension RequestError {
    static func bodyTooLarge(limit: Int) -> RequestError {
        RequestError(.contentTooLarge, "the body is larger than \(limit) bytes; send a smaller batch")
    }
}
