#!/bin/bash
# How a broker behaves: what it costs beside reading directly, its throughput with the log on, and how it fares with very
# many idle clients and a slow one. With a home of its own that goes again at the end; benchmarks/README.md says how to
# read it.
set -euo pipefail

usage="usage: broker.sh KEYROLL BENCHMARK [--json FILE] [--folder DIR] [--seconds N]"
[ $# -ge 2 ] || { echo "$usage" >&2; exit 64; }
keyroll=$(realpath -e "$1") benchmark=$(realpath -e "$2")
shift 2
parent=. json= seconds=5
while [ $# -gt 0 ]; do
    case $1 in
        --json) json=$(realpath "$2") ;;
        --folder) parent=$2 ;;
        --seconds) seconds=$2 ;;
        *) echo "$usage" >&2; exit 64 ;;
    esac
    shift 2
done
secrets=100000 clients=8 crowd=10000
scratch=$(mktemp -d "$(realpath "$parent")/.build-broker-XXXXXX")
broker=
finish() {
    [ -z "$broker" ] || { kill "$broker" 2>/dev/null || true; wait "$broker" 2>/dev/null || true; }
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 75' INT TERM
cd "$scratch"

user=$(id -un)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=owner -days 2 -keyout o.key -out o.pem 2>/dev/null
"$keyroll" init --home home --group bench 2>/dev/null >&2
python3 -c "
for i in range($secrets): print('{\"name\":\"bench/%d\",\"secret\":\"%s\"}' % (i, 'x' * 32))" |
    "$keyroll" import - --format jsonl --home home >/dev/null
# As an application reads where there is no policy and therefore no log: what the broker is held against.
cp -a home direct
identity=$("$keyroll" access policy template --home home | sed -n 's/^identity: "\(.*\)"/\1/p')
{
    printf 'format: 1\ngroup: bench\nidentity: "%s"\nrevision: 1\nowners:\n  - |\n' "$identity"
    sed 's/^/    /' o.pem
    printf 'roles:\n'
    for role in operator reader writer auditor; do printf '  %s: {users: ["%s"]}\n' $role "$user"; done
} >access.yaml
openssl cms -sign -binary -outform PEM -in access.yaml -signer o.pem -inkey o.key -out access.p7s
"$keyroll" access policy set access.yaml --signature access.p7s --home home
"$keyroll" broker --home home --socket "$scratch/socket" 2>broker.log &
broker=$!
for _ in $(seq 100); do [ -S socket ] && break; sleep 0.1; done

ticks() { awk '{print $14 + $15}' "/proc/$broker/stat"; }
# Whole processes: keyroll get, direct and through the broker, in turns.
process() {
    python3 - "$keyroll" "$scratch" <<'P'
import subprocess, sys, time, os
keyroll, scratch = sys.argv[1:]
def once(words):
    start = time.perf_counter()
    subprocess.run([keyroll, "get", "bench/7", *words], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000
direct, brokered = [], []
for _ in range(101):
    direct.append(once(["--home", scratch + "/direct"]))
    brokered.append(once(["--broker", scratch + "/socket"]))
direct.sort(); brokered.sort()
print('{"directMilliseconds": %.2f, "brokerMilliseconds": %.2f}' % (direct[50], brokered[50]))
P
}
whole=$(process)
latency=$("$benchmark" socket latency "$seconds" $secrets)
before=$(ticks)
throughput=$("$benchmark" socket throughput $clients "$seconds" $secrets)
after=$(ticks)
idle=$("$benchmark" socket idle $crowd "$seconds" $secrets)
direct=$("$benchmark" direct direct "$seconds" $secrets)
alone=$("$benchmark" socket latency "$seconds" $secrets)
result=$(printf '{"machine": {"processors": %d, "kernel": "%s", "load": "%s"}, "wholeProcess": %s, "direct": %s, "oneClient": %s, "oneClientAgain": %s, "clients8": %s, "brokerProcessorSeconds": %s, "besideIdle10000AndOneSlow": %s}\n' \
    "$(nproc)" "$(uname -r)" "$(cut -d' ' -f1 /proc/loadavg)" "$whole" "$direct" "$latency" "$alone" "$throughput" \
    "$(awk -v t=$((after - before)) 'BEGIN { print t / 100 }')" "$idle")
echo "$result"
[ -z "$json" ] || echo "$result" >"$json"
