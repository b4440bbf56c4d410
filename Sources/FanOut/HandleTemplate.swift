internal import Memcached

/// A handle the lane copies for each dial, boxed so that it can stand in an array.
final class HandleTemplate {
    let handle: Handle

    init(_ handle: consuming Handle) {
        self.handle = handle
    }
}
