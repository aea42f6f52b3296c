#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two nodes meet through a seed; then a third hands each of them small and large data, having joined
# through the seed as well. transfer.sh DIALECT IP
. "$(dirname "$0")/lib.sh"
dialect=$1
ip=$2

at() { # PORT: the address
    case $ip in
    *:*) echo "[$ip]:$1" ;;
    *) echo "$ip:$1" ;;
    esac
}

if ! "$Q2P" node --ip "$ip" --port 0 --for 1ms >/dev/null 2>&1; then
    skip "cannot listen on $ip"
fi

start_node seed --ip "$ip" -d "$dialect"
seed=$(at "$port")
start_node a --ip "$ip" -d "$dialect" --seed "$seed"
a=$(at "$port")
wait_for "$dir/seed.json" '"type":"join"'
start_node b --ip "$ip" -d "$dialect" --seed "$seed"
b=$(at "$port")

# The seed tells A of B, and B of A: one asks, the other answers.
wait_for "$dir/a.json" "\"type\":\"connect\(ed\)\?\".*\"peer\":\"[^\"]*:${b##*:}\""
wait_for "$dir/b.json" "\"type\":\"connect\(ed\)\?\".*\"peer\":\"[^\"]*:${a##*:}\""

head -c 10240 /dev/urandom >"$dir/small"
head -c 204800 /dev/urandom >"$dir/large"
for to in a b; do
    address=
    eval address=\$$to
    for file in small large; do
        "$Q2P" send "$dir/$file" --json --ip "$ip" -d "$dialect" --seed "$seed" --to "$address" \
            --quiet-after 700ms >"$dir/send-$to-$file.json" ||
            fail "sending $file to $to ended with $?"
        sha256=$(sha256_of "$dir/$file")
        wait_for "$dir/$to.json" "\"type\":\"delivered\".*\"dialect\":\"$dialect\".*\"sha256\":\"$sha256\""
        cmp "$dir/$file" "$dir/$to/$sha256" || fail "$to saved something else"
        grep -q '"type":"connected"' "$dir/send-$to-$file.json" || fail "sent without connecting"
        grep -q '"type":"released"' "$dir/send-$to-$file.json" || fail "no word about silence"
        [ "$(tail -n 1 "$dir/send-$to-$file.json" | grep -c '"type":"summary"')" -eq 1 ] ||
            fail "no summary"
    done
done

# Standard input is as good as a file.
"$Q2P" send - --quiet -d "$dialect" --ip "$ip" --to "$a" --quiet-after 700ms <"$dir/small" ||
    fail "sending from standard input"
