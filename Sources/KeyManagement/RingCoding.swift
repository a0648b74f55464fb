import Cryptography
import Envelopes
import Files

/// The ring as deterministic CBOR, so that a MAC over it means something.
extension Ring {
    /// The document's format version; a newer one is refused.
    static let format: UInt64 = 1

    func encoded() -> [UInt8] {
        CBORValue.map([
            "format": .unsigned(Self.format),
            "group": .bytes(group.bytes),
            "name": .text(name),
            "sequence": .unsigned(sequence),
            "highest": .unsigned(UInt64(highestNumber)),
            "policy": policy.encoded(),
            "generations": .array(generations.map { $0.encoded() }),
        ]).encoded()
    }

    /// - Throws: ``KeyManagementError`` with `newerFormat` or `ringNotAuthentic`.
    init(decoding bytes: [UInt8], from place: String) throws {
        let malformed = KeyManagementError(.ringNotAuthentic, "\(place): the ring is not what keyroll writes")
        guard let document = try? CBORValue(decoding: bytes), let pairs = document.pairs else { throw malformed }
        guard pairs["format"]?.number == Self.format else {
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
    }
}

extension Policy {
    fileprivate func encoded() -> CBORValue {
        .map([
            "cryptoperiod": .unsigned(UInt64(max(0, cryptoperiod))),
            "propagationDelay": .unsigned(UInt64(max(0, propagationDelay))),
            "soakTime": .unsigned(UInt64(max(0, soakTime))),
            "keepDeactivated": .unsigned(UInt64(max(0, keepDeactivated))),
        ])
    }

    fileprivate init?(decoding value: CBORValue) {
        func number(_ key: String) -> Int64? { value.pairs?[key]?.number.flatMap(Int64.init(exactly:)) }
        guard let cryptoperiod = number("cryptoperiod"), let delay = number("propagationDelay"),
            let soak = number("soakTime"), let keep = number("keepDeactivated")
        else { return nil }
        self.init(cryptoperiod: cryptoperiod, propagationDelay: delay, soakTime: soak, keepDeactivated: Int(keep))
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
