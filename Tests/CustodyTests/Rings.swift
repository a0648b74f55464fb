import Cryptography
import Files
import KeyManagement

/// Rings as values, for the tables.
enum Rings {
    /// A moment, days after some day.
    static func day(_ days: Int64) -> Timestamp { Timestamp(rawValue: 1_760_000_000 + days * 86400) }

    /// A generation that came into these states, one each day; it has a key, so that it is on line.
    static func generation(_ number: UInt32, _ states: GenerationState...) throws -> RebuiltGeneration {
        let key = try Random.key()
        let checkValue = try KeyCheckValue.of(key)
        let history = ([.preActivation] + states).enumerated().map { index, state in
            Generation.Transition(
                state: state, at: day(Int64(index)), sequence: UInt64(index + 1), reason: "a test")
        }
        return RebuiltGeneration(
            number: number, identity: try Identity.random(), checkValue: checkValue, history: history,
            key: RecipientEnvelope.SharedKey(key), escrow: escrow(), restoration: nil)
    }

    static let recipientFingerprint = [UInt8](repeating: 9, count: 32)

    static func escrow(for recipients: [[UInt8]] = [], rehearsed: Timestamp? = nil) -> Escrow {
        Escrow(
            file: "test-g1.keyroll.tar.zst", digest: [UInt8](repeating: 0, count: 32), written: day(0),
            recipients: recipients, rehearsed: rehearsed)
    }

    static func policy(
        soak: Int64 = 0, keep: Int = 0, rehearsal: Int64 = 30 * 86400
    ) -> Policy {
        Policy(
            cryptoperiod: 90 * 86400, propagationDelay: 0, soakTime: soak, keepDeactivated: keep,
            rehearsalPeriod: rehearsal)
    }

    static func ring(_ generations: [RebuiltGeneration], _ policy: Policy = policy()) throws -> Ring {
        var ring = try RingKeeper.scratch(group: Identity.random(), generations: generations).keyring.ring
        ring.adopt(policy)
        return ring
    }

    /// Generation 1 in a state that may be retired, empty since day 10, in a bundle that a proven recipient opens;
    /// generation 2 is active.
    static func retirable(
        _ policy: Policy = policy(), compromised: Bool = false, proven: Bool = true
    ) throws -> Ring {
        let first =
            try compromised
            ? generation(1, .active, .deactivated, .compromised) : generation(1, .active, .deactivated)
        var ring = try ring([first, generation(2, .active)], policy)
        try ring.noteEmpty(1, since: day(10))
        let fingerprint = try addRecipient("recovery", to: &ring, proven: proven)
        for number: UInt32 in 1...2 { try ring.note(escrow(for: [fingerprint]), of: number) }
        return ring
    }

    /// - Returns: its fingerprint.
    @discardableResult
    static func addRecipient(_ name: String, to ring: inout Ring, proven: Bool) throws -> [UInt8] {
        let certificate = try Certificate.selfSigned(
            PrivateKey.generate(), name: name, usage: .recovery, from: day(0).rawValue, years: 1)
        let recipient = try Recipient(name, certificate: certificate, at: day(0))
        try ring.add(recipient)
        if proven {
            try ring.challenge(name, expecting: [1, 2, 3])
            try ring.prove(name, answer: [1, 2, 3], at: day(1))
        }
        return recipient.fingerprint
    }

    static func copy(
        _ secrets: [UInt32: Int64]?, keepUntil: Timestamp? = nil, keys: [UInt32] = []
    ) throws -> RegisteredCopy {
        RegisteredCopy(
            identity: try Identity.random(), kind: "store", place: "/elsewhere", at: day(0), keepUntil: keepUntil,
            secrets: secrets, hasRootKey: false, keys: keys)
    }
}

/// The code of the error that `body` throws; nil where it throws another one or none.
func code(of body: () throws -> Void) -> KeyManagementError.Code? {
    do { try body() } catch { return (error as? KeyManagementError)?.code }
    return nil
}
