#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `q2p ping` gets answers by the way of each dialect, over IPv4 and IPv6, and counts them.
. "$(dirname "$0")/lib.sh"

start_node asked --open --network-id 7
"$Q2P" ping "127.0.0.1:$port" --network-id 7 -d options --count 5 --interval 50ms --json \
    >"$dir/options.json" || fail "ping in options ended with $?"
[ "$(grep -c '"type":"pong".*"number":[1-5],"rtt_ns":[1-9]' "$dir/options.json")" -eq 5 ] ||
    fail "not five answers"
grep -q '"type":"summary".*"sent":5,"answered":5,"rtt_min_ns":' "$dir/options.json" ||
    fail "no sum"
! grep -q '"type":"\(receiving\|delivered\)"' "$dir/asked.json" ||
    fail "the peer takes a ping for a transmission"
"$Q2P" ping "127.0.0.1:$port" --network-id 7 --count 2 >"$dir/classic.txt" ||
    fail "ping in classic ended with $?"
grep -q '^answer from 127.0.0.1:[0-9]*: number 2, [0-9.]* ms$' "$dir/classic.txt" ||
    fail "no answer in classic"
grep -q '^2 sent, 2 answered, 0 % lost$' "$dir/classic.txt" || fail "no sum"
expect 1 "is of another network, 7" \
    "$Q2P" ping "127.0.0.1:$port" --network-id 8 --count 1 --timeout 300ms
grep -q "never answered" "$dir/expect.txt" || fail "an answer of another network counted"

# what is lost is told at once, into a pipe too; it ends when told to
"$Q2P" ping 192.0.2.1:9 -d options --timeout 100ms >"$dir/silent.txt" 2>&1 &
pid=$!
pids="$pids $pid"
wait_for "$dir/silent.txt" "no answer to number 1"
kill -s INT "$pid"

# ... with its sum
"$Q2P" ping "127.0.0.1:$port" --network-id 7 -d options >"$dir/until.txt" &
pid=$!
wait_for "$dir/until.txt" "number 1"
kill -s INT "$pid"
wait "$pid" || fail "SIGINT ended it with $?"
grep -q "^round trip min" "$dir/until.txt" || fail "no sum after SIGINT"

if "$Q2P" node --ip ::1 --port 0 --for 1ms >/dev/null 2>&1; then
    start_node six --ip ::1
    "$Q2P" ping "[::1]:$port" --ip ::1 -d options --count 1 >"$dir/six.txt" || fail "over IPv6"
fi
