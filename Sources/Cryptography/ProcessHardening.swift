import CSystem
import Glibc

/// What a process that holds keys switches off for itself.
public enum ProcessHardening {
    /// No core file, no backtrace with registers, no `ptrace` and no `/proc/PID/mem` by others of the same user, new files for this user only.
    ///
    /// Called once at the very start of the command; the library leaves an application's process as it is.
    public static func apply() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = keyroll_forbid_dumps()
        umask(0o077)
        // Swift's runtime prints registers and memory when a process crashes; those may hold parts of keys.
        for number in [SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGBUS, SIGSEGV, SIGQUIT] { signal(number, SIG_DFL) }
    }
}
