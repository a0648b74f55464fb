import Foundation
import Glibc
import Testing

extension BrokerTests {
    /// docs/access.md, as it stands there: an engineer asks, security and legal sign with plain openssl, he reads one
    /// secret, and the auditor verifies a copy of the log without the home.
    @Suite struct WalkthroughTests {
        /// It has file systems of its own, which root in a container may not make.
        private static let mayMount =
            (try? Child(
                "/usr/bin/unshare",
                ["--mount", "--pid", "--fork", "--mount-proc", "--propagation", "private", "/bin/true"],
                environment: [:]
            )
            .wait().code) == 0

        @Test(.enabled(if: mayMount, "NOT RUN: this process may not mount, so docs/access.md was not run"))
        func theDocumentIsTrue() throws {
            let script = Python.package + "/Tests/interop/access_walkthrough.sh"
            let outcome = try Child(
                "/bin/bash", [script, Keyroll.binary, Python.package + "/docs/access.md"],
                environment: ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
            ).wait()
            #expect(outcome.code == 0, "\(outcome.errors.suffix(2000))")
            #expect(outcome.text.contains("hunter2"))
            #expect(outcome.text.contains("follow one another"))
            #expect(outcome.errors.contains("'erin' is not reader of group mail"))
        }
    }
}
