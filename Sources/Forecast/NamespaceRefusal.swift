internal import Glibc
internal import KernelProbe

/// Why nobody makes a network namespace here, by what is known of the machine, and what lifts it.
package struct NamespaceRefusal: Sendable, Equatable {
    package var isRoot: Bool
    /// In an image's container, whose network is its own unless it was started with the host's.
    package var isContainer: Bool
    /// kernel.apparmor_restrict_unprivileged_userns is 1, as on Ubuntu 24.04 and later.
    package var isRestrictedByAppArmor: Bool
    /// kernel.unprivileged_userns_clone is 0, as on Debian 10 and before.
    package var isSwitchedOff: Bool
    /// user.max_user_namespaces is 0.
    package var isLimitedToNone: Bool

    package init(
        isRoot: Bool,
        isContainer: Bool = false,
        isRestrictedByAppArmor: Bool = false,
        isSwitchedOff: Bool = false,
        isLimitedToNone: Bool = false
    ) {
        self.isRoot = isRoot
        self.isContainer = isContainer
        self.isRestrictedByAppArmor = isRestrictedByAppArmor
        self.isSwitchedOff = isSwitchedOff
        self.isLimitedToNone = isLimitedToNone
    }

    /// As this machine says it.
    package static var here: NamespaceRefusal {
        func isSet(_ name: String, to value: String) -> Bool {
            (try? Sysctl.read(name))?.prefix(while: \.isNumber) == value[...]
        }
        return NamespaceRefusal(
            isRoot: geteuid() == 0,
            isContainer: isInContainer,
            isRestrictedByAppArmor: isSet("kernel.apparmor_restrict_unprivileged_userns", to: "1"),
            isSwitchedOff: isSet("kernel.unprivileged_userns_clone", to: "0"),
            isLimitedToNone: isSet("user.max_user_namespaces", to: "0")
        )
    }

    /// Docker and Podman leave a file in the root, Kubernetes a variable in the environment.
    package static var isInContainer: Bool {
        let files: [String] = ["/.dockerenv", "/run/.containerenv"]
        return files.contains { access($0, F_OK) == 0 }
            || getenv("KUBERNETES_SERVICE_HOST") != nil
    }

    /// What refuses, in a few words.
    package var reason: String {
        if isContainer { return "not permitted in this container" }
        if isRoot { return "not permitted" }
        if isRestrictedByAppArmor {
            return "not permitted: Ubuntu's AppArmor restriction on user namespaces "
                + "(kernel.apparmor_restrict_unprivileged_userns=1)"
        }
        if isSwitchedOff { return "not permitted (kernel.unprivileged_userns_clone=0)" }
        if isLimitedToNone { return "not permitted (user.max_user_namespaces=0)" }
        return "not permitted"
    }

    /// What to do about it.
    package var advice: String {
        if isContainer {
            return "use --host-network: the container's network is its own, unless it was started with --network host; "
                + "or start it with --privileged"
        }
        if isRoot { return "use --host-network; a seccomp filter or a security module refuses unshare(2) to root" }
        if isRestrictedByAppArmor {
            return
                "install the Debian package, whose profile lifts it for spiral alone (else copy scripts/packaging/apparmor "
                + "to /etc/apparmor.d/spiral, with this program's path, and 'sudo apparmor_parser -r /etc/apparmor.d/spiral'); or run it "
                + "as root, or use --host-network"
        }
        if isSwitchedOff {
            return "run it as root, 'sudo sysctl kernel.unprivileged_userns_clone=1', or use --host-network"
        }
        if isLimitedToNone {
            return "run it as root, 'sudo sysctl user.max_user_namespaces=1000', or use --host-network"
        }
        return
            "run it as root, or use --host-network; a seccomp filter or a security module refuses user namespaces here"
    }
}
