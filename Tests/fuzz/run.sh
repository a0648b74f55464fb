#!/usr/bin/env bash
# Fuzzes every parser for some seconds each: Tests/fuzz/run.sh SECONDS [TARGET...]
#
# As many at a time as there are processors. It begins with Tests/fuzz/corpus.tar.zst and with what keyroll itself writes
# (seeds.py). What libFuzzer finds beyond them
# stays in .build-fuzz/found/TARGET; with KEEP=1 what adds to the corpus is packed into it. An input that ends the fuzzer is
# kept in .build-fuzz/crashes, and this script fails. Limits: one second and 256 MiB an input.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
shift
fuzz=.build-fuzz/release/Fuzz
targets=("$@")
mkdir -p .build-fuzz/crashes
if [ ${#targets[@]} -eq 0 ]; then
    read -ra targets < <(
        FUZZ_TARGET=none $fuzz -artifact_prefix=.build-fuzz/crashes/none- 2>&1 |
            sed -n 's/^FUZZ_TARGET has to be one of: //p' | head -1) || true
fi
[ ${#targets[@]} -gt 0 ] || { echo "$fuzz does not say which targets it has" >&2; exit 1; }
export SWIFT_BACKTRACE=enable=no
rm -rf .build-fuzz/seeds
.build/venv/bin/python3 Tests/fuzz/seeds.py .build/release/keyroll .build-fuzz/seeds
rm -rf .build-fuzz/corpus
zstd -dcq Tests/fuzz/corpus.tar.zst | tar -xf - -C .build-fuzz

fuzz_one() {
    local target=$1 log=.build-fuzz/$1.log found=.build-fuzz/found/$1
    mkdir -p "$found" ".build-fuzz/corpus/$target" ".build-fuzz/seeds/$target"
    if FUZZ_TARGET=$target $fuzz -max_total_time="$seconds" -timeout=1 -rss_limit_mb=256 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix=".build-fuzz/crashes/$target-" "$found" ".build-fuzz/corpus/$target" ".build-fuzz/seeds/$target" >"$log" 2>&1; then
        printf '%-14s %9s inputs, %6s covered\n' "$target" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
            "$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)"
    else
        touch .build-fuzz/failed
        printf '%-14s FAILED, see %s\n' "$target" "$log"
        grep -E "SUMMARY|Test unit written|Fatal error|ERROR" "$log" | head -5 || true
    fi
}

rm -f .build-fuzz/failed
for target in "${targets[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    fuzz_one "$target" &
done
wait
if [ -n "${KEEP:-}" ]; then
    for target in "${targets[@]}"; do
        FUZZ_TARGET=$target $fuzz -merge=1 -max_len=4096 ".build-fuzz/corpus/$target" ".build-fuzz/found/$target" \
            ".build-fuzz/seeds/$target" >>".build-fuzz/$target.log" 2>&1
    done
    tar --sort=name --owner=0 --group=0 --mtime=2026-01-01 -C .build-fuzz -cf - corpus | zstd -q -19 -f -o Tests/fuzz/corpus.tar.zst
fi
[ ! -e .build-fuzz/failed ]
