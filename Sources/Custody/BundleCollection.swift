import Archives
import Cryptography
import Files
import Glibc
import KeyManagement

/// Bundles that were found and opened, the newest of each generation.
struct BundleCollection {
    /// A bundle and the key it held.
    struct Entry {
        var bundle: Bundle
        var key: RecipientEnvelope.SharedKey
    }

    private(set) var entries: [UInt32: Entry] = [:]
    /// Bundles that could not be used, a line each.
    private(set) var notes: [String] = []
    private(set) var group: Identity?
    private(set) var groupName = ""

    /// The recipients by certificate of the newest bundle: a ring that is built anew goes on with them.
    var recipients: [(name: String, certificate: Certificate)] {
        entries.values.max { $0.bundle.manifest.written < $1.bundle.manifest.written }?.bundle.certificates ?? []
    }

    /// - Parameters:
    ///   - paths: bundles, or folders that hold some.
    ///   - key: the recovery key.
    ///   - trusted: the signers that count.
    ///   - expected: the group of the stores, if it is known: others' bundles in a shared folder are passed over.
    /// - Throws: `ArchiveError` where a bundle that was named itself cannot be used; ``CustodyError`` with
    ///   `doesNotBelong` where two groups are mixed.
    init(_ paths: [String], key: RecoveryKey, trusted: [Certificate], expected: Identity? = nil) throws {
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0 else { throw ArchiveError(.noSuchBundle, "\(path): no such bundle") }
            if status.st_mode & S_IFMT == S_IFDIR {
                for name in FolderListing.names(path) where name.hasSuffix(BundleFile.suffix) {
                    if let expected, let bytes = try? BundleFile.read(path + "/" + name),
                        let claim = Bundle.claim(bytes), claim.group != expected
                    {
                        continue
                    }
                    do { try add(path + "/" + name, key, trusted) } catch let error as ArchiveError {
                        notes.append("\(error)")
                    } catch let error as FileError { notes.append("\(error)") }
                }
            } else {
                try add(path, key, trusted)
            }
        }
    }

    private mutating func add(_ path: String, _ key: RecoveryKey, _ trusted: [Certificate]) throws {
        let bundle = try BundleFile.load(path, trusted: trusted)
        if let group, group != bundle.group {
            throw CustodyError(.doesNotBelong, "\(path): belongs to another group than the bundles before it")
        }
        let material = try bundle.open(with: key.opener)
        if let present = entries[bundle.number] {
            guard present.bundle.identity == bundle.identity else {
                throw CustodyError(
                    .doesNotBelong,
                    "\(path): holds another generation \(bundle.number) than \(present.bundle.place): two rings gave out one number"
                )
            }
            guard present.bundle.manifest.written < bundle.manifest.written else { return }
        }
        group = bundle.group
        groupName = bundle.manifest.group.name
        entries[bundle.number] = Entry(bundle: bundle, key: material.key)
    }
}
