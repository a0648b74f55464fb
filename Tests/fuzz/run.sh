#!/usr/bin/env bash
# Fuzzes every parser for some seconds each: Tests/fuzz/run.sh SECONDS [TARGET...]
#
# What libFuzzer finds beyond the corpus stays in .build-fuzz/found/TARGET; an input that ends the fuzzer is kept in
# .build-fuzz/crashes, and this script fails. Limits: one second and 256 MiB an input.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
shift
fuzz=.build-fuzz/release/Fuzz
targets=("$@")
[ ${#targets[@]} -gt 0 ] || read -ra targets <<<"$(FUZZ_TARGET=none $fuzz 2>&1 | sed -n 's/^FUZZ_TARGET has to be one of: //p' | head -1)"
export SWIFT_BACKTRACE=enable=no
mkdir -p .build-fuzz/crashes
failed=0
for target in "${targets[@]}"; do
    found=.build-fuzz/found/$target
    mkdir -p "$found" "Tests/fuzz/corpus/$target"
    log=.build-fuzz/$target.log
    if FUZZ_TARGET=$target $fuzz -max_total_time="$seconds" -timeout=1 -rss_limit_mb=256 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix=".build-fuzz/crashes/$target-" "$found" "Tests/fuzz/corpus/$target" >"$log" 2>&1; then
        printf '%-14s %9s inputs, %6s covered\n' "$target" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
            "$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)"
    else
        failed=1
        printf '%-14s FAILED, see %s\n' "$target" "$log"
        grep -E "SUMMARY|Test unit written|Fatal error|ERROR" "$log" | head -5
    fi
done
exit $failed
