#!/usr/bin/env bash
# Applies each mistake in Tests/mutants to a copy of the sources, builds the command and the application of the fault
# harness, and runs the tests that have to catch it against those: Tests/mutants/run.sh [--check] [NAME...]
#
# --check only tries whether all patches still apply.
# The tests are those of this tree, built before (make test). A mistake that no test notices fails this script.
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
copy=$root/.build-mutants/tree
checks_only=
[ "${1:-}" = --check ] && { checks_only=yes; shift; }
names=("$@")
[ ${#names[@]} -gt 0 ] || names=($(cd Tests/mutants && ls *.patch | sed 's/\.patch$//'))
mkdir -p "$copy"
caught=0 missed=()

sync_sources() { rsync -a --delete --exclude .build --exclude '.build-*' --exclude .git ./ "$copy/"; }
# What tests a mistake: filters of swift test, and checks of the fault harness (FAULTS CHECK OPTIONS).
run_tests() {
    local binaries=$1 specification=$2 part status=0
    local -a filters=()
    IFS='|' read -ra parts <<<"$specification"
    for part in "${parts[@]}"; do
        if [[ $part == FAULTS* ]]; then
            # shellcheck disable=SC2086
            .build/venv/bin/python3 Tests/faults ${part#FAULTS } --keyroll "$binaries/keyroll" \
                --writer "$binaries/FaultWriter" --workers 2 || return 1
        else filters+=("$part"); fi
    done
    [ ${#filters[@]} -gt 0 ] || return 0
    local pattern
    pattern=$(IFS='|'; echo "CommandTests\\..*(${filters[*]})/")
    KEYROLL_BINARY=$binaries/keyroll KEYROLL_STRICT=1 KEYROLL_TEST_VENV=$root/.build/venv \
        swift test -c release --skip-build --filter "$pattern" | tee "$root/.build-mutants/last" || status=1
    # A filter that fits nothing proves nothing.
    ! grep -q "Test run with 0 tests" "$root/.build-mutants/last" || return 0
    return $status
}

build() {
    for product in keyroll FaultWriter; do
        (cd "$copy" && swift build -c release --product $product --scratch-path "$root/.build-mutants/build") || return 1
    done
}

for name in "${names[@]}"; do
    patch=Tests/mutants/$name.patch
    sync_sources
    if ! (cd "$copy" && patch -p1 --forward --quiet <"$root/$patch"); then
        echo "$name: the patch does not apply any more"
        missed+=("$name"); continue
    fi
    [ -z "$checks_only" ] || continue
    log=$root/.build-mutants/$name.log
    if ! build >"$log" 2>&1; then
        echo "$name: does not build, see $log"
        missed+=("$name"); continue
    fi
    binaries=$root/.build-mutants/$name
    rm -rf "$binaries"; mkdir "$binaries"
    cp "$root"/.build-mutants/build/release/{keyroll,FaultWriter} "$binaries/"
    tests=$(sed -n 's/^Tests: //p' "$patch")
    # Without the mistake they have to pass: what fails anyway notices nothing.
    if ! run_tests "$root/.build/release" "$tests" >"$log.without" 2>&1; then
        echo "$name: its tests fail without the mistake too, see $log.without"
        missed+=("$name")
    elif run_tests "$binaries" "$tests" >>"$log" 2>&1; then
        echo "$name: MISSED"
        missed+=("$name")
    elif noticed=$(grep -m1 -oE '✘ Test [^ ]+|^FAILED .{1,100}' "$log"); then
        echo "$name: caught: $noticed"
        caught=$((caught + 1))
    else
        echo "$name: no test said what it noticed, see $log"
        missed+=("$name")
    fi
    rm -rf "$binaries"
done
if [ -n "$checks_only" ]; then
    [ ${#missed[@]} -eq 0 ] && echo "${#names[@]} patches apply"
    exit
fi
echo "$caught of ${#names[@]} mistakes caught"
[ ${#missed[@]} -eq 0 ] || { echo "missed: ${missed[*]}"; exit 1; }
