#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# matrix.sh [SUITE...] - builds the plugin, with warnings as errors, and runs the golden tests with the
# Wireshark of this machine ("here") and of other Debian suites, each in a root of its own: bookworm
# has 4.0, trixie 4.4, sid 4.6. Without arguments: here trixie sid. The roots are made once, from the
# mirror of this machine, and kept in ${XDG_CACHE_HOME:-~/.cache}/q2p (0.7 GB each). A suite that
# cannot be had is skipped, and said so; a table at the end tells all of it; exit code 1 if a build or
# a test has failed somewhere.
#
#   Q2P_BUILD  where "here" is built (default: build)
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/q2p
packages=tshark,wireshark-common,libwireshark-dev,libwiretap-dev,libwsutil-dev,wireshark-dev
packages=$packages,gcc,libc6-dev,cmake,ninja-build,pkg-config,binutils,nettle-dev,libyaml-dev
packages=$packages,libpcap-dev,libcmocka-dev,libjansson-dev,python3,python3-scapy,python3-yaml
packages=$packages,util-linux

say() {
  printf 'matrix: %s\n' "$*"
}

# row SUITE WIRESHARK RESULT: a line of the table at the end.
row() {
  printf '%-10s %-10s %s\n' "$1" "$2" "$3" >>"$table"
  say "$1: $3"
}

# reason: why roots of other suites cannot be had at all, if so.
reason() {
  [ "$(id -u)" -eq 0 ] || { echo "roots of other suites take root"; return; }
  command -v mmdebstrap >/dev/null || { echo "mmdebstrap is not installed"; return; }
  [ -n "$mirror" ] || echo "no mirror in /etc/apt"
}

mirror=$(cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs: *//p' | head -n 1)
[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' \
  /etc/apt/sources.list 2>/dev/null | head -n 1)

# make SUITE: its root, complete or not at all.
make_root() {
  rm -rf "${cache:?}/$1" "${cache:?}/$1.new"
  mkdir -p "$cache"
  say "$1: making its root in $cache (a minute or two)"
  mmdebstrap --mode=root --variant=minbase --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' "$1" "$cache/$1.new" "$mirror" \
    >"$cache/$1.log" 2>&1 || return 1
  printf '%s\n' "$packages" >"$cache/$1.new/q2p-packages"
  mv "$cache/$1.new" "$cache/$1"
}

# What builds and judges, here or in a root: $1 = source, $2 = build directory. The last line of its
# output is the result. What runs the command or other readers does not depend on Wireshark.
# shellcheck disable=SC2016 # it is the shell that gets it that expands this
judge='
  version=$(tshark --version 2>/dev/null | sed -n "s/^TShark[^0-9]*\([0-9.]*[0-9]\).*/\1/p" | head -n 1)
  cmake -S "$1" -B "$2" -G Ninja -DQ2P_BUILD_SIMULATOR=OFF -DQ2P_WERROR=ON >"$2.log" 2>&1 &&
    cmake --build "$2" --target q2p_plugin >>"$2.log" 2>&1 || {
    tail -n 40 "$2.log"
    echo "${version:-?} does not build"
    exit 1
  }
  status=0
  ctest --test-dir "$2" -L golden -LE check -E "golden[.](check|readers)" -j "$(nproc)" \
    --output-on-failure >"$2.tests" 2>&1 || status=1
  grep -vE "^ *(Start |[0-9]+/[0-9]+ .* Passed)" "$2.tests"
  passed=$(grep -cE "^ *[0-9]+/[0-9]+ .* Passed" "$2.tests")
  skipped=$(sed -n "s/^ *[0-9]*\/[0-9]* .*golden[.]\([a-z_]*\) .*Skipped.*/\1/p" "$2.tests" | paste -sd " ")
  failed=$(grep -v Skipped "$2.tests" |
    sed -n "s/^ *[0-9]*\/[0-9]* .*golden[.]\([^ ]*\) .*[*][*][*].*/\1/p" | paste -sd " ")
  echo "$version built without a warning, $passed tests passed${skipped:+, skipped: $skipped}" \
    "${failed:+FAILED: $failed}"
  [ "$passed" -gt 0 ] && exit $status
  exit 1'

# run SUITE COMMAND...: judges there; a line for the table.
run() {
  suite=$1
  shift
  ok=passed
  "$@" >"$table.out" 2>&1 || { ok=FAILED status=1; }
  sed '$d' "$table.out"
  result=$(tail -n 1 "$table.out" | sed 's/ *$//')
  row "$suite" "${result%% *}" "$ok: ${result#* }"
}

# source_in SUITE: the files of this work tree that git knows, in its root.
source_in() {
  rm -rf "$cache/$1/q2p/source"
  mkdir -p "$cache/$1/q2p/source"
  (cd "$here" && git ls-files -z --cached --others --exclude-standard |
    tar --null --ignore-failed-read -cf - -T -) | tar -xf - -C "$cache/$1/q2p/source"
}

table=$(mktemp)
trap 'rm -f "$table" "$table.out"' EXIT
status=0
[ $# -gt 0 ] || set -- here trixie sid
for suite in "$@"; do
  if [ "$suite" = here ]; then
    mkdir -p "${Q2P_BUILD:-build}"
    say "here: building and testing"
    run here sh -uc "$judge" judge "$here" "$(cd "${Q2P_BUILD:-build}" && pwd)/matrix"
    continue
  fi
  why=$(reason)
  if [ -z "$why" ] && [ "$(cat "$cache/$suite/q2p-packages" 2>/dev/null)" != "$packages" ] &&
    ! make_root "$suite"; then
    why="its packages cannot be had: $(tail -n 1 "$cache/$suite.log")"
    rm -rf "$cache/$suite.new"
  fi
  if [ -n "$why" ]; then
    row "$suite" - "skipped: $why"
    continue
  fi
  source_in "$suite"
  say "$suite: building and testing"
  run "$suite" chroot "$cache/$suite" sh -uc "$judge" judge /q2p/source /q2p/build
done
printf '\n%-10s %-10s %s\n' suite Wireshark result
cat "$table"
exit $status
