internal import Glibc

/// Descriptors 0, 1 and 2.
package enum StandardStreams {
    /// Gives those that were closed by whoever started this program something to stand for them, so that no socket or
    /// file gets their number and what is printed. Nothing can be read; what is printed to output meets a full disk,
    /// so that a result that was to go there is not lost in silence. null(4), full(4)
    package static func open() {
        for (number, path) in [(0, "/dev/null"), (1, "/dev/full"), (2, "/dev/null")] as [(CInt, String)] {
            // The lowest that is free is the one that is missing. open(2)
            if fcntl(number, F_GETFD) < 0 { _ = Glibc.open(path, O_RDWR) }
        }
    }

    /// The one that a path stands for, which cannot be opened again where it is a socket; nil for any other path.
    package static func number(of path: String) -> CInt? {
        switch path {
        case "/dev/stdout": 1
        case "/dev/stderr": 2
        default: nil
        }
    }
}
