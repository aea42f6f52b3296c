#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# matrix.sh [SUITE...] - builds the plugin and runs the golden tests with the Wireshark of other
# Debian suites, each in a root of its own: trixie has 4.4, sid 4.6. The roots are made once, from
# the mirror of this machine, and kept in ${XDG_CACHE_HOME:-~/.cache}/q2p (0.7 GB each). A suite
# that cannot be had is skipped, and said so; exit code 1 if a test fails somewhere.
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

[ "$(id -u)" -eq 0 ] || { say "skipped: roots of other suites take root"; exit 0; }
command -v mmdebstrap >/dev/null || { say "skipped: mmdebstrap is not installed"; exit 0; }
mirror=$(cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs: *//p' | head -n 1)
[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' \
  /etc/apt/sources.list 2>/dev/null | head -n 1)
[ -n "$mirror" ] || { say "skipped: no mirror in /etc/apt"; exit 0; }

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

# judge SUITE: the files of this work tree that git knows, built and tested there.
judge() {
  root=$cache/$1
  rm -rf "$root/q2p/source"
  mkdir -p "$root/q2p/source"
  (cd "$here" && git ls-files -z --cached --others --exclude-standard |
    tar --null --ignore-failed-read -cf - -T -) | tar -xf - -C "$root/q2p/source"
  # shellcheck disable=SC2016 # it is the shell inside that expands this
  chroot "$root" sh -euc '
    cd /q2p/source
    tshark --version 2>/dev/null | head -n 1
    { cmake -S . -B ../build -G Ninja -DQ2P_BUILD_SIMULATOR=OFF -DQ2P_WERROR=ON &&
      cmake --build ../build --target q2p_plugin
    } >../log 2>&1 || { tail -n 40 ../log; exit 1; }
    # What runs the command or other readers does not depend on Wireshark.
    ctest --test-dir ../build -L golden -LE check -E "golden[.](check|readers)" -j "$(nproc)" --output-on-failure'
}

status=0
[ $# -gt 0 ] || set -- trixie sid
for suite in "$@"; do
  if [ "$(cat "$cache/$suite/q2p-packages" 2>/dev/null)" != "$packages" ] && ! make_root "$suite"; then
    say "$suite: skipped, its packages cannot be had: $(tail -n 1 "$cache/$suite.log")"
    rm -rf "$cache/$suite.new"
    continue
  fi
  if judge "$suite"; then
    say "$suite: passed"
  else
    say "$suite: FAILED"
    status=1
  fi
done
exit $status
