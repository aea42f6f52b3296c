#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A node ends when it was told to, with its totals and exit code 0.
. "$(dirname "$0")/lib.sh"

"$Q2P" node --json --port 0 --for 50ms >"$dir/for.json" || fail "--for ended with $?"
tail -n 1 "$dir/for.json" | grep -q '"type":"summary".*"datagrams_in":0' || fail "no totals"

for signal in INT TERM; do
    start_node "$signal"
    # a background process of a script ignores SIGINT, unless it catches it, as the node does
    kill -s "$signal" "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 0 ] || fail "SIG$signal ended it with $status"
    tail -n 1 "$dir/$signal.json" | grep -q '"type":"summary"' || fail "no totals after SIG$signal"
done

# What arrives is not saved where that cannot be: said, and the node goes on; the exit code tells.
start_node lost
rm -r "$dir/lost"
echo hello >"$dir/hello"
"$Q2P" send "$dir/hello" --to "127.0.0.1:$port" --quiet-after 100ms >"$dir/send.txt" || fail "send"
wait_for "$dir/lost.json" '"type":"delivered"'
grep -q "q2p: cannot write .*: No such file" "$dir/lost.txt" || fail "silent about a full disk"
kill "$pid"
status=0
wait "$pid" || status=$?
[ "$status" -eq 4 ] || fail "unsaved data ended it with $status"
