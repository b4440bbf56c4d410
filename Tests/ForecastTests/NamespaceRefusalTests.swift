import Testing

@testable import Forecast

@Suite("Refused namespaces")
struct NamespaceRefusalTests {
    @Test("Ubuntu's AppArmor restriction is named, with the profile that lifts it")
    func appArmor() {
        let refusal = NamespaceRefusal(isRoot: false, isRestrictedByAppArmor: true)
        #expect(refusal.reason.contains("AppArmor"))
        #expect(refusal.reason.contains("kernel.apparmor_restrict_unprivileged_userns=1"))
        #expect(refusal.advice.contains("/etc/apparmor.d/spiral"))
        #expect(refusal.advice.contains("--host-network"))
    }

    @Test("it is no reason for root, and in a container it is the engine that refuses")
    func others() {
        #expect(!NamespaceRefusal(isRoot: true, isRestrictedByAppArmor: true).reason.contains("AppArmor"))
        let contained = NamespaceRefusal(isRoot: false, isContainer: true, isRestrictedByAppArmor: true)
        #expect(contained.reason == "not permitted in this container")
        #expect(contained.advice.contains("the container's network is its own"))
    }

    @Test(
        "each other switch is named with the value it should have",
        arguments: [
            (NamespaceRefusal(isRoot: false, isSwitchedOff: true), "kernel.unprivileged_userns_clone=1"),
            (NamespaceRefusal(isRoot: false, isLimitedToNone: true), "user.max_user_namespaces=1000"),
        ]
    )
    func switches(refusal: NamespaceRefusal, remedy: String) {
        #expect(refusal.advice.contains(remedy))
    }
}
