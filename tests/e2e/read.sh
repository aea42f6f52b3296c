#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# decode and check on what anybody may give them. read.sh RECORDED
. "$(dirname "$0")/lib.sh"
recorded=$1
capture=$recorded/upstream-options-late-resend.pcapng

# A hex line in every spelling, and one that has two meanings.
for hex in 00000500 "00 00 05 00" 00:00:05:00 0x00000500; do
    expect 0 "^Connect, all dialects, 4 bytes, PROTOCOL.md 3.1" "$Q2P" decode "$hex"
done
key=00112233445566778899aabbccddeeff
expect 0 "^Options Feedback, options" "$Q2P" decode "00000900$key"
expect 0 "^Transport Failed, classic" "$Q2P" decode "00000900$key"
expect 0 "^Options Feedback, options" "$Q2P" decode -d options "00000900$key"
if grep -q classic "$dir/expect.txt"; then
    fail "two meanings in one dialect"
fi
expect 0 "20..23  *length  *3.6  *969" "$Q2P" decode "00000800${key}c9030000010000006161"
expect 0 "share of the announced length" "$Q2P" decode "00000800${key}c9030000010000006161"
expect 0 "message ends before the field does" "$Q2P" decode 00

# In a capture the conversation tells, and standard input is as good as a file.
"$Q2P" decode --json "$capture" >"$dir/file.json"
"$Q2P" decode --json - <"$capture" >"$dir/stdin.json"
cmp "$dir/file.json" "$dir/stdin.json" || fail "decode reads standard input differently"
cat "$capture" | "$Q2P" decode --json - >"$dir/pipe.json" || fail "decode of a pipe ended with $?"
cmp "$dir/file.json" "$dir/pipe.json" || fail "decode reads a pipe differently"
[ "$(grep -c '"type":"message"' "$dir/file.json")" -eq 12 ] || fail "12 messages"
sed -n 3p "$dir/file.json" | grep -q '"event":"OPTIONSFEEDBACK"' || fail "frame 3 is an answer"
"$Q2P" decode "$recorded/upstream-classic-late-resend.pcapng" | grep '^Transport Failed, classic, 20 bytes' \
    >"$dir/empty.txt" || fail "frame 9 is an empty list"

# check: the same from standard input, several files, --strict, and nothing but what went wrong.
"$Q2P" check --json - <"$capture" | grep -v '"type":"summary"' >"$dir/stdin.json"
"$Q2P" check --json "$capture" | grep -v '"type":"summary"' >"$dir/file.json"
cmp "$dir/file.json" "$dir/stdin.json" || fail "check reads standard input differently"
"$Q2P" check --json "$capture" "$capture" | grep -c '"type":"transmission".*"file":"' \
    >"$dir/count.txt" || true
[ "$(cat "$dir/count.txt")" -eq 2 ] || fail "two captures, one transmission each"
expect 0 "1 missing: 2" "$Q2P" check "$capture"
expect 1 "1 missing: 2" "$Q2P" check --strict "$capture"
expect 0 "complete" "$Q2P" check --strict "$recorded/upstream-options-single.pcapng"
expect 0 "a question, as ping asks" \
    "$Q2P" check --strict "$recorded/../crafted/questions-are-no-transmissions.pcapng"
[ -z "$("$Q2P" check --quiet "$capture")" ] || fail "--quiet talks"
head -c 1500 "$capture" >"$dir/broken.pcapng"
expect 3 "breaks off behind frame" "$Q2P" check "$dir/broken.pcapng"

# What is no capture at all.
: >"$dir/empty.pcap"
expect 3 "the file is empty" "$Q2P" check "$dir/empty.pcap"
expect 3 "the file is empty" "$Q2P" check - </dev/null
expect 3 "Is a directory" "$Q2P" check "$dir"
expect 3 "No such file" "$Q2P" check "$dir/nowhere"
gzip -c "$capture" >"$dir/packed.pcapng.gz"
expect 3 "gzip -dc FILE" "$Q2P" check "$dir/packed.pcapng.gz"

# Token ring, type 6, in the first interface's description, behind the section.
cp "$capture" "$dir/ring.pcapng"
printf '\006' | dd of="$dir/ring.pcapng" bs=1 conv=notrunc 2>/dev/null \
    seek=$(($(od -An -tu4 -j4 -N4 "$capture") + 8))
expect 3 "no frame is of a link layer that can be read" "$Q2P" check "$dir/ring.pcapng"
grep -q "the first, of type 6, is frame 1" "$dir/expect.txt" || fail "which frame, which type"
cat "$dir/ring.pcapng" "$capture" >"$dir/both.pcapng"
expect 0 "the first, of type 6, is frame 1" "$Q2P" check "$dir/both.pcapng"
