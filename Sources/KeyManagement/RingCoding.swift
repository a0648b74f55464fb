import Cryptography
import Envelopes
import Files

/// The ring as deterministic CBOR, so that a MAC over it means something.
extension Ring {
    /// The document's format version; a newer one is refused.
    static let format: UInt64 = 2
    /// The first one, which `keyroll upgrade` brings up: it knew no recipients, bundles and copies.
    static let olderFormat: UInt64 = 1

    func encoded() -> [UInt8] {
        CBORValue.map([
            "format": .unsigned(Self.format),
            "group": .bytes(group.bytes),
            "name": .text(name),
            "sequence": .unsigned(sequence),
            "highest": .unsigned(UInt64(highestNumber)),
            "policy": policy.encoded(),
            "generations": .array(generations.map { $0.encoded() }),
            "recipients": .array(recipients.map { $0.encoded() }),
            "signer": signer.map { $0.encoded() } ?? .null,
            "formerSigners": .array(formerSigners.map { .bytes($0) }),
            "copies": .array(copies.map { $0.encoded() }),
            "epoch": .text(epoch),
            "onlyReads": .bool(onlyReads),
            "evidenceCount": .unsigned(evidence.count),
            "evidenceHead": .text(evidence.head),
            "access": access.map { $0.encoded() } ?? .null,
        ]).encoded()
    }

    /// - Parameters:
    ///   - bytes: the document.
    ///   - place: where it lies, for messages.
    ///   - takesOlder: read the older format as well, as an upgrade does.
    /// - Throws: ``KeyManagementError`` with `newerFormat`, `olderFormat` or `ringNotAuthentic`.
    init(decoding bytes: [UInt8], from place: String, takesOlder: Bool = false) throws {
        let malformed = KeyManagementError(.ringNotAuthentic, "\(place): the ring is not what keyroll writes")
        guard let document = try? CBORValue(decoding: bytes), let pairs = document.pairs else { throw malformed }
        let format = pairs["format"]?.number
        if format == Self.olderFormat, !takesOlder {
            throw KeyManagementError(
                .olderFormat, "\(place): the ring was written by an older keyroll; run: keyroll upgrade")
        }
        guard format == Self.format || format == Self.olderFormat else {
            throw KeyManagementError(
                .newerFormat, "\(place): the ring was written by a newer keyroll; install that one")
        }
        guard let group = pairs["group"]?.byteString.flatMap({ Identity($0) }), let name = pairs["name"]?.string,
            let sequence = pairs["sequence"]?.number,
            let highest = pairs["highest"]?.number.flatMap(UInt32.init(exactly:)),
            let policy = pairs["policy"].flatMap(Policy.init(decoding:)),
            let items = pairs["generations"]?.items
        else { throw malformed }
        let generations = items.compactMap(Generation.init(decoding:))
        guard generations.count == items.count else { throw malformed }
        self.group = group
        self.name = name
        self.sequence = sequence
        highestNumber = highest
        self.policy = policy
        self.generations = generations
        guard format == Self.format else { return }
        guard let recipients = pairs["recipients"]?.all(Recipient.init(decoding:)),
            let former = pairs["formerSigners"]?.all(\.byteString),
            let copies = pairs["copies"]?.all(RegisteredCopy.init(decoding:)), let signer = pairs["signer"],
            let epoch = pairs["epoch"]?.string, let onlyReads = pairs["onlyReads"]?.truth,
            let evidenceCount = pairs["evidenceCount"]?.number, let evidenceHead = pairs["evidenceHead"]?.string
        else { throw malformed }
        self.epoch = epoch
        self.onlyReads = onlyReads
        evidence = EvidenceAnchor(count: evidenceCount, head: evidenceHead)
        self.recipients = recipients
        self.signer = Signer(decoding: signer)
        formerSigners = former
        self.copies = copies
        if let kept = pairs["access"], kept != .null {
            guard let access = StoredAccess(decoding: kept) else { throw malformed }
            self.access = access
        }
    }
}

extension Policy {
    fileprivate func encoded() -> CBORValue {
        .map([
            "cryptoperiod": .unsigned(UInt64(max(0, cryptoperiod))),
            "propagationDelay": .unsigned(UInt64(max(0, propagationDelay))),
            "soakTime": .unsigned(UInt64(max(0, soakTime))),
            "keepDeactivated": .unsigned(UInt64(max(0, keepDeactivated))),
            "destroyRetention": .unsigned(UInt64(max(0, destroyRetention))),
            "rehearsalPeriod": .unsigned(UInt64(max(0, rehearsalPeriod))),
        ])
    }

    fileprivate init?(decoding value: CBORValue) {
        func number(_ key: String) -> Int64? { value.pairs?[key]?.number.flatMap(Int64.init(exactly:)) }
        guard let cryptoperiod = number("cryptoperiod"), let delay = number("propagationDelay"),
            let soak = number("soakTime"), let keep = number("keepDeactivated")
        else { return nil }
        self.init(
            cryptoperiod: cryptoperiod, propagationDelay: delay, soakTime: soak, keepDeactivated: Int(keep),
            destroyRetention: number("destroyRetention") ?? Policy.standard.destroyRetention,
            rehearsalPeriod: number("rehearsalPeriod") ?? Policy.standard.rehearsalPeriod)
    }
}

extension Generation {
    fileprivate func encoded() -> CBORValue {
        .map([
            "number": .unsigned(UInt64(number)),
            "identity": .bytes(identity.bytes),
            "checkValue": .bytes(checkValue),
            "archived": .bool(isArchived),
            "sealed": sealed.map { .bytes($0) } ?? .null,
            "history": .array(history.map { $0.encoded() }),
            "escrow": escrow.map { $0.encoded() } ?? .null,
            "emptySince": .moment(emptySince),
            "reencrypted": .moment(reencrypted),
            "archivedAt": .moment(archived?.at),
            "archivedWhy": archived.map { .text($0.reason) } ?? .null,
            "restoration": restoration.map { $0.encoded() } ?? .null,
            "destruction": destruction.map { $0.encoded() } ?? .null,
        ])
    }

    fileprivate init?(decoding value: CBORValue) {
        guard let pairs = value.pairs, let number = pairs["number"]?.number.flatMap(UInt32.init(exactly:)),
            let identity = pairs["identity"]?.byteString.flatMap({ Identity($0) }),
            let checkValue = pairs["checkValue"]?.byteString, let archived = pairs["archived"]?.truth,
            let items = pairs["history"]?.items, !items.isEmpty
        else { return nil }
        let history = items.compactMap(Transition.init(decoding:))
        guard history.count == items.count else { return nil }
        self.init(
            number: number, identity: identity, checkValue: checkValue, history: history, isArchived: archived,
            sealed: pairs["sealed"]?.byteString)
        escrow = pairs["escrow"].flatMap(Escrow.init(decoding:))
        emptySince = pairs["emptySince"]?.moment
        reencrypted = pairs["reencrypted"]?.moment
        self.archived = pairs["archivedAt"]?.moment.map {
            Archived(at: $0, reason: pairs["archivedWhy"]?.string ?? "")
        }
        restoration = pairs["restoration"].flatMap(Restoration.init(decoding:))
        destruction = pairs["destruction"].flatMap(Destruction.init(decoding:))
    }
}

extension Generation.Transition {
    fileprivate func encoded() -> CBORValue {
        var pairs: [String: CBORValue] = [
            "state": .text(state.rawValue),
            "at": .unsigned(UInt64(max(0, at.rawValue))),
            "sequence": .unsigned(sequence),
            "reason": .text(reason),
        ]
        if let occurred { pairs["occurred"] = .unsigned(UInt64(max(0, occurred.rawValue))) }
        return .map(pairs)
    }

    fileprivate init?(decoding value: CBORValue) {
        guard let pairs = value.pairs, let state = pairs["state"]?.string.flatMap(GenerationState.init(rawValue:)),
            let at = pairs["at"]?.number.flatMap(Int64.init(exactly:)), let sequence = pairs["sequence"]?.number,
            let reason = pairs["reason"]?.string
        else { return nil }
        let occurred = pairs["occurred"]?.number.flatMap(Int64.init(exactly:)).map(Timestamp.init(rawValue:))
        self.init(state: state, at: Timestamp(rawValue: at), sequence: sequence, reason: reason, occurred: occurred)
    }
}
