#!/usr/bin/env bash
# One rotation by a fleet of workers, as an array of tasks in Slurm:
#
#   export KEYROLL_HOME=/srv/keyroll
#   job=$(keyroll rotate --fleet --detach)
#   sbatch --array=0-3 --export=ALL,KEYROLL_JOB=$job jobs/slurm-rotate.sh
#
# Each node reads keyroll.yaml and the root key in $KEYROLL_HOME; the secrets and the ring are in PostgreSQL. A task that is
# killed is no loss: what it held goes to the others when its lease is over. More tasks may be added at any time.
#SBATCH --job-name=keyroll-rotate
#SBATCH --array=0-3
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=keyroll-%A_%a.log
set -uo pipefail
: "${KEYROLL_JOB:?the rotation to work on; see the top of this file}" "${KEYROLL_HOME:?the home of keyroll}"
umask 077
ulimit -c 0

"${KEYROLL:-keyroll}" work --job "$KEYROLL_JOB" --home "$KEYROLL_HOME" &
worker=$!
# Slurm sends USR1 when the time is nearly over: the worker gives its range back, and ends with 75.
signalled=no
trap 'signalled=yes; kill -TERM "$worker" 2>/dev/null' USR1 TERM
# A signal ends the waiting, and not the worker.
while
    signalled=no
    wait "$worker"
    code=$?
    [ $signalled = yes ]
do :; done

# 75: interrupted; run it again, but not for ever. A task that somebody has cancelled is not RUNNING any more, and does not
# come back. Everything else is for a person, or is success.
if [ $code = 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 10 ] &&
    [ "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T)" = RUNNING ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
