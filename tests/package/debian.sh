#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# debian.sh CPACK BUILD SOURCE VERSION - makes the Debian packages, unpacks them into one folder,
# and uses what is in them: a scenario, an example. What lintian calls an error is one, if it is
# installed.
set -eu
cpack=$1 build=$2 source=$3 version=$4
for tool in dpkg-shlibdeps file; do
  command -v $tool >/dev/null || exit 77
done
work=$(mktemp -d "$build/tests/debian.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
  printf '%s\n' "$*"
  exit 1
}

(cd "$build" && "$cpack" -B "$work/packages") >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
for package in libq2p0 libq2p-dev q2p-tools wireshark-q2p; do
  deb=$(echo "$work/packages/${package}_${version}_"*.deb)
  if [ $package = wireshark-q2p ] && [ ! -f "$deb" ]; then
    continue # this build has no plugin
  fi
  dpkg-deb -x "$deb" "$work/root"
  doc=$work/root/usr/share/doc/$package
  grep -q "common-licenses/GPL-2" "$doc/copyright" || fail "$package: no copyright"
  zcat "$doc/changelog.gz" | grep -q "^q2p ($version)" || fail "$package: no change log"
  dpkg-deb -f "$deb" Description | head -1 | grep -q "^Q2P peer-to-peer protocol: " ||
    fail "$package: no description of its own"
done
root=$work/root/usr
if find "$root" -type f -perm -u+x -exec file {} + | grep "not stripped"; then
  fail "debug information in a package"
fi

for scenario in "$source"/simulator/scenarios/*; do
  cmp "$scenario" "$root/share/q2p/scenarios/${scenario##*/}" || fail "a scenario is missing"
done
"$root/bin/q2p-sim" run "$root/share/q2p/scenarios/demo.yaml" --no-files >"$work/log" ||
  { cat "$work/log"; exit 1; }
for page in q2p q2p-sim; do
  zcat "$root/share/man/man1/$page.1.gz" | grep -qi "^.TH \"*$page" || fail "no man page of $page"
done

cc -o "$work/hello" "$root/share/doc/libq2p-dev/examples/hello.c" -I"$root/include" \
  -L"$root/lib" -lq2p
LD_LIBRARY_PATH=$root/lib "$work/hello" | grep -q "delivered: hello" || fail "hello says nothing"
for example in "$source"/libq2p/examples/*.c; do
  cmp "$example" "$root/share/doc/libq2p-dev/examples/${example##*/}" || fail "an example is missing"
done

command -v lintian >/dev/null || exit 0
lintian --allow-root --fail-on error "$work"/packages/*.deb >"$work/log" || {
  grep "^E" "$work/log"
  exit 1
}
