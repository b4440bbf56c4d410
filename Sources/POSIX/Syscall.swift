internal import Glibc

/// What a call on a non-blocking descriptor came to.
package enum IOResult: Equatable {
    case done(Int)
    /// EAGAIN: nothing to read, or no room to write.
    case wouldBlock
}

/// Runs a call until it is not interrupted, and turns -1 into the errno, once for all of Spiral.
/// EBADF and EFAULT are our own mistakes, not the network's, and end the process: a descriptor
/// used after it was closed may by then be somebody else's.
@discardableResult
func systemCall(
    _ call: String,
    on subject: @autoclosure () -> String = "",
    _ body: () -> Int
) throws(SystemCallError) -> Int {
    while true {
        let result = body()
        if result != -1 { return result }
        let error = errno
        if error == EINTR { continue }
        precondition(error != EBADF && error != EFAULT, "\(call): \(SystemCallError.text(of: error))")
        throw SystemCallError(call, on: subject(), errno: error)
    }
}

/// As ``systemCall(_:on:_:)`` for calls that may answer EAGAIN.
func nonBlockingCall(_ call: String, _ body: () -> Int) throws(SystemCallError) -> IOResult {
    do {
        return .done(try systemCall(call, body))
    } catch  where error.errno == EAGAIN {
        return .wouldBlock
    }
}
