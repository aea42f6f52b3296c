#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Files go out by `q2p send` and come in by `q2p recv`: many at a time, from and to pipes, with
# names that do not travel.
. "$(dirname "$0")/lib.sh"

# start_recv NAME [options]: its exit code will be in $dir/NAME.code; sets $port.
start_recv() {
    name=$1
    shift
    { status=0
      "$Q2P" recv --json --port 0 --ip 127.0.0.1 "$@" >"$dir/$name.out" 2>"$dir/$name.txt" ||
          status=$?
      echo $status >"$dir/$name.code"; } &
    until port=$(sed -n 's/.*"type":"listening".*"port":\([0-9]*\).*/\1/p' "$dir/$name.out" \
        "$dir/$name.txt" 2>/dev/null) && [ -n "$port" ]; do
        sleep 0.05
    done
}

send() {
    "$Q2P" send "$@" --json --to "127.0.0.1:$port" --ip 127.0.0.1 --quiet-after 700ms \
        >"$dir/send.json" || fail "sending $* ended with $?"
}

head -c 300000 /dev/urandom >"$dir/one"
for dialect in classic options; do
    # from a pipe, to a pipe: the data alone on standard output
    start_recv pipe
    send - --dialect "$dialect" <"$dir/one"
    wait_for "$dir/pipe.code" '^0$'
    cmp "$dir/one" "$dir/pipe.out" || fail "another file came out of the pipe"
    grep -q '"type":"delivered"' "$dir/pipe.txt" || fail "nothing was told beside the data"
    rm "$dir"/pipe.*

    # into a file of that name
    start_recv file --out "$dir/kept"
    send "$dir/one" --dialect "$dialect"
    wait_for "$dir/file.code" '^0$'
    cmp "$dir/one" "$dir/kept" || fail "another file was kept"
    rm "$dir"/file.* "$dir/kept"

    # twenty at once, two of them the same, into a directory
    names=
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
        head -c $((i * 10001)) /dev/urandom >"$dir/many$i"
        names="$names $dir/many$i"
    done
    cp "$dir/many7" "$dir/many20"
    start_recv all --out "$dir/all/" --count 19
    # shellcheck disable=SC2086 # a list of words
    send $names "$dir/many20" --dialect "$dialect"
    wait_for "$dir/all.code" '^0$'
    for name in $names; do
        cmp "$name" "$dir/all/$(sha256_of "$name")" || fail "$name did not arrive"
    done
    [ "$(find "$dir/all" -type f | wc -l)" -eq 19 ] || fail "not 19 files"
    [ "$(grep -c '"type":"sending".*"file":' "$dir/send.json")" -eq 20 ] || fail "not 20 sent"
    rm -r "$dir"/all "$dir"/all.* "$dir"/many*
done

# One that is missing is said, the others go; the exit code tells.
start_recv rest --out "$dir/rest/" --count 1
status=0
"$Q2P" send /dev/null "$dir/one" --to "127.0.0.1:$port" >/dev/null 2>&1 || status=$?
[ "$status" -eq 3 ] || fail "the first file was empty, and yet $status"
"$Q2P" send "$dir/one" "$dir/nothing" --to "127.0.0.1:$port" --quiet-after 300ms --quiet \
    2>"$dir/missing.txt" && fail "a missing file is fine"
grep -q "nothing: No such file" "$dir/missing.txt" || fail "silent about a missing file"
wait_for "$dir/rest.code" '^0$'
cmp "$dir/one" "$dir/rest/$(sha256_of "$dir/one")" || fail "the others did not arrive"

# A pipe that nobody writes into yet keeps no other file waiting, nor the command from ending.
mkfifo "$dir/slow"
start_recv fast --out "$dir/fast/" --count 2
exec 3<>"$dir/slow" # else opening it would wait
"$Q2P" send "$dir/one" "$dir/slow" --json --to "127.0.0.1:$port" --ip 127.0.0.1 \
    --quiet-after 700ms >"$dir/send.json" 3>&- &
pid=$!
pids="$pids $pid"
wait_for "$dir/fast.out" '"type":"delivered"'
head -c 200000 "$dir/one" | tail -c 150000 >"$dir/two"
cat "$dir/two" >&3
exec 3>&-
wait "$pid" || fail "sending from a slow pipe ended with $?"
wait_for "$dir/fast.code" '^0$'
for name in one two; do
    cmp "$dir/$name" "$dir/fast/$(sha256_of "$dir/$name")" || fail "$name did not arrive"
done
start_node term
exec 3<>"$dir/slow"
"$Q2P" send "$dir/one" "$dir/slow" --quiet --to "127.0.0.1:$port" 2>"$dir/term.err" 3>&- &
pid=$!
wait_for "$dir/term.json" '"type":"delivered"'
kill "$pid"
status=0
wait "$pid" || status=$?
[ "$status" -eq 143 ] && [ ! -s "$dir/term.err" ] || fail "SIGTERM ended it with $status"
exec 3>&-

# A place that has gone is exit code 4.
start_recv gone --out "$dir/gone/"
rmdir "$dir/gone"
send "$dir/one"
wait_for "$dir/gone.code" '^4$'
grep -q "cannot write" "$dir/gone.txt" || fail "silent about what was not kept"

# What is no file is written into, never replaced.
mkfifo "$dir/pipe"
cat "$dir/pipe" >"$dir/through" &
start_recv into --out "$dir/pipe"
send "$dir/one"
wait_for "$dir/into.code" '^0$'
[ -p "$dir/pipe" ] || fail "a file in the place of a pipe"
cmp "$dir/one" "$dir/through" || fail "another file came through the pipe"
