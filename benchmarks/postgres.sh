#!/bin/bash
# How a store on a PostgreSQL server behaves, with the release binary and a server of its own that goes again at the end.
# For people and for the nightly run; benchmarks/README.md says how to read it.
set -euo pipefail

usage="usage: postgres.sh BINARY [rewrap|memory|idle|put|fleet|wal|half-empty|all] [--json FILE] [--folder DIR] [--sizes N,N,…] [--runs N]"
[ $# -ge 1 ] || { echo "$usage" >&2; exit 64; }
binary=$(realpath -e "$1") || { echo "postgres.sh: $1: no such binary; build it: make build" >&2; exit 66; }
shift
part=all
case ${1:-} in "" | --*) ;; *) part=$1; shift ;; esac
case $part in rewrap | memory | idle | put | fleet | wal | half-empty | all) ;; *) echo "$usage" >&2; exit 64 ;; esac

# The working directory's disk, not /tmp, which may be memory. The name is one that the repository ignores.
parent=. rest=()
while [ $# -gt 0 ]; do
    case $1 in
        --folder) parent=$2 ;;
        --json) rest+=(--json "$(realpath "$2")") ;;
        --sizes | --runs) rest+=("$1" "$2") ;;
        *) echo "$usage" >&2; exit 64 ;;
    esac
    shift 2
done
here=$(dirname "$(realpath "$0")")
source "$here/server.sh"
scratch=$(mktemp -d "$(realpath "$parent")/.build-postgres-XXXXXX")
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

# In the background, so that a signal reaches this script while it waits.
PYTHONDONTWRITEBYTECODE=1 python3 "$here/postgres" "$binary" "$part" "$scratch" "${rest[@]}" &
child=$!
code=0
wait "$child" || code=$?
child=
exit "$code"
