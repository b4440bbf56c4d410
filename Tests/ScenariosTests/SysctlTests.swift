import KernelProbe
import Results
import TestSupport
import Testbed
import Testing

@testable import Scenarios

/// Kernel settings of a run's namespace.
@Suite("Sysctls")
struct SysctlTests {
    private func scenario(_ lines: String, environment: String = "{}") throws -> Scenario {
        try Scenario(
            yaml: """
                scenario: x
                environment: \(environment)
                sysctls: \(lines)
                phases: [{name: p, duration: 1s}]
                """
        )
    }

    @Test("a scenario's settings are read in its order, with the kernel's own texts as values")
    func read() throws {
        let lines =
            #"{net.ipv4.tcp_tw_reuse: 1, net.ipv6.ip_nonlocal_bind: "1", net.ipv4.ip_local_port_range: 1024 65535}"#
        #expect(
            try scenario(lines).setup.sysctls.map(\.description) == [
                "net.ipv4.tcp_tw_reuse=1", "net.ipv6.ip_nonlocal_bind=1", "net.ipv4.ip_local_port_range=1024 65535",
            ]
        )
    }

    @Test(
        "what is no setting of a namespace, or no value, is refused where it stands",
        arguments: [
            ("{net.core.somaxconn: 1}", "net.ipv4."), ("{kernel.panic: 1}", "net.ipv4."),
            ("{vm.swappiness: 1}", "net.ipv4."),
            ("{net.ipv4: 1}", "net.ipv4."), ("{net.ipv4.: 1}", "net.ipv4."), ("{net/ipv4/tcp_mem: 1}", "net.ipv4."),
            ("{net.ipv4.../../../../tmp/x: 1}", "net.ipv4."), ("{net.ipv4.tcp_tw_reuse: \"\"}", "given a value"),
            ("{net.ipv4.tcp_tw_reuse: \"1\\n2\"}", "given a value"),
            ("{net.ipv4.tcp_tw_reuse: [1]}", "should be a text"),
            ("{\"net.ipv4.x\\ny\": 1}", "net.ipv4."), ("[net.ipv4.tcp_tw_reuse]", "should be a mapping"),
        ]
    )
    func refused(lines: String, hint: String) throws {
        let error = #expect(throws: ScenarioProblems.self) { try scenario(lines) }
        let problems = try #require(error).problems
        #expect(problems.count == 1 && problems[0].line == 3)
        #expect(problems[0].message.contains(hint), "\(problems)")
        #expect(!problems[0].message.contains("\n"))
    }

    @Test("what the environment sets under a name of its own is not set twice")
    func twice() throws {
        let error = #expect(throws: ScenarioProblems.self) {
            try scenario("{net.ipv4.ip_local_port_range: 1024 65535}", environment: "{ports: 64}")
        }
        let expected = "environment has ports, which sets net.ipv4.ip_local_port_range too; leave one out"
        #expect(error?.problems.first?.message == expected)
    }

    @Test("they are made in the run's namespace and nowhere else", .requiresNamespaces)
    func made() throws {
        try inNetworkNamespace {
            let name = "net.ipv4.tcp_fin_timeout"
            let before = try Sysctl.read(name)
            let sysctls = try [
                NamespaceSysctl(name, "7"), NamespaceSysctl("net.ipv4.ip_local_port_range", "2000 2099"),
            ]
            let setup = try NetworkNamespace.during {
                let setup = try NetworkSetup(.namespace, portRange: nil, sysctls: sysctls)
                #expect(try Sysctl.read(name) == "7")
                return setup
            }
            #expect(setup.sysctls == [name: "7", "net.ipv4.ip_local_port_range": "2000\t2099"])
            #expect(setup.ports.ports == 100)
            #expect(try Sysctl.read(name) == before)
        }
    }

    @Test(
        "what the kernel does not take is said in one line",
        .requiresNamespaces,
        arguments: [
            ("net.ipv4.no_such_thing", "1", "is not a setting that this kernel has for a namespace"),
            ("net.ipv4.tcp_mem", "1 2 3", "for"), ("net.ipv4.tcp_tw_reuse", "9", "does not take '9'"),
            ("net.ipv4.ip_local_port_range", "9 1", "does not take '9 1'"),
        ]
    )
    func notTaken(name: String, value: String, hint: String) throws {
        try inNetworkNamespace {
            let sysctl = try NamespaceSysctl(name, value)
            let error = #expect(throws: TestbedError.self) {
                try NetworkSetup(.namespace, portRange: nil, sysctls: [sysctl])
            }
            let text = try #require(error).description
            #expect(text.hasPrefix("sysctls: \(name) ") && text.contains(hint), "\(text)")
        }
    }

    @Test("on the machine's own network none is made")
    func host() throws {
        let sysctl = try NamespaceSysctl("net.ipv4.tcp_fin_timeout", "7")
        let error = #expect(throws: TestbedError.self) { try NetworkSetup(.host, portRange: nil, sysctls: [sysctl]) }
        #expect(error?.description.contains("leave out --host-network") == true)
    }
}
