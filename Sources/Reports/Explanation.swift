import Files
public import Home
import KeyManagement
import Protection
import SecretStores

/// Where a secret stands, and why; its plaintext is opened to see whether it can be, and thrown away.
public struct Explanation: Sendable {
    /// Lines for people.
    public var lines: [String]
    /// Whether it opens.
    public var opens: Bool

    /// - Throws: `StoreError` with `noSuchSecret`, `HomeError` with `unreachable`.
    public init(_ name: String, _ home: Home) throws {
        let ring = home.keeper.keyring.ring
        let (store, secret) = try home.find(name)
        let active = ring.active?.number ?? 0
        var lines = [
            "secret: \(name)",
            "store: \(store.place), key page \(secret.place.page), slot \(secret.place.slot)",
            "birth generation: \(secret.birth) (its data key was made under it; a rewrap does not change that)",
        ]
        let present = secret.generation
        if let generation = ring.generation(present) {
            lines.append("generation: \(present) (\(generation.state.rawValue)), kid \(ring.group)/\(present)")
            if generation.isArchived, generation.restoration?.isOver() != false {
                lines.append(
                    "that generation is archived: its key is in its bundle only; run: keyroll archive restore --generation \(present)"
                )
            } else if present == active {
                lines.append("it is where it should be: under the active generation")
            } else if let quarantined = try store.quarantined(name) {
                lines.append(
                    "it is quarantined since \(quarantined.firstSeen) (\(quarantined.reason.rawValue)); run: keyroll quarantine retry"
                )
            } else {
                lines.append("generation \(active) is active; the next keyroll rotate moves it there")
            }
        } else {
            lines.append("generation: \(present), which this ring does not have (not here yet, or archived)")
        }
        lines.append(
            "context: \(secret.context.map { "\($0.count) bytes" } ?? "none"); message: \(secret.body.count) bytes")
        do {
            let length = try SecretCipher.unprotect(secret, group: ring.group, keys: KeySource(home.keeper)) {
                plaintext, _ in
                plaintext.count
            }
            lines.append("it opens: \(length) bytes")
            opens = true
        } catch let failure as SecretCipher.Failure {
            lines.append("it does NOT open: \(failure.reason.rawValue)")
            opens = false
        }
        self.lines = lines
    }
}
