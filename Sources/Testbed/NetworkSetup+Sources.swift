internal import KernelProbe
package import Memcached
internal import POSIX
internal import Results

extension NetworkSetup {
    /// Makes the addresses that a dialer binds this network's own, where it is a namespace; on the host nothing is changed.
    /// - Throws: ``TestbedError``
    package func makeOwn(_ dialer: Dialer) throws(TestbedError) {
        guard network == .namespace, let address = dialer.sourceToArrange, LocalRoute.has(address) != true else {
            return
        }
        do {
            if case .rotateWithin(let prefix) = dialer {
                try LocalRoute.add(prefix)
            } else {
                try LocalRoute.add(address)
            }
        } catch {
            throw TestbedError("dialer: the addresses of \(dialer) cannot be made the namespace's own (\(error))")
        }
    }
}
