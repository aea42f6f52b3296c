#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every kind of mistake has its exit code and says what was wrong.
. "$(dirname "$0")/lib.sh"

# 2: usage
expect 2 "^Commands:" "$Q2P"
expect 2 "there is no command .frobnicate." "$Q2P" frobnicate
expect 2 "there is no command .frobnicate." "$Q2P" help frobnicate
for command in node send recv ping decode check; do
    expect 2 "$command: there is no option .--frobnicate." "$Q2P" $command --frobnicate
    expect 2 "$command: there is no value behind .--port." "$Q2P" $command --port
    expect 2 "want a number from [01] to 65535" "$Q2P" $command --port 65536 x
    case $command in
        node | recv) expect 2 "auto, always or never" "$Q2P" $command --color=sometimes ;;
        *) expect 2 "auto, always or never" "$Q2P" $command --color=sometimes x ;;
    esac
    expect 0 "^Example:" "$Q2P" $command --help
    expect 0 "^Example:" "$Q2P" $command -h
    expect 0 "^Example:" "$Q2P" help $command
done
expect 2 "an option without a value got one: .--open=no." "$Q2P" node --open=no
expect 2 "auto, original or ours, not .theirs." "$Q2P" replay --profile theirs x
expect 2 "want a time such as 500ms" "$Q2P" node --lost 500
expect 2 "want a time of 50ms at least" "$Q2P" ping 127.0.0.1:9 --interval 49ms
expect 2 "want a number from 1 to 128" "$Q2P" node --peers-max 129
expect 2 "want classic or options" "$Q2P" node --dialect early
expect 2 "not an address of numbers" "$Q2P" node --ip localhost
expect 2 "want HOST:PORT" "$Q2P" node --port 0 --seed 127.0.0.1
expect 2 "node: want no arguments" "$Q2P" node extra
expect 2 "send: want FILE" "$Q2P" send
expect 2 "to HOST:PORT is missing" "$Q2P" send /dev/null
expect 2 "want HOST:PORT" "$Q2P" send "$0" --to nowhere
expect 2 "one is IPv4, the other IPv6" "$Q2P" send "$0" --ip 127.0.0.1 --to '[::1]:9'
expect 2 "recv: want no arguments" "$Q2P" recv extra
expect 2 "is one file, so --count has to be 1" "$Q2P" recv --out "$dir/one" --count 2
expect 2 "ping: want HOST:PORT" "$Q2P" ping
expect 2 "want HOST:PORT" "$Q2P" ping 127.0.0.1
expect 2 "at least in classic" "$Q2P" ping 127.0.0.1:9 --interval 500ms
expect 2 "there is no option .--seed." "$Q2P" ping 127.0.0.1:9 --seed 127.0.0.1:9
expect 2 "decode: want HEX" "$Q2P" decode
expect 2 "check: want CAPTURE" "$Q2P" check

# 3: an input that is not what it should be
expect 3 "nothing.pcap: No such file" "$Q2P" check "$dir/nothing.pcap"
expect 3 "not a capture: expected pcap or pcapng" "$Q2P" check "$0"
expect 3 "the file is empty" "$Q2P" check -
expect 3 "nothing: No such file" "$Q2P" send "$dir/nothing" --to 127.0.0.1:9
expect 3 "there is nothing in it" "$Q2P" send /dev/null --to 127.0.0.1:9
expect 3 "Is a directory" "$Q2P" decode "$dir"
expect 3 "the file is empty" "$Q2P" decode /dev/null
expect 3 "the file is empty" "$Q2P" decode -
expect 3 "0000zz:5: expected two hex digits" "$Q2P" decode 0000zz
printf '00000500\n# a remark\n\n0000050\n' >"$dir/lines"
expect 3 "lines:4:8: expected two hex digits" "$Q2P" decode "$dir/lines"

# 4: the environment
start_node first --ip 0.0.0.0
expect 4 "^q2p: cannot listen on 0.0.0.0:$port: address already in use$" "$Q2P" node --port "$port"
expect 4 "cannot listen on 192.0.2.1:10000: Cannot assign" "$Q2P" node --ip 192.0.2.1
own=127.7.$(($$ / 250 % 250)).$(($$ % 250 + 1)) # nobody else's, so that any port of it is free
expect 2 "that is this node itself" "$Q2P" node --ip $own --port 20000 --seed $own:20000
expect 2 "that is this node itself, or no place" "$Q2P" send "$0" --to 255.255.255.255:9
expect 4 "host name does not resolve" "$Q2P" node --port 0 --seed "no such host:1"
expect 4 "cannot write ./nowhere/one.: No such file" "$Q2P" recv --port 0 --out /nowhere/one
expect 4 "cannot write ..: No such file" "$Q2P" recv --port 0 --out ""
expect 4 "cannot make $dir/lines/out/" "$Q2P" recv --port 0 --out "$dir/lines/out/"
expect 4 "cannot make $dir/lines: Not a directory" "$Q2P" node --port 0 --save "$dir/lines"
mkdir -m 555 "$dir/shut"
if [ "$(id -u)" -ne 0 ]; then # root may write everywhere
    expect 4 "cannot write into $dir/shut: Permission denied" "$Q2P" recv --port 0 --out "$dir/shut"
    expect 4 "cannot write into $dir/shut: Permission denied" "$Q2P" check --extract "$dir/shut" x
fi
expect 4 "cannot make $dir/lines: Not a directory" "$Q2P" check --extract "$dir/lines" "$0"
expect 4 "cannot make $dir/lines/save" "$Q2P" node --port 0 --save "$dir/lines/save"
expect 4 "cannot write standard output" sh -c "\"$Q2P\" decode 00000500 >/dev/full"

# 1: the peer was not reached
echo hello >"$dir/hello"
expect 1 "is not connected after 0.3 s" \
    "$Q2P" send "$dir/hello" --to 127.0.0.1:9 --seed "127.0.0.1:$port" --wait 300ms
expect 1 "0 of 1 transmissions came in 0.1 s" "$Q2P" recv --port 0 --for 100ms
expect 1 "192.0.2.1:9 never answered" "$Q2P" ping 192.0.2.1:9 --count 1 --timeout 100ms
for dialect in classic options; do # the system's ICMP says so
    closed='^q2p: 127.0.0.1:9 refused: its host says that nobody listens at that port$'
    expect 1 "$closed" "$Q2P" ping 127.0.0.1:9 --count 1 --timeout 20s --dialect $dialect
    expect 1 "$closed" "$Q2P" send "$dir/hello" --to 127.0.0.1:9 --dialect $dialect
    expect 1 "$closed" "$Q2P" send "$dir/hello" --to 127.0.0.1:9 --dialect $dialect --ip 127.0.0.1
done

expect 0 "^q2p [0-9.]*, libq2p [0-9.]*, dialects: early (read only) classic options" "$Q2P" --version
