#!/bin/bash
# The whole benchmark in one run: stages, jobs, growth, bare limits and peers, with a PostgreSQL server of its own.
# `make bench` calls it, after it has built and installed what this needs; benchmarks/README.md says how to read it.
set -euo pipefail

usage="usage: bench.sh RELEASE PYTHON [--quick] [--check] [--out FOLDER] [--folder DIR] [--only PART,PART,…]"
[ $# -ge 2 ] || { echo "$usage" >&2; exit 64; }
release=$(realpath -e "$1") || { echo "bench.sh: $1: no such folder; build first: make build" >&2; exit 66; }
# Not resolved: a virtual environment is found by the name it is called under.
python=$2
shift 2

# The working directory's disk, not /tmp, which may be memory. The name is one that the repository ignores.
parent=. rest=()
while [ $# -gt 0 ]; do
    case $1 in
        --quick | --check) rest+=("$1"); shift; continue ;;
        --folder) parent=$2 ;;
        --out) rest+=(--out "$(realpath "$2")") ;;
        --only) rest+=("$1" "$2") ;;
        *) echo "$usage" >&2; exit 64 ;;
    esac
    shift 2
done
here=$(dirname "$(realpath "$0")")
source "$here/server.sh"
scratch=$(mktemp -d "$(realpath "$parent")/.build-bench-XXXXXX")
chmod 711 "$scratch"

child=
finish() {
    [ -z "$child" ] || { kill -TERM "$child" 2>/dev/null || true; wait "$child" 2>/dev/null || true; }
    server_stop "$scratch/server"
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 75' INT TERM

mkdir "$scratch/homes"
server_start "$scratch/server"
cc -O2 -shared -fPIC -o "$scratch/allocations.so" "$here/StageBenchmark/allocations.c"

# In the background, so that a signal reaches this script while it waits.
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$here" "$python" -m bench "$release" "$scratch" "${rest[@]}" &
child=$!
code=0
wait "$child" || code=$?
child=
exit "$code"
