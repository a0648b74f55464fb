# Shared by the tests of what is installed: sourced, not run.
set -euo pipefail
failures=0
say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }
# is WHAT COMMAND...: says it when the command fails, and goes on.
is() {
    local what=$1
    shift
    if ! "$@"; then
        say "FAILED: $what"
        failures=$((failures + 1))
    fi
}
# same WHAT GOT WANTED
same() {
    if [ "$2" != "$3" ]; then
        say "FAILED: $1: '$2', and not '$3'"
        failures=$((failures + 1))
    fi
}
finish() {
    if [ "$failures" != 0 ]; then
        say "$failures failed"
        exit 1
    fi
    say "passed${1:+: $1}"
}
