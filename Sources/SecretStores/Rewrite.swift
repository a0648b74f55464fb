/// What a job writes anew of a store.
public enum Rewrite: Sendable, Equatable {
    /// Wrapped keys only, of so many secrets.
    case slots(Int64)
    /// Contents as well, of so many secrets.
    case contents(Int64)
}
