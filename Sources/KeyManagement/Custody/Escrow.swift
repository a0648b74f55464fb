public import Files

/// The verified bundle that holds a generation.
public struct Escrow: Sendable, Equatable {
    /// The bundle's file name, without a folder.
    public var file: String
    /// SHA-256 of the file, 32 bytes.
    public var digest: [UInt8]
    /// SHA-256 of a bundle that is about to take its place: after a crash the file is one or the other.
    public var replacement: [UInt8]?
    /// When it was written, and verified as it then lay on the disk.
    public var written: Timestamp
    /// The fingerprints of those who can open it.
    public var recipients: [[UInt8]]
    /// When it was last proven that it can be restored.
    public var rehearsed: Timestamp?

    /// - Parameters:
    ///   - file: the bundle's file name.
    ///   - digest: SHA-256 of the file, 32 bytes.
    ///   - written: when it was written and verified.
    ///   - recipients: the fingerprints of those who can open it.
    ///   - rehearsed: when it was last proven that it can be restored.
    public init(file: String, digest: [UInt8], written: Timestamp, recipients: [[UInt8]], rehearsed: Timestamp?) {
        self.file = file
        self.digest = digest
        self.written = written
        self.recipients = recipients
        self.rehearsed = rehearsed
    }
}
