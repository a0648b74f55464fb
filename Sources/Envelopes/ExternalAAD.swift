public import Cryptography

/// What a message authenticates beside its own bytes (RFC 9052 section 5.3, `external_aad`).
///
/// Deterministic CBOR: `["keyroll/1", group identity, name, context or null, birth generation]`. It ties a
/// content to its group, its name, its context and the generation it was born under, so that two contents
/// cannot change places. Nothing that a rewrap changes is in it.
public enum ExternalAAD {
    static let version = StaticString("keyroll/1")
    private static let versionLength = 9

    /// How many bytes it takes.
    static func length(name: Int, context: Int?, birth: UInt32) -> Int {
        1 + 1 + versionLength + 1 + 16 + CBORWriter.headLength(name) + name
            + (context.map { CBORWriter.headLength($0) + $0 } ?? 1) + CBORWriter.headLength(Int(birth))
    }

    static func write(
        _ writer: inout CBORWriter, group: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer,
        context: UnsafeRawBufferPointer?, birth: UInt32
    ) {
        writer.head(.array, 5)
        writer.text(UnsafeRawBufferPointer(start: version.utf8Start, count: versionLength))
        writer.bytes(group)
        writer.text(name)
        if let context { writer.bytes(context) } else { writer.null() }
        writer.head(.unsigned, Int(birth))
    }

    /// The bytes, for an export: what another COSE library is given as `external_aad`.
    ///
    /// - Parameters:
    ///   - group: the group's identity.
    ///   - name: the secret's name, UTF-8.
    ///   - context: the secret's context, or nil where it has none.
    ///   - birth: the birth generation.
    public static func encoded(group: Identity, name: [UInt8], context: [UInt8]?, birth: UInt32) -> [UInt8] {
        let length = length(name: name.count, context: context?.count, birth: birth)
        return [UInt8](unsafeUninitializedCapacity: length) { output, count in
            var writer = CBORWriter(output.baseAddress!)
            group.bytes.withUnsafeBytes { groupBytes in
                name.withUnsafeBytes { nameBytes in
                    if let context {
                        context.withUnsafeBytes {
                            write(&writer, group: groupBytes, name: nameBytes, context: $0, birth: birth)
                        }
                    } else {
                        write(&writer, group: groupBytes, name: nameBytes, context: nil, birth: birth)
                    }
                }
            }
            count = writer.offset
        }
    }
}
