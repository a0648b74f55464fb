#!/bin/bash
# How the release binary behaves as stores grow: growth to 10 million secrets, latencies, large contents, re-encryption, bundles.
# For people and for the nightly run; benchmarks/README.md says how to read it.
set -euo pipefail

usage="usage: scale.sh BINARY growth|latency|large|reencrypt|archive|all [--json FILE] [--folder DIR] [--sizes N,N,…] [--large N] [--counts N,N,N] [--rounds N]"
[ $# -ge 2 ] || { echo "$usage" >&2; exit 64; }
binary=$(realpath -e "$1") || { echo "scale.sh: $1: no such binary; build it: make build" >&2; exit 66; }
part=$2
shift 2
case $part in growth | latency | large | reencrypt | archive | all) ;; *) echo "$usage" >&2; exit 64 ;; esac

# The working directory's disk, not /tmp, which may be memory. The name is one that the repository ignores.
parent=. json=() rest=()
while [ $# -gt 0 ]; do
    case $1 in
        --folder) parent=$2 ;;
        --json) json=(--json "$(realpath "$2")") ;;
        --sizes | --large | --counts | --rounds) rest+=("$1" "$2") ;;
        *) echo "$usage" >&2; exit 64 ;;
    esac
    shift 2
done
here=$(dirname "$(realpath "$0")")
scratch=$(mktemp -d "$(realpath "$parent")/.build-scale-XXXXXX")

# In the background, so that a signal reaches this script while it waits, and the homes go whatever happens.
PYTHONDONTWRITEBYTECODE=1 python3 "$here/scale" "$binary" "$part" "$scratch" "${json[@]}" "${rest[@]}" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null || true; wait "$child" 2>/dev/null || true; rm -rf "$scratch"' EXIT
trap 'exit 75' INT TERM
wait "$child"
