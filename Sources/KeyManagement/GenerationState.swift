/// The state of a key generation, after NIST SP 800-57 part 1 revision 5, section 7.
///
/// "Archived" is no state but a flag beside it: the material is in verified bundles only, not on line.
public enum GenerationState: String, Sendable, CaseIterable {
    /// Published, not used yet: readers get it before anything is protected under it.
    case preActivation = "pre-activation"
    /// The one generation that protects.
    case active
    /// Only unprotects.
    case deactivated
    /// Never protects again; what it ever protected has to be re-encrypted.
    case compromised
    /// The material is gone from everywhere keyroll knows of; the record stays.
    case destroyed

    /// The states that may follow (SP 800-57 part 1, section 7.2 and figure 3).
    ///
    /// A destroyed generation that turns out to have been compromised stays destroyed: there is nothing left to
    /// protect. An active one is never destroyed directly, since its contents still need it.
    public var successors: Set<GenerationState> {
        switch self {
        case .preActivation: [.active, .compromised, .destroyed]
        case .active: [.deactivated, .compromised]
        case .deactivated: [.compromised, .destroyed]
        case .compromised: [.destroyed]
        case .destroyed: []
        }
    }

    /// Whether new data keys may be wrapped under it.
    public var mayProtect: Bool { self == .active }

    /// Whether data keys may be unwrapped from it. A compromised generation still opens what it protected:
    /// that is how its contents are rescued.
    public var mayUnprotect: Bool {
        switch self {
        case .active, .deactivated, .compromised: true
        case .preActivation, .destroyed: false
        }
    }
}
