import Envelopes
import Files
import Foundation
import Home
import KeyManagement
import Keyroll
import Protection
import Rotation
import SecretStores
import Testing

/// What an application sees.
@Suite struct KeyGroupTests {
    private func text(_ group: KeyGroup, _ name: String, context: String? = nil) throws -> String {
        try group.get(name, context: context) { String(decoding: $0, as: UTF8.self) }
    }

    private func put(_ group: KeyGroup, _ name: String, _ text: String, replacing: Bool = false) throws {
        try group.put(name, Array(text.utf8), replacing: replacing)
    }

    @Test(arguments: TestHome.Kind.allCases) func putGetRemoveRename(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let group = KeyGroup(home.home)
            try put(group, "a", "first")
            #expect(try text(group, "a") == "first")
            #expect(storeCode { try put(group, "a", "second") } == .exists)
            #expect(try text(group, "a") == "first")
            try put(group, "a", "second", replacing: true)
            try group.rename("a", to: "b")
            #expect(storeCode { _ = try text(group, "a") } == .noSuchSecret)
            #expect(try text(group, "b") == "second")
            try group.put("a", [])
            #expect(try group.get("a") { $0.count } == 0)
            #expect(storeCode { try group.rename("a", to: "b") } == .exists)
            try group.remove("b")
            #expect(storeCode { try group.remove("b") } == .noSuchSecret)
            #expect(storeCode { try group.rename("b", to: "c") } == .noSuchSecret)
        }
    }

    @Test(arguments: TestHome.Kind.allCases) func contexts(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let group = KeyGroup(home.home)
            try group.put("a", [1], context: "tenant 9")
            #expect(try group.get("a") { Array($0) } == [1])
            #expect(try group.get("a", context: "tenant 9") { Array($0) } == [1])
            #expect(throws: SecretCipher.Failure.self) { try group.get("a", context: "tenant 8") { _ in } }
            try group.rename("a", to: "b")
            #expect(try group.get("b", context: "tenant 9") { Array($0) } == [1])
            try group.put("none", [1])
            #expect(throws: SecretCipher.Failure.self) { try group.get("none", context: "") { _ in } }
        }
    }

    @Test(arguments: TestHome.Kind.allCases) func whatIsNotAccepted(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let group = KeyGroup(home.home)
            let long = String(repeating: "ü", count: 512)
            for name in ["", long + "x", "nul\u{0}"] {
                #expect(storeCode { try group.put(name, [1]) } == .notAccepted)
            }
            try group.put(long, [1])
            #expect(storeCode { try group.rename(long, to: "") } == .notAccepted)
            let context = String(repeating: "c", count: StoreLimits.context)
            #expect(storeCode { try group.put("a", [1], context: context + "c") } == .notAccepted)
            try group.put("a", [1], context: context)
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: StoreLimits.plaintext + 1, alignment: 4096)
            defer { memory.deallocate() }
            #expect(storeCode { try group.put("b", UnsafeRawBufferPointer(memory)) } == .notAccepted)
            #expect(try home.store.census().total == 2)
        }
    }

    /// The application holds the ring from before the roll: the fence refuses it, it reads again, and succeeds.
    @Test(arguments: TestHome.Kind.allCases) func writesWithAnOldRing(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let application = try home.again()
            let group = KeyGroup(application)
            try put(group, "before", "1")
            try put(group, "other", "2")
            try home.roll()
            #expect(application.keeper.keyring.ring.active?.number == 1)
            try put(group, "after", "3")
            #expect(application.keeper.keyring.ring.active?.number == 2)
            #expect(try home.store.secret(named: Array("after".utf8))?.birth == 2)
            try home.roll()
            try put(group, "before", "4", replacing: true)
            try home.roll()
            try group.rename("other", to: "renamed")
            #expect(try home.store.census().counts == [2: 1, 3: 1, 4: 1])
            let fresh = KeyGroup(try home.again())
            #expect(try text(fresh, "after") == "3" && text(fresh, "before") == "4" && text(fresh, "renamed") == "2")
        }
    }

    /// What an old ring would protect never reaches the store.
    @Test(arguments: TestHome.Kind.allCases) func theFenceItselfRefuses(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let application = try home.again()
            try home.roll()
            let refusal = storeCode {
                try SecretCipher.protect(
                    UnsafeRawBufferPointer(start: nil, count: 0), name: [0x61], context: nil, contentType: .bytes,
                    keyring: application.keeper.keyring
                ) { pending, mark in
                    _ = try withUnsafePointer(to: pending) {
                        try application.store.write(UnsafeBufferPointer(start: $0, count: 1), under: mark) { _, _ in
                            .replace
                        }
                    }
                }
            }
            #expect(refusal == .fenced(fence: 2))
            #expect(try home.store.census().total == 0)
        }
    }

    /// A reader with the old ring finds what was written and rewrapped under a new generation.
    @Test(arguments: TestHome.Kind.allCases) func readsWithAnOldRing(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let reader = KeyGroup(try home.again())
            try put(KeyGroup(home.home), "old", "1")
            try home.roll()
            try put(KeyGroup(home.home), "new", "2")
            #expect(try text(reader, "new") == "2")
            let other = KeyGroup(try home.again())
            try home.roll()
            _ = try home.rewrap()
            #expect(try text(other, "old") == "1")
            #expect(try text(reader, "new") == "2")
        }
    }

    /// A reader that read the ring when the generation was published and not active yet.
    @Test(arguments: TestHome.Kind.allCases) func readsWithARingFromBeforeTheActivation(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            try put(KeyGroup(home.home), "a", "1")
            let number = try home.home.publish(reason: "")
            let reader = KeyGroup(try home.again())
            try home.keeper.update { try $0.activate(number, at: .now, reason: "") }
            try put(KeyGroup(home.home), "b", "2")
            #expect(try text(reader, "b") == "2")
        }
    }

    @Test(arguments: TestHome.Kind.allCases) func damageIsOneAnswer(kind: TestHome.Kind) throws {
        try TestHome.run(on: kind) { home in
            let group = KeyGroup(home.home)
            for name in ["a", "b", "c"] { try put(group, name, "x") }
            try home.flipWrappedKey("a")
            try home.alterBody("b") { $0[$0.count - 1] ^= 1 }
            try home.setGeneration(9, of: "c")
            func reason(_ name: String) -> FailureReason? {
                do { _ = try text(group, name) } catch { return (error as? SecretCipher.Failure)?.reason }
                return nil
            }
            #expect(reason("a") == .integrityCheckFailed)
            #expect(reason("b") == .integrityCheckFailed)
            // "Not here yet" is not tampering.
            #expect(reason("c") == .keyAbsent)
        }
    }
}
