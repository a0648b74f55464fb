import Cryptography
import Envelopes
import Files

/// What ``RingCoding`` needs for recipients, bundles, copies, restorations and destructions.
extension CBORValue {
    /// A moment, or null.
    static func moment(_ moment: Timestamp?) -> CBORValue {
        moment.map { .unsigned(UInt64(max(0, $0.rawValue))) } ?? .null
    }

    /// The moment, where there is one.
    var moment: Timestamp? { number.flatMap(Int64.init(exactly:)).map(Timestamp.init(rawValue:)) }

    /// The items of a list, if `decode` knows every one.
    func all<Item>(_ decode: (CBORValue) -> Item?) -> [Item]? {
        guard let items else { return nil }
        let decoded = items.compactMap(decode)
        return decoded.count == items.count ? decoded : nil
    }
}

extension Recipient {
    func encoded() -> CBORValue {
        var pairs: [String: CBORValue] = [
            "name": .text(name), "fingerprint": .bytes(fingerprint), "added": .moment(added),
            "challenge": challenge.map { .bytes($0) } ?? .null, "proven": .moment(proven),
        ]
        switch kind {
        case .certificate(let der): pairs["certificate"] = .bytes(der)
        case .archiveKey(let identifier, let sealed):
            pairs["archiveKey"] = .bytes(identifier)
            pairs["sealed"] = .bytes(sealed)
        }
        return .map(pairs)
    }

    init?(decoding value: CBORValue) {
        guard let pairs = value.pairs, let name = pairs["name"]?.string,
            let fingerprint = pairs["fingerprint"]?.byteString, let added = pairs["added"]?.moment
        else { return nil }
        let kind: Kind
        if let der = pairs["certificate"]?.byteString {
            kind = .certificate(der)
        } else if let identifier = pairs["archiveKey"]?.byteString, let sealed = pairs["sealed"]?.byteString {
            kind = .archiveKey(identifier: identifier, sealed: sealed)
        } else {
            return nil
        }
        self.init(
            name: name, kind: kind, fingerprint: fingerprint, added: added, challenge: pairs["challenge"]?.byteString,
            proven: pairs["proven"]?.moment)
    }
}

extension Signer {
    func encoded() -> CBORValue { .map(["certificate": .bytes(certificate), "sealedKey": .bytes(sealedKey)]) }

    init?(decoding value: CBORValue) {
        guard let certificate = value.pairs?["certificate"]?.byteString,
            let sealedKey = value.pairs?["sealedKey"]?.byteString
        else { return nil }
        self.init(certificate: certificate, sealedKey: sealedKey)
    }
}

extension StoredAccess {
    func encoded() -> CBORValue {
        .map([
            "revision": .unsigned(revision), "document": .bytes(document), "signature": .bytes(signature),
            "signer": .bytes(signer),
        ])
    }

    init?(decoding value: CBORValue) {
        guard let pairs = value.pairs, let revision = pairs["revision"]?.number,
            let document = pairs["document"]?.byteString, let signature = pairs["signature"]?.byteString,
            let signer = pairs["signer"]?.byteString
        else { return nil }
        self.init(revision: revision, document: document, signature: signature, signer: signer)
    }
}

extension Escrow {
    func encoded() -> CBORValue {
        .map([
            "file": .text(file), "digest": .bytes(digest), "written": .moment(written),
            "recipients": .array(recipients.map { .bytes($0) }), "rehearsed": .moment(rehearsed),
            "replacement": replacement.map { .bytes($0) } ?? .null,
        ])
    }

    init?(decoding value: CBORValue) {
        guard let pairs = value.pairs, let file = pairs["file"]?.string, let digest = pairs["digest"]?.byteString,
            let written = pairs["written"]?.moment, let recipients = pairs["recipients"]?.all(\.byteString)
        else { return nil }
        self.init(
            file: file, digest: digest, written: written, recipients: recipients, rehearsed: pairs["rehearsed"]?.moment)
        replacement = pairs["replacement"]?.byteString
    }
}

extension Restoration {
    func encoded() -> CBORValue {
        .map([
            "since": .moment(since), "until": .moment(until), "reason": .text(reason), "seen": .moment(seen),
            "used": .unsigned(UInt64(max(0, used))), "boot": .text(boot.identity),
            "bootSeconds": .unsigned(UInt64(max(0, boot.seconds))),
        ])
    }

    init?(decoding value: CBORValue) {
        guard let pairs = value.pairs, let since = pairs["since"]?.moment, let until = pairs["until"]?.moment,
            let reason = pairs["reason"]?.string, let seen = pairs["seen"]?.moment, let boot = pairs["boot"]?.string,
            let seconds = pairs["bootSeconds"]?.number.flatMap(Int64.init(exactly:)),
            let used = pairs["used"]?.number.flatMap(Int64.init(exactly:))
        else { return nil }
        self.init(since: since, until: until, reason: reason, boot: Boot(identity: boot, seconds: seconds))
        self.seen = seen
        self.used = used
    }
}

extension Destruction {
    func encoded() -> CBORValue {
        .map([
            "requested": .moment(requested), "due": .moment(due), "reason": .text(reason),
            "boot": .text(boot.identity), "bootSeconds": .unsigned(UInt64(max(0, boot.seconds))),
        ])
    }

    init?(decoding value: CBORValue) {
        guard let pairs = value.pairs, let requested = pairs["requested"]?.moment, let due = pairs["due"]?.moment,
            let reason = pairs["reason"]?.string, let boot = pairs["boot"]?.string,
            let seconds = pairs["bootSeconds"]?.number.flatMap(Int64.init(exactly:))
        else { return nil }
        self.init(
            requested: requested, due: due, reason: reason,
            boot: Restoration.Boot(identity: boot, seconds: seconds))
    }
}

extension RegisteredCopy {
    func encoded() -> CBORValue {
        .map([
            "identity": .bytes(identity.bytes), "kind": .text(kind), "place": .text(place), "at": .moment(at),
            "keepUntil": .moment(keepUntil), "hasRootKey": .bool(hasRootKey),
            "keys": .array(keys.map { .unsigned(UInt64($0)) }),
            "bundles": .array(bundles.map { .unsigned(UInt64($0)) }),
            "secrets": secrets.map { counts in
                .array(
                    counts.sorted { $0.key < $1.key }.map {
                        .array([.unsigned(UInt64($0.key)), .unsigned(UInt64(max(0, $0.value)))])
                    })
            } ?? .null,
        ])
    }

    init?(decoding value: CBORValue) {
        guard let pairs = value.pairs, let identity = pairs["identity"]?.byteString.flatMap({ Identity($0) }),
            let kind = pairs["kind"]?.string, let place = pairs["place"]?.string, let at = pairs["at"]?.moment,
            let hasRootKey = pairs["hasRootKey"]?.truth,
            let keys = pairs["keys"]?.all({ $0.number.flatMap(UInt32.init(exactly:)) }),
            let bundles = pairs["bundles"]?.all({ $0.number.flatMap(UInt32.init(exactly:)) })
        else { return nil }
        var secrets: [UInt32: Int64]?
        if let items = pairs["secrets"]?.items {
            var counts: [UInt32: Int64] = [:]
            for item in items {
                guard let pair = item.items, pair.count == 2,
                    let number = pair[0].number.flatMap(UInt32.init(exactly:)),
                    let count = pair[1].number.flatMap(Int64.init(exactly:))
                else { return nil }
                counts[number] = count
            }
            secrets = counts
        }
        self.init(
            identity: identity, kind: kind, place: place, at: at, keepUntil: pairs["keepUntil"]?.moment,
            secrets: secrets, hasRootKey: hasRootKey, keys: keys, bundles: bundles)
    }
}
