# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh - what the end-to-end tests share. Source it; $Q2P is the command. Ports are chosen by the
# system, on loopback. Nothing is waited for longer than $PATIENCE, and never just for a while.
# shellcheck shell=sh
set -eu

: "${Q2P:?the q2p command}"
PATIENCE=${PATIENCE:-30}
dir=$(mktemp -d)
pids=

cleanup() {
    status=$?
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
    done
    wait
    if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
        for file in "$dir"/*.json "$dir"/*.txt; do
            [ -f "$file" ] && printf -- '--- %s\n' "${file##*/}" && cut -c1-300 "$file"
        done
    fi
    rm -rf "$dir"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

skip() {
    echo "SKIPPED: $*" >&2
    exit 77
}

# wait_for FILE PATTERN: until a line of the file matches.
wait_for() {
    tries=0
    until grep -q -e "$2" "$1" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt $((PATIENCE * 20)) ] || fail "no line like $2 in ${1##*/}"
        sleep 0.05
    done
}

# start_node NAME [options]: a node that writes $dir/NAME.json and saves to $dir/NAME; sets $pid and
# $port.
start_node() {
    name=$1
    shift
    "$Q2P" node --json --port 0 --save "$dir/$name" "$@" >"$dir/$name.json" 2>"$dir/$name.txt" &
    pid=$!
    pids="$pids $pid"
    wait_for "$dir/$name.json" '"type":"listening"'
    # shellcheck disable=SC2034 # for who calls
    port=$(sed -n 's/.*"type":"listening".*"port":\([0-9]*\).*/\1/p' "$dir/$name.json")
}

# expect CODE PATTERN COMMAND...: how it must end, and what one of the lines it writes must match.
expect() {
    code=$1
    pattern=$2
    shift 2
    status=0
    "$@" >"$dir/expect.txt" 2>&1 </dev/null || status=$?
    [ "$status" -eq "$code" ] || fail "exit code $status, want $code: $*"
    grep -q -e "$pattern" "$dir/expect.txt" || fail "no line like $pattern: $*"
}

sha256_of() {
    sha256sum "$1" | cut -d' ' -f1
}
