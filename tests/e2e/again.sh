#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a peer gives up after all has left is sent once more, in several passes; twice is enough.
. "$(dirname "$0")/lib.sh"

python=${PYTHON:-python3}
head -c 20000 /dev/urandom >"$dir/file"

# give_up TIMES: starts such a peer, sets $port
give_up() {
    "$python" "$(dirname "$0")/giving_up.py" "$1" >"$dir/peer$1.txt" &
    pids="$pids $!"
    wait_for "$dir/peer$1.txt" '^port'
    port=$(sed -n 's/^port //p' "$dir/peer$1.txt")
}

give_up 1
"$Q2P" send "$dir/file" --to "127.0.0.1:$port" --ip 127.0.0.1 --dialect classic --quiet-after 1s \
    >"$dir/send.txt" || fail "sending again ended with $?"
grep -q 'sending .*file once more, 20000 bytes, key ' "$dir/send.txt" || fail "it was not told"
grep -q '^came with 0 copies$' "$dir/peer1.txt" || fail "passes at first"
grep -q '^came with [1-9][0-9]* copies$' "$dir/peer1.txt" || fail "no passes the second time"

give_up 2
expect 1 "did not receive all of" \
    "$Q2P" send "$dir/file" --to "127.0.0.1:$port" --ip 127.0.0.1 --dialect classic --json
[ "$(grep -c '^came' "$dir/peer2.txt")" -eq 2 ] || fail "not sent twice"
