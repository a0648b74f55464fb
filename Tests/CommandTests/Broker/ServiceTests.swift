import Access
import BrokerWire
import Foundation
import Glibc
import Keyroll
import Protection
import SecretStores
import Synchronization
import Testing

extension BrokerTests {
    /// The broker as a service: jobs, its end, its start, a log that cannot be written.
    @Suite struct ServiceTests {
        private func put(_ home: BrokerHome, _ name: String, _ bytes: [UInt8]) throws {
            let answer = try RawClient(home.socket).ask(
                .protect(name: name, context: nil, store: nil, replacing: true), bytes)
            #expect(answer?.response == .done)
        }

        /// Runs `body` in so many threads at once.
        private func parallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
            DispatchQueue.concurrentPerform(iterations: count, execute: body)
        }

        @Test func killedUnderLoadNoReadIsMissingFromTheLog() throws {
            let home = try BrokerHome(.servingRoot)
            for index in 0..<8 { try put(home, "s\(index)", [UInt8(index)]) }
            var got = 0
            for _ in 0..<8 {
                let before = try home.entries(mayBeTorn: true).filter { $0.kind == "unprotect" }.count
                let reads = Mutex(0)
                let isOver = Atomic<Bool>(false)
                let socket = home.socket
                let threads = (0..<4).map { number in
                    let done = DispatchSemaphore(value: 0)
                    Thread.detachNewThread {
                        let group = KeyGroup(broker: socket)
                        while !isOver.load(ordering: .relaxed) {
                            guard (try? group.get("s\(number)") { Array($0) }) == [UInt8(number)] else { break }
                            reads.withLock { $0 += 1 }
                        }
                        done.signal()
                    }
                    return done
                }
                usleep(.random(in: 50_000...250_000))
                try home.kill()
                isOver.store(true, ordering: .relaxed)
                for thread in threads { thread.wait() }
                let logged = try home.entries(mayBeTorn: true).filter { $0.kind == "unprotect" }.count - before
                let noted = reads.withLock { $0 }
                #expect(logged >= noted && logged <= noted + 4, "\(noted) reads, \(logged) in the log")
                got += noted
                // On the same socket, which is still there.
                try home.start()
                _ = try home.entries()
            }
            #expect(got > 100, "\(got)")
        }

        @Test func aRotationWhileOthersReadAndWrite() throws {
            let home = try BrokerHome(.servingRoot)
            for index in 0..<200 { try put(home, "s\(index)", [UInt8(index)]) }
            let isOver = Atomic<Bool>(false)
            let failures = Mutex<[String]>([])
            let served = Mutex(0)
            let socket = home.socket
            let threads = (0..<2).map { number in
                let done = DispatchSemaphore(value: 0)
                Thread.detachNewThread {
                    let group = KeyGroup(broker: socket)
                    var turn = 0
                    while !isOver.load(ordering: .relaxed) {
                        turn = (turn + 1) % 200
                        do {
                            if try group.get("s\(turn)", use: { Array($0) }) != [UInt8(turn)] {
                                failures.withLock { $0.append("another secret") }
                            }
                            try group.put("s\(turn)", [UInt8(turn)], replacing: true)
                            served.withLock { $0 += 1 }
                        } catch { failures.withLock { $0.append("\(error)") } }
                    }
                    done.signal()
                }
                return done
            }
            for generation in 2...4 {
                try home(.operator, "rotate", "--force")
                // At once: what is stored from now on is under the new one.
                try put(home, "new-\(generation)", [1])
                #expect(try home(.operator, "explain", "new-\(generation)").text.contains("\(generation)"))
            }
            isOver.store(true, ordering: .relaxed)
            for thread in threads { thread.wait() }
            #expect(failures.withLock { $0 } == [])
            #expect(served.withLock { $0 } > 50)
            try home(.operator, "rotate")
            #expect(try (home(.operator, "status", "--json").decoded() as Census).counts == [4: 203])
        }

        /// A home with a rotation that takes a while.
        private func rotating(_ home: BrokerHome) throws -> Child {
            let file = try home.write("accounts.jsonl", Secrets.accounts(20_000))
            try home.direct("import", file)
            let child = try home.start(.operator, ["rotate", "--force", "--max-rate", "4000", "--workers", "1"])
            let end = Date().addingTimeInterval(30)
            while Date() < end {
                let census: Census = try home.run(.operator, ["status", "--json"]).decoded()
                if census.counts[2] ?? 0 > 0 { break }
                usleep(50_000)
            }
            #expect(child.isRunning)
            return child
        }

        @Test func theAskingClientIsInterrupted() throws {
            let home = try BrokerHome()
            let child = try rotating(home)
            child.signal(SIGINT)
            let outcome = child.wait()
            #expect(outcome.code == 75, "\(outcome.errors)")
            let census: Census = try home.run(.operator, ["status", "--json"]).decoded()
            #expect(census.counts[1] ?? 0 > 0 && census.counts[2] ?? 0 > 0, "\(census.counts)")
            try home(.operator, "rotate")
            #expect(try (home.run(.operator, ["status", "--json"]).decoded() as Census).counts == [2: 20_000])
        }

        @Test func theAskingClientIsKilled() throws {
            let home = try BrokerHome()
            let child = try rotating(home)
            child.signal(SIGKILL)
            _ = child.wait()
            let end = Date().addingTimeInterval(40)
            var counts: [Int: Int] = [:]
            while counts != [2: 20_000], Date() < end {
                usleep(300_000)
                counts = try (home.run(.operator, ["status", "--json"]).decoded() as Census).counts
            }
            #expect(counts == [2: 20_000])
            usleep(500_000)
            try home.expectLogged("job", "done", by: .operator)
        }

        /// A large answer that is being read, and a job: the one is served in full, the other ends after its batch.
        @Test func sigtermDrains() throws {
            var policy = TestPolicy.servingRoot
            policy.groups = [:]
            let home = try BrokerHome(policy)
            let large = (0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0) }
            try put(home, "large", large)
            try home.direct("rm", "large")
            let child = try rotating(home)
            try put(home, "large", large)
            let client = try RawClient(home.socket)
            try client.send(.unprotect(name: "large", context: nil, store: nil))
            let start = try client.receive(1000)
            let broker = try home.broker
            broker.signal(SIGTERM)
            usleep(1_500_000)
            let rest = try client.receive((16 << 20) + 100)
            let bytes = start + rest
            #expect(bytes.count > 16 << 20 && bytes.suffix(16 << 20).elementsEqual(large), "\(bytes.count)")
            let job = child.wait()
            #expect(job.code == 75, "\(job.errors)")
            let outcome = broker.wait(atMost: 60)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(!FileManager.default.fileExists(atPath: home.socket))
            try home.expectLogged("brokerStop", "done")
            try home.start()
            try home(.operator, "rotate")
            #expect(try (home.run(.operator, ["status", "--json"]).decoded() as Census).counts == [2: 20_001])
        }

        @Test(.enabled(if: SmallDisk.canMount, "NOT RUN: mounting a small disk takes root and the right to mount"))
        func aLogThatCannotBeWritten() throws {
            let home = try BrokerHome(.servingRoot, isServed: false)
            let disk = try SmallDisk(kibibytes: 1024)
            // The log moves to a disk of its own.
            let folder = home.path + "/audit"
            let moved = try Child(
                "/bin/sh",
                ["-c", "cp -a \(folder)/. \(disk.path)/ && rm -rf \(folder) && ln -s \(disk.path) \(folder)"],
                environment: ["PATH": "/usr/bin:/bin"]
            ).wait()
            try #require(moved.code == 0)
            unlink(folder)
            try #require(mkdir(folder, 0o700) == 0 && chown(folder, TestUser.broker.uid, TestUser.broker.gid) == 0)
            let bound = try Child("/bin/mount", ["--bind", disk.path, folder], environment: ["PATH": "/usr/bin:/bin"])
                .wait()
            try #require(bound.code == 0, "\(bound.errors)")
            defer { umount2(folder, Int32(MNT_DETACH)) }
            chown(folder, TestUser.broker.uid, TestUser.broker.gid)
            chmod(folder, 0o700)
            try home.start()
            try put(home, "one", [1])
            let ballast = try disk.fill(leaving: 0)
            let client = try RawClient(home.socket)
            // Until the last page of the log is full, too.
            var reads = 0
            while reads < 200, try client.read("one") != nil { reads += 1 }
            #expect(reads < 200)
            for _ in 0..<3 {
                let failure = try #require(try client.failure(.unprotect(name: "one", context: nil, store: nil)))
                #expect(failure.exit == 74, "\(failure)")
                let stored = try client.failure(
                    .protect(name: "two", context: nil, store: nil, replacing: false), [2])
                #expect(stored?.exit == 74)
            }
            try FileManager.default.removeItem(atPath: ballast)
            #expect(try client.read("one") == [1])
            #expect(try client.failure(.unprotect(name: "two", context: nil, store: nil))?.kind == "store.noSuchSecret")
            try put(home, "two", [2])
            _ = try home.stop()
            _ = try home.entries()
        }

        /// The same face and the same errors as with a home.
        @Test func theLibrary() throws {
            let home = try BrokerHome(.servingRoot)
            let group = try KeyGroup.open(broker: home.socket)
            try group.put("a", Array("x".utf8), context: "c")
            #expect(try group.get("a", context: "c") { Array($0) } == Array("x".utf8))
            #expect { try group.put("a", [1]) } throws: { ($0 as? StoreError)?.code == .exists }
            #expect { try group.get("none") { _ in } } throws: { ($0 as? StoreError)?.code == .noSuchSecret }
            #expect { try group.remove("none") } throws: { ($0 as? StoreError)?.code == .noSuchSecret }
            #expect { try group.get("a", context: "d") { _ in } } throws: {
                ($0 as? SecretCipher.Failure)?.reason == .integrityCheckFailed
            }
            try group.rename("a", to: "b")
            try group.put("a", [])
            #expect { try group.rename("a", to: "b") } throws: { ($0 as? StoreError)?.code == .exists }
            #expect(try group.get("a") { $0.count } == 0)
            let damage = try Child(
                "/usr/bin/env",
                ["python3", "\(Python.package)/Tests/interop/damage.py", home.path, "flip-content", "b"],
                environment: ["PATH": "/usr/bin:/bin"]
            ).wait()
            try #require(damage.code == 0, "\(damage.errors)")
            #expect { try group.get("b") { _ in } } throws: {
                let failure = $0 as? SecretCipher.Failure
                return failure?.reason == .integrityCheckFailed && failure?.name == "b" && failure?.generation == 1
            }
            let failures = Mutex<[String]>([])
            parallel(8) { number in
                for turn in 0..<100 {
                    do {
                        try group.put("t\(number)", [UInt8(number), UInt8(turn)], replacing: true)
                        if try group.get("t\(number)", use: { Array($0) }) != [UInt8(number), UInt8(turn)] {
                            failures.withLock { $0.append("another secret") }
                        }
                    } catch { failures.withLock { $0.append("\(error)") } }
                }
            }
            #expect(failures.withLock { $0 } == [])
            // It goes on with a broker that was started anew.
            try home.restart()
            #expect(try group.get("t1") { Array($0) } == [1, 99])
            try home.install(home.policy.next { $0.users["reader"] = nil })
            sleep(2)
            #expect { try group.get("t1") { _ in } } throws: { ($0 as? AccessError)?.code == .refused }
            _ = try home.stop()
            #expect { try group.get("t1") { _ in } } throws: { ($0 as? BrokerError)?.code == .unreachable }
        }

        @Test(
            .enabled(if: access("/usr/bin/systemd-socket-activate", X_OK) == 0, "NOT RUN: no systemd-socket-activate"))
        func aSocketThatIsHandedOver() throws {
            let home = try BrokerHome(.servingRoot, isServed: false)
            let words = TestUser.broker.command(
                ["/usr/bin/systemd-socket-activate", "-l", home.socket, try BrokerHome.command.get(), "broker"]
                    + ["--home", home.path])
            let child = try Child(words[0], Array(words.dropFirst()), environment: ["PATH": "/usr/bin:/bin"])
            let end = Date().addingTimeInterval(10)
            while access(home.socket, F_OK) != 0, Date() < end { usleep(20_000) }
            try put(home, "one", [1])
            #expect(try RawClient(home.socket).read("one") == [1])
            child.signal(SIGTERM)
            let outcome = child.wait(atMost: 60)
            #expect(outcome.code == 0, "\(outcome.errors)")
        }

        @Test func aRootKeyOfAPassphrase() throws {
            let home = try BrokerHome(.servingRoot, passphrase: "correct horse battery")
            for index in 0..<5 { try put(home, "s\(index)", [UInt8(index)]) }
            try home(.operator, "rotate", "--force")
            try home(.operator, "verify")
            #expect(try (home(.operator, "status", "--json").decoded() as Census).counts == [2: 5])
            #expect(try RawClient(home.socket).read("s3") == [3])
        }
    }

    /// The signed policy.
    @Suite struct SignedPolicyTests {
        @Test func whatIsNotInstalled() throws {
            let home = try BrokerHome()
            func set(_ files: (document: String, signature: String), _ user: TestUser = .owner) throws -> Outcome {
                try home.run(user, ["access", "policy", "set", files.document, "--signature", files.signature])
            }
            func expect(
                _ outcome: Outcome, _ phrase: String, sourceLocation: SourceLocation = #_sourceLocation
            ) throws {
                #expect(outcome.code != 0, sourceLocation: sourceLocation)
                outcome.expectRefusal(phrase, sourceLocation: sourceLocation)
                try home.expectLogged("policy", "refused", sourceLocation: sourceLocation)
            }
            let next = home.policy.next { _ in }
            for signer in ["stranger", "security"] {
                try expect(set(home.write(next, signer: signer)), "signed by nobody whose signature counts")
            }
            // Its own new owner does not count; the present one has to sign.
            let usurped = home.policy.next { $0.owners = ["other-owner"] }
            try expect(set(home.write(usurped, signer: "other-owner")), "signed by nobody whose signature counts")
            try expect(set(home.write(home.policy)), "revision")
            try expect(
                set(home.write(next, identity: "00112233445566778899aabbccddeeff")), "not for this one")
            let good = try home.write(next)
            let other = try home.write(home.policy.next { $0.revision = 9 })
            try expect(set((other.document, good.signature)), "does not fit this text")
            // Nobody but an owner hands one in.
            for user in [TestUser.operator, .service, .security, .outsider] { #expect(try set(good, user).code == 77) }
            let broken = try next.yaml(identity: home.identity).replacing("roles:\n", with: "roles: [\n")
            let file = try home.write("broken.yaml", Data(broken.utf8))
            let outcome = try home.run(.owner, ["access", "policy", "check", file])
            #expect(outcome.code == 78)
            #expect(outcome.errors.contains(/broken.yaml:\d+: is not YAML/), "\(outcome.errors)")
            #expect(try home(.owner, "access", "policy", "show").text == home.policy.yaml(identity: home.identity))
            for form in Signers.Form.allCases {
                let text = home.policy.next { $0.revision = 10 + Signers.Form.allCases.firstIndex(of: form)! }
                let outcome = try set(home.write(text, form))
                #expect(outcome.code == 0, "\(form): \(outcome.errors)")
            }
        }

        @Test(arguments: [false, true]) func aRoleThatIsTakenAway(throughTheBroker: Bool) throws {
            let home = try BrokerHome()
            try home(.service, "put", "one", input: Data("x".utf8))
            let next = home.policy.next { $0.groups["reader"] = nil }
            if throughTheBroker {
                let files = try home.write(next)
                try home(.owner, "access", "policy", "set", files.document, "--signature", files.signature)
            } else {
                #expect(try home.install(next).code == 0)
                usleep(2_500_000)
            }
            try home(.service, "get", "one", exits: 77).expectRefusal("is not reader")
            try home(.service, "put", "two", input: Data("y".utf8))
            try home.expectLogged("policy", "done")
        }
    }
}
