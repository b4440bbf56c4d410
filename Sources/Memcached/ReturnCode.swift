internal import CMemcached

/// A libmemcached return code under its C name. Matches in `switch` and `catch` as a value.
package struct ReturnCode: Sendable, Hashable, CustomStringConvertible {
    package var rawValue: UInt32

    init(_ code: memcached_return_t) {
        rawValue = code.rawValue
    }

    // Named as in libmemcached-1.0/types/return.h, without the common prefix.
    package static let success = ReturnCode(MEMCACHED_SUCCESS)
    package static let notFound = ReturnCode(MEMCACHED_NOTFOUND)
    package static let error = ReturnCode(MEMCACHED_ERROR)
    package static let serverError = ReturnCode(MEMCACHED_SERVER_ERROR)
    package static let clientError = ReturnCode(MEMCACHED_CLIENT_ERROR)
    package static let protocolError = ReturnCode(MEMCACHED_PROTOCOL_ERROR)
    package static let tooBig = ReturnCode(MEMCACHED_E2BIG)
    package static let notStored = ReturnCode(MEMCACHED_NOTSTORED)
    package static let dataExists = ReturnCode(MEMCACHED_DATA_EXISTS)
    package static let timeout = ReturnCode(MEMCACHED_TIMEOUT)
    package static let connectionFailure = ReturnCode(MEMCACHED_CONNECTION_FAILURE)
    package static let unknownReadFailure = ReturnCode(MEMCACHED_UNKNOWN_READ_FAILURE)
    package static let buffered = ReturnCode(MEMCACHED_BUFFERED)
    package static let errno = ReturnCode(MEMCACHED_ERRNO)

    private static let names: [ReturnCode: String] = [
        success: "MEMCACHED_SUCCESS",
        notFound: "MEMCACHED_NOTFOUND",
        error: "MEMCACHED_ERROR",
        serverError: "MEMCACHED_SERVER_ERROR",
        clientError: "MEMCACHED_CLIENT_ERROR",
        protocolError: "MEMCACHED_PROTOCOL_ERROR",
        tooBig: "MEMCACHED_E2BIG",
        notStored: "MEMCACHED_NOTSTORED",
        dataExists: "MEMCACHED_DATA_EXISTS",
        timeout: "MEMCACHED_TIMEOUT",
        connectionFailure: "MEMCACHED_CONNECTION_FAILURE",
        unknownReadFailure: "MEMCACHED_UNKNOWN_READ_FAILURE",
        buffered: "MEMCACHED_BUFFERED",
        errno: "MEMCACHED_ERRNO",
    ]

    /// The C name where Spiral uses it, `MEMCACHED_RETURN_n` otherwise.
    package var description: String { Self.names[self] ?? "MEMCACHED_RETURN_\(rawValue)" }

    /// What libmemcached says about the code, without the addresses it adds to messages of its own.
    package var text: String {
        String(cString: memcached_strerror(nil, memcached_return_t(rawValue: rawValue)))
    }
}
