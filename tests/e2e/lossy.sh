#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Several files at a time arrive whole over a way that loses, doubles and reorders one datagram in
# ten, in both dialects.
. "$(dirname "$0")/lib.sh"

python=${PYTHON:-python3}
names=
for i in 1 2 3 4 5; do
    head -c $((i * 60000 + i)) /dev/urandom >"$dir/file$i"
    names="$names $dir/file$i"
done

for dialect in classic options; do
    "$Q2P" recv --json --port 0 --ip 127.0.0.1 --out "$dir/$dialect/" --count 5 --for 60s \
        --dialect "$dialect" >"$dir/$dialect.json" 2>"$dir/$dialect.txt" &
    receiver=$!
    pids="$pids $receiver"
    wait_for "$dir/$dialect.json" '"type":"listening"'
    port=$(sed -n 's/.*"type":"listening".*"port":\([0-9]*\).*/\1/p' "$dir/$dialect.json")
    "$python" "$(dirname "$0")/lossy_relay.py" "$port" 10 7 >"$dir/relay.$dialect.txt" &
    relay=$!
    pids="$pids $relay"
    wait_for "$dir/relay.$dialect.txt" '^port'
    relay_port=$(sed -n 's/^port //p' "$dir/relay.$dialect.txt")

    # shellcheck disable=SC2086 # a list of words
    "$Q2P" send $names --to "127.0.0.1:$relay_port" --ip 127.0.0.1 --dialect "$dialect" \
        --quiet-after 3s >"$dir/send.txt" || fail "sending in $dialect ended with $?"
    wait "$receiver" || fail "receiving in $dialect ended with $?"
    for name in $names; do
        cmp "$name" "$dir/$dialect/$(sha256_of "$name")" || fail "$name did not arrive whole"
    done
    grep -q ', [1-9][0-9]* sent again' "$dir/send.txt" || fail "nothing had to be sent again"
    [ "$dialect" = classic ] || grep -q 'the peer says that all arrived' "$dir/send.txt" ||
        fail "the sender did not learn that all arrived"
    kill "$relay"
    wait "$relay" || true
    grep -q '^lost [1-9]' "$dir/relay.$dialect.txt" || fail "nothing was lost on the way"
done
