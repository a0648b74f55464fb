/// How large the parts of a record may be. All are counted in bytes of the decoded value.
///
/// A record over a limit is reported as an ``ImportProblem``, and the run goes on. The limits also bound the memory
/// of an import: nothing grows beyond ``maximumLine``.
public struct ImportLimits: Sendable, Hashable {
    /// The longest name, in bytes of UTF-8: 1 KiB unless told.
    public var maximumName: Int
    /// The longest context, in bytes of UTF-8: 64 KiB unless told.
    public var maximumContext: Int
    /// The largest plaintext, in bytes: 64 MiB unless told.
    public var maximumSecret: Int

    /// Makes limits; those left out are the ones of the secret stores.
    public init(maximumName: Int = 1 << 10, maximumContext: Int = 64 << 10, maximumSecret: Int = 64 << 20) {
        precondition(maximumName > 0 && maximumContext >= 0 && maximumSecret >= 0, "a limit cannot be negative")
        self.maximumName = maximumName
        self.maximumContext = maximumContext
        self.maximumSecret = maximumSecret
    }

    /// The longest JSON line or CSV row that is read, in bytes as they stand in the file, without the line feed. A
    /// longer one is skipped as it streams by, and reported.
    ///
    /// Three bytes for each of the secret, because writers that escape everything beyond ASCII turn two bytes of
    /// UTF-8 into six (`\u0416`), and base64 or doubled quotes need less. Six for names and contexts, which are small
    /// enough to allow the worst (`\u0041`). And some room for punctuation and members that are not ours.
    public var maximumLine: Int { 3 * maximumSecret + 6 * (maximumName + maximumContext) + 64 << 10 }
}
