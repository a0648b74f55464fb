public import Cryptography
public import Files

/// Who keeps what outside the ring: recipients, bundles, copies, restorations, destructions. All of it pure.
extension Ring {
    /// The recipients that proved that they can open a bundle.
    public var provenRecipients: [Recipient] { recipients.filter { $0.proven != nil } }

    /// The archive key's recipient.
    public var archiveKey: Recipient? {
        recipients.first { if case .archiveKey = $0.kind { true } else { false } }
    }

    /// The proven recipients that can open a generation's bundle.
    public func provenRecipients(of generation: Generation) -> [Recipient] {
        guard let escrow = generation.escrow else { return [] }
        return provenRecipients.filter { escrow.recipients.contains($0.fingerprint) }
    }

    /// The copies that may hold secrets of a generation and are still kept.
    public func copies(needing number: UInt32, at now: Timestamp) -> [RegisteredCopy] {
        copies.filter { $0.needs(number, at: now) }
    }

    /// Adds a recipient.
    ///
    /// - Throws: ``KeyManagementError`` with `exists`.
    public mutating func add(_ recipient: Recipient) throws {
        guard
            !recipients.contains(where: { $0.name == recipient.name || $0.fingerprint == recipient.fingerprint })
        else {
            throw KeyManagementError(
                .exists, "there is a recipient named '\(recipient.name)', or with its certificate, already")
        }
        recipients.append(recipient)
    }

    /// Notes that a recipient was given a challenge, by the SHA-256 of its answer.
    ///
    /// - Throws: ``KeyManagementError`` with `noSuchRecipient`.
    public mutating func challenge(_ name: String, expecting answer: [UInt8]) throws {
        recipients[try index(of: name)].challenge = answer
    }

    /// Notes that a recipient's holder answered.
    ///
    /// - Parameters:
    ///   - name: the recipient.
    ///   - answer: SHA-256 of the answer.
    ///   - moment: now.
    /// - Throws: ``KeyManagementError`` with `noSuchRecipient` or `challengeFailed`.
    public mutating func prove(_ name: String, answer: [UInt8], at moment: Timestamp) throws {
        let index = try index(of: name)
        guard let expected = recipients[index].challenge else {
            throw KeyManagementError(
                .challengeFailed,
                "recipient '\(name)' was given no challenge; run: keyroll archive recipient prove \(name)")
        }
        guard expected == answer else {
            throw KeyManagementError(
                .challengeFailed, "this is not the answer to the challenge of recipient '\(name)'; it is not proven")
        }
        recipients[index].challenge = nil
        recipients[index].proven = moment
    }

    private func index(of name: String) throws -> Int {
        guard let index = recipients.firstIndex(where: { $0.name == name }) else {
            throw KeyManagementError(
                .noSuchRecipient, "no recipient is named '\(name)'; see: keyroll archive recipient list")
        }
        return index
    }

    /// Notes a bundle that was verified as it lies on the disk.
    public mutating func note(_ escrow: Escrow, of number: UInt32) throws {
        generations[try bundled(number)].escrow = escrow
    }

    /// One whose key may lie in a bundle: not destroyed, nor going to be.
    private func bundled(_ number: UInt32) throws -> Int {
        let index = try self.index(of: number)
        guard generations[index].state != .destroyed, generations[index].destruction == nil else {
            throw KeyManagementError(
                .transitionRefused, "generation \(number) is destroyed, or its destruction was asked for")
        }
        return index
    }

    /// Notes that a bundle is about to take the place of another.
    public mutating func noteReplacement(_ digest: [UInt8], of number: UInt32) throws {
        generations[try bundled(number)].escrow?.replacement = digest
    }

    /// Notes that the bundle which was about to take another's place has taken it, by a run that was cut off then.
    ///
    /// - Parameters:
    ///   - number: the generation.
    ///   - recipients: the fingerprints of those who can open it.
    public mutating func noteReplaced(_ number: UInt32, recipients: [[UInt8]]) throws {
        let index = try bundled(number)
        guard let replacement = generations[index].escrow?.replacement else { return }
        generations[index].escrow?.digest = replacement
        generations[index].escrow?.recipients = recipients
        generations[index].escrow?.replacement = nil
    }

    /// Notes that a bundle was proven restorable.
    public mutating func noteRehearsal(of number: UInt32, at moment: Timestamp) throws {
        generations[try self.index(of: number)].escrow?.rehearsed = moment
    }

    /// Notes since when nothing live needs a generation, or that something does again.
    public mutating func noteEmpty(_ number: UInt32, since moment: Timestamp?) throws {
        generations[try self.index(of: number)].emptySince = moment
    }

    /// Takes a generation off line: its key is in its bundle only. Whether that may be is the retire gate's business.
    ///
    /// - Throws: ``KeyManagementError`` with `noSuchGeneration` or `transitionRefused`.
    public mutating func archive(_ number: UInt32, at moment: Timestamp, reason: String) throws {
        let index = try self.index(of: number)
        let generation = generations[index]
        guard generation.state == .deactivated || generation.state == .compromised else {
            throw KeyManagementError(
                .transitionRefused,
                "generation \(number) is \(generation.state.rawValue); only a deactivated or compromised one is retired"
            )
        }
        guard generation.escrow != nil else {
            throw KeyManagementError(.transitionRefused, "generation \(number) is in no verified bundle")
        }
        generations[index].isArchived = true
        generations[index].archived = Generation.Archived(at: moment, reason: reason)
        generations[index].sealed = nil
        generations[index].restoration = nil
    }

    /// Takes a restored generation off line again.
    public mutating func endRestoration(_ number: UInt32) throws {
        let index = try self.index(of: number)
        guard generations[index].restoration != nil else { return }
        generations[index].restoration = nil
        generations[index].sealed = nil
    }

    /// Asks for a destruction; it can be taken back until it is due.
    ///
    /// - Throws: ``KeyManagementError`` with `noSuchGeneration` or `transitionRefused`.
    public mutating func requestDestruction(
        _ number: UInt32, at moment: Timestamp, due: Timestamp, reason: String, boot: Restoration.Boot = .now()
    ) throws {
        let index = try self.index(of: number)
        guard generations[index].state.successors.contains(.destroyed) else {
            throw KeyManagementError(
                .transitionRefused,
                "generation \(number) is \(generations[index].state.rawValue) and cannot be destroyed")
        }
        guard generations[index].isArchived || generations[index].state == .preActivation else {
            throw KeyManagementError(
                .transitionRefused, "generation \(number) is on line; run: keyroll generation retire \(number)")
        }
        guard generations[index].destruction == nil else {
            throw KeyManagementError(.exists, "the destruction of generation \(number) was asked for already")
        }
        generations[index].destruction = Destruction(requested: moment, due: due, reason: reason, boot: boot)
        generations[index].restoration = nil
        if generations[index].isArchived { generations[index].sealed = nil }
    }

    /// Takes over a destruction that a lost ring had noted.
    public mutating func take(over destruction: Destruction, of number: UInt32) throws {
        let index = try self.index(of: number)
        generations[index].destruction = destruction
        if generations[index].isArchived { generations[index].sealed = nil }
    }

    /// Takes a destruction back that is not final.
    public mutating func cancelDestruction(_ number: UInt32) throws {
        let index = try self.index(of: number)
        guard generations[index].destruction != nil, generations[index].state != .destroyed else {
            throw KeyManagementError(.transitionRefused, "no destruction of generation \(number) is waiting")
        }
        generations[index].destruction = nil
    }

    /// Registers a copy.
    public mutating func register(_ copy: RegisteredCopy) {
        copies.removeAll { $0.identity == copy.identity }
        copies.append(copy)
    }

    /// Forgets a copy: it is gone.
    ///
    /// - Throws: ``KeyManagementError`` with `noSuchCopy`.
    public mutating func forget(_ identity: Identity) throws {
        guard copies.contains(where: { $0.identity == identity }) else {
            throw KeyManagementError(.noSuchCopy, "no copy \(identity) is registered; see: keyroll backup list")
        }
        copies.removeAll { $0.identity == identity }
    }

    /// Notes the clock for what ends by it. Every change of the ring does.
    public mutating func note(clock: Timestamp, boot: @autoclosure () -> Restoration.Boot = .now()) {
        guard generations.contains(where: { $0.restoration != nil }) else { return }
        let boot = boot()
        for index in generations.indices where generations[index].restoration?.isOver(now: clock, boot: boot) == false {
            generations[index].restoration?.look(now: clock, boot: boot)
        }
    }

    /// Notes that everything that a compromised generation may have exposed was encrypted anew.
    public mutating func noteReencryption(of number: UInt32, at moment: Timestamp) throws {
        generations[try index(of: number)].reencrypted = moment
    }

    /// Notes where the evidence stands.
    public mutating func note(_ anchor: EvidenceAnchor) { evidence = anchor }

    /// Compromised generations that protected something, and whose secrets were not all encrypted anew since.
    public var exposed: [UInt32] {
        generations.filter {
            $0.state == .compromised && $0.since(.active) != nil && $0.reencrypted == nil
        }.map(\.number)
    }

    func index(of number: UInt32) throws -> Int {
        guard let index = generations.firstIndex(where: { $0.number == number }) else {
            throw KeyManagementError(
                .noSuchGeneration, "group \(name) has no generation \(number); see: keyroll generation list")
        }
        return index
    }
}
