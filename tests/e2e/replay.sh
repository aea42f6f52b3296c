#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# replay, and check with --extract and --manifest, on what anybody may give them. replay.sh PCAPS
. "$(dirname "$0")/lib.sh"
pcaps=$1
capture=$pcaps/recorded/upstream-classic-loss-timeout.pcapng

# An endpoint by address or by IP alone; verdict and rules with their sections.
expect 0 "equivalent; original profile, classic, network 0, lists each 2.00 s" \
    "$Q2P" replay "$capture" --as 10.77.0.1:10000
expect 0 "list-order *PROTOCOL.md 6.5" "$Q2P" replay "$capture" --as 10.77.0.1
expect 0 '"verdict":"equivalent"' "$Q2P" replay --json "$capture" --as 10.77.0.1:10000
expect 0 " 0 different, 0 skipped" "$Q2P" replay --all "$pcaps"

# A node with other timers is another node: the first difference, side by side.
expect 1 "first of .* differences: .*; PROTOCOL.md 3.7" \
    "$Q2P" replay "$capture" --as 10.77.0.1 --lost 700ms
grep -q "recorded  *ours" "$dir/expect.txt" || fail "both sides are shown"

# What cannot be replayed.
expect 3 "no Q2P node sends from 192.0.2.9" "$Q2P" replay "$capture" --as 192.0.2.9
for word in foo "" 10.77.0.1: 10.77.0 10.77.0.1:99999 "fd00::1]" localhost:10000; do
    expect 2 "wants an endpoint of the capture.*not '$word'" "$Q2P" replay "$capture" --as "$word"
done
expect 3 "no Q2P node sends from fd00::1" "$Q2P" replay "$capture" --as fd00::1
expect 3 "not a capture" "$Q2P" replay "$0"
expect 2 "profile is auto, original or ours" "$Q2P" replay --profile mine "$capture"
expect 2 "takes those of the manifest" "$Q2P" replay --all --as 10.77.0.1 "$pcaps"
head -c 1500 "$capture" >"$dir/torn.pcapng"
expect 3 "breaks off behind frame" "$Q2P" replay "$dir/torn.pcapng"
grep -q "as 10.77.0.2:10001" "$dir/expect.txt" || fail "what came before is replayed"

# A folder of somebody's own.
mkdir "$dir/own"
cp "$pcaps/recorded/upstream-classic-single.pcapng" "$dir/own/one.pcapng"
expect 0 "1 captures, 1 as expected" "$Q2P" check --manifest "$dir/own"
expect 0 "^as expected $dir/own/[^/]*$" "$Q2P" check --manifest "$dir/own/"
printf 'captures:\n  - file: one.pcapng\n    found: { complete: 1, pairs: 0 }\n' >"$dir/own/MANIFEST.yaml"
expect 0 "1 captures, 1 as expected" "$Q2P" check --manifest "$dir/own"
printf 'captures:\n  - file: one.pcapng\n    found: { complete: 2 }\n' >"$dir/own/MANIFEST.yaml"
expect 1 "1 complete transmissions, must be 2" "$Q2P" check --manifest "$dir/own"
printf 'captures:\n  - file: one.pcapng\n    found: { complete: two }\n' >"$dir/own/MANIFEST.yaml"
expect 3 "MANIFEST.yaml:3: what must be found is a number" "$Q2P" check --manifest "$dir/own"
expect 3 "No such file" "$Q2P" check --manifest "$dir/nowhere"
expect 0 "captures, [1-9][0-9]* as expected" "$Q2P" check --manifest "$pcaps"

# The job that pcaps/README.md shows, word for word, in a folder as it shows it; and a loss in it fails.
job() {
    sed -n 's/^ *- \(q2p .* captures\/\)$/\1/p' "$pcaps/README.md" >"$dir/job.sh"
    [ "$(wc -l <"$dir/job.sh")" -eq 2 ] || fail "two commands in README.md"
    (cd "$dir/ci" && PATH="$(dirname "$Q2P"):$PATH" sh -e ../job.sh >/dev/null 2>../job.err)
}
mkdir -p "$dir/ci/captures"
cp "$pcaps/recorded/upstream-classic-single.pcapng" "$dir/ci/captures/lab-monday.pcapng"
cat >"$dir/ci/captures/MANIFEST.yaml" <<'END'
captures:
  - file: lab-monday.pcapng
    found: { complete: 1, incomplete: 0, pairs: 0, malformed: 0 }
    replay: ["10.77.0.1:10000"]
END
job || fail "the job: $(cat "$dir/job.err")"
sed -i 's/ complete: 1/ complete: 0/' "$dir/ci/captures/MANIFEST.yaml"
! job || fail "a job that cannot fail"
grep -q "1 complete transmissions, must be 0" "$dir/job.err" || fail "the job does not say why"

# What was sent, as files: the key in classic is the MD5 of the data.
expect 0 "8 transmissions complete" "$Q2P" check --extract "$dir/out" \
    "$pcaps/recorded/upstream-classic-many.pcapng"
[ "$(find "$dir/out" -name '*.bin' | wc -l)" -eq 8 ] || fail "8 files"
for file in "$dir"/out/*; do
    key=$(md5sum <"$file")
    case $file in
    *-"${key%% *}".bin) ;;
    *) fail "$file has another key" ;;
    esac
done
expect 4 "/dev/null" "$Q2P" check --extract /dev/null "$capture"

# A date beyond what nanoseconds of 64 bits can say.
cp "$pcaps/crafted/ipv6.pcapng" "$dir/late.pcapng"
section=$(od -An -tu4 -j4 -N4 "$dir/late.pcapng")
interface=$(od -An -tu4 -j$((section + 4)) -N4 "$dir/late.pcapng")
printf '\377\377\377\177' | dd of="$dir/late.pcapng" bs=1 seek=$((section + interface + 12)) \
    conv=notrunc 2>/dev/null
expect 0 "1 frames, 1 of Q2P" "$Q2P" check "$dir/late.pcapng"
