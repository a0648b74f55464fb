#!/usr/bin/env bash
# A private Slurm of two nodes on this machine, for tests:
#   slurm.sh start DIR            starts it, waits until both nodes are idle, and prints the variables that reach it
#   slurm.sh kill-node DIR NODE   kills a node (node1, node2) with every task on it, as a failure of power would
#   slurm.sh start-node DIR NODE  starts it again
#   slurm.sh stop DIR             ends all of it
# All that it keeps and all that it listens on is in DIR, or on 127.0.0.1. It runs as whoever calls it.
set -euo pipefail

fail() { echo "slurm.sh: $*" >&2; exit 1; }
[ $# -ge 2 ] || fail "usage: slurm.sh start|stop|kill-node|start-node DIR [NODE]"
command=$1
mkdir -p "$2"
dir=$(realpath "$2")
export SLURM_CONF="$dir/slurm.conf" PATH="/usr/sbin:/usr/bin:/sbin:/bin"

# A daemon in a session of its own; $1 names its log.
launch() {
    local name=$1; shift
    setsid "$@" </dev/null >>"$dir/$name.out" 2>&1 &
}

launch_node() { launch "$1" slurmd -D -N "$1"; }

# A process and all that came from it, of each that is named.
with_descendants() {
    local found=("$@") child i=0
    while [ $i -lt ${#found[@]} ]; do
        for child in $(cat "/proc/${found[$i]}/task/"*/children 2>/dev/null); do found+=("$child"); done
        i=$((i + 1))
    done
    echo "${found[@]}"
}

# Who writes to a daemon's logs: a step's daemon is no child of its node's, but has the same log.
holders() {
    find /proc/[0-9]*/fd \( -lname "$dir/$1.log" -o -lname "$dir/$1.out" \) -printf '%h\n' 2>/dev/null |
        cut -d/ -f3 | sort -u || true
}

# Kills until none is left: one that is being started may not have been seen.
kill_holders() {
    local processes
    for _ in $(seq 50); do
        processes=$(holders "$1")
        [ -n "$processes" ] || return 0
        # shellcheck disable=SC2046,SC2086
        processes=$(with_descendants $processes)
        # shellcheck disable=SC2086
        kill -STOP $processes 2>/dev/null || true
        # shellcheck disable=SC2046,SC2086
        kill -KILL $(with_descendants $processes) 2>/dev/null || true
        sleep 0.05
    done
    fail "some processes of $1 do not end"
}

wait_for_nodes() {
    local deadline=$((SECONDS + 30))
    until [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | sort | paste -sd,)" = "node1,node2" ]; do
        [ $SECONDS -lt $deadline ] || { tail -n 20 "$dir"/*.log "$dir"/*.out >&2; fail "the nodes do not become idle"; }
        sleep 0.1
    done
}

start() {
    for program in munged slurmctld slurmd sinfo; do
        command -v "$program" >/dev/null || fail "$program is missing: make test installs it (apt-get install munge slurm-wlm)"
    done
    chmod 755 "$dir"
    mkdir -p "$dir/state" "$dir/node1" "$dir/node2"
    (umask 077; head -c 1024 /dev/urandom >"$dir/munge.key")
    local ports user
    user=$(id -un)
    read -r -a ports < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(s.getsockname()[1] for s in sockets))')
    # Each node believes that it is a host of its own, as one host with two nodes is an option of the build that Debian does
    # not use. No control groups: a container may have none.
    cat >"$SLURM_CONF" <<CONFIGURATION
ClusterName=keyroll
SlurmctldHost=$(uname -n | cut -d. -f1)(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
# cred_expire: how long a task that is queued again has to wait; 120 seconds otherwise.
AuthInfo=socket=$dir/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/%n
SlurmctldPidFile=$dir/slurmctld.own.pid
SlurmdPidFile=$dir/%n.own.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
SlurmctldTimeout=10
KillWait=5
MinJobAge=300
NodeName=node1 NodeHostname=node1 NodeAddr=127.0.0.1 Port=${ports[1]} CPUs=2 State=UNKNOWN
NodeName=node2 NodeHostname=node2 NodeAddr=127.0.0.1 Port=${ports[2]} CPUs=2 State=UNKNOWN
PartitionName=main Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
CONFIGURATION
    # --force: munged would rather not be root, nor have its socket below a folder for everybody.
    launch munged munged --foreground --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" \
        --pid-file="$dir/munged.own.pid" --log-file="$dir/munged.log" --seed-file="$dir/munged.seed"
    local deadline=$((SECONDS + 10))
    until [ -S "$dir/munge.socket" ]; do
        [ $SECONDS -lt $deadline ] || { cat "$dir"/munged.* >&2; fail "munged does not start"; }
        sleep 0.05
    done
    launch slurmctld slurmctld -D -c
    launch_node node1
    launch_node node2
    wait_for_nodes
    echo "SLURM_CONF=$SLURM_CONF"
}

stop() {
    local name
    for name in node1 node2 slurmctld munged; do kill_holders "$name"; done
}

case $command in
start)
    trap '[ $? = 0 ] || stop' EXIT
    start
    ;;
kill-node) kill_holders "${3:?which node}" ;;
start-node) launch_node "${3:?which node}" ;;
stop) stop ;;
*) fail "unknown command: $command" ;;
esac
