import Access
import Archives
import Audit
import BrokerWire
import Cryptography
import Envelopes
import Evidence
import Home
import Interchange
import Jobs
import Rotation
import SecretStores

private func array(_ bytes: UnsafeRawBufferPointer) -> [UInt8] { Array(bytes) }

/// A key that the fuzzer knows, so that what lies behind a MAC is reached.
nonisolated(unsafe) private let authenticator: Authenticator = {
    // nonisolated(unsafe): libFuzzer calls from one thread.
    guard let key = try? SecureBytes(count: 32, filledBy: { $0.initializeMemory(as: UInt8.self, repeating: 7) }),
        let made = try? Authenticator(key: key)
    else { fatalError("no memory") }
    return made
}()

/// All of them.
let fuzzTargets: [FuzzTarget] = [
    // CBOR: what is read is written again as the same bytes.
    FuzzTarget(name: "cbor") { bytes in
        let value = try CBORValue(decoding: array(bytes))
        precondition(value.encoded() == array(bytes), "another encoding of the same value was accepted")
    },
    FuzzTarget(name: "cose") { bytes in
        _ = try? MessageBody.decode(bytes)
        _ = try Message(decoding: bytes)
    },
    FuzzTarget(name: "bundle") { bytes in
        _ = Bundle.claim(array(bytes))
        _ = try Bundle(array(bytes), place: "input", trusted: [])
    },
    FuzzTarget(name: "tar") { bytes in
        _ = try TarReader.unpack(bytes, Bundle.members, place: "input")
    },
    FuzzTarget(name: "manifest") { bytes in
        _ = try Manifest(decoding: array(bytes), place: "input").generation.transitions
    },
    FuzzTarget(name: "cms") { bytes in
        _ = try? SignedMessage.normalize(array(bytes))
        _ = try? SignedMessage.verify(array(bytes), of: [1, 2, 3], trusted: [])
        _ = try? SignedMessage.verify(array(bytes), of: nil, trusted: [])
        _ = try? Certificate.all(inPEM: bytes)
        let key = RecipientEnvelope.SharedKey(
            try SecureBytes(count: 32) { $0.initializeMemory(as: UInt8.self, repeating: 7) })
        _ = try RecipientEnvelope.open(array(bytes), with: .symmetricKey(key, identifier: [1]))
    },
    FuzzTarget(name: "journal") { bytes in
        let record = JournalRecord(
            job: "job", content: array(bytes), mac: try authenticator.tag(bytes), isFinished: false)
        _ = try RewrapJournal(record, authenticator)
    },
    FuzzTarget(name: "audit") { bytes in
        let path = InputFile.write("log/00000000000000000001.jsonl", bytes)
        let folder = String(path.dropLast("/00000000000000000001.jsonl".count))
        _ = try AuditVerifier.verify(folder: folder, trusted: [])
    },
    FuzzTarget(name: "evidence") { bytes in
        _ = try EvidenceChain(path: InputFile.write("input", bytes)).read()
    },
    FuzzTarget(name: "configuration") { bytes in
        let path = InputFile.write("input", bytes)
        _ = try? HomeConfiguration(path: path)
        _ = try JobFile(path: path)
    },
    FuzzTarget(name: "policy") { bytes in
        _ = try AccessPolicy(yaml: array(bytes), from: "input")
    },
    FuzzTarget(name: "jsonl") { bytes in
        try readAll(InputFile.write("input.jsonl", bytes), .jsonl, wholeRow: false)
    },
    FuzzTarget(name: "csv") { bytes in
        let path = InputFile.write("input.csv", bytes)
        try readAll(path, .csv, wholeRow: false)
        try readAll(path, .csv, wholeRow: true)
    },
    FuzzTarget(name: "broker") { bytes in
        if bytes.count >= Frame.prefixLength { _ = Frame.Lengths(bytes) }
        if let request = BrokerRequest(head: array(bytes)) {
            precondition(
                BrokerRequest(head: request.head.encoded()) == request, "a request reads otherwise than it is written")
        }
        _ = BrokerResponse(head: array(bytes))
    },
]

private func readAll(_ path: String, _ format: ImportFormat, wholeRow: Bool) throws {
    let source = try RecordSource(paths: [path], format: format, wholeRow: wholeRow)
    let batch = try RecordBatch(capacity: 1 << 16, maximumRecords: 64)
    while try source.read(into: batch) { batch.reset() }
}
