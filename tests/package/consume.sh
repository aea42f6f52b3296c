#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# consume.sh CMAKE BUILD CONSUMER VERSION - installs two components of BUILD into a folder of its
# own, moves that away (so that no path of the build can be left in it), and uses it as a stranger
# would: with find_package, with pkg-config, shared and static, from C and C++. Examples are built
# by the command in their heads.
set -eu
cmake=$1 build=$2 consumer=$3 version=$4
work=$(mktemp -d "$build/tests/package.XXXXXX")
trap 'rm -rf "$work"' EXIT

say() {
  printf '%s\n' "$*"
}

for component in libq2p0 libq2p-dev; do
  "$cmake" --install "$build" --prefix "$work/first" --component "$component" >"$work/log"
done
mv "$work/first" "$work/prefix"
libdir=$(dirname "$(find "$work/prefix" -name libq2p.so)")
if grep -rI "$build" "$work/prefix"; then
  say "installed files name the build directory"
  exit 1
fi

say "find_package: shared, static, and each header by itself in C and C++"
"$cmake" -S "$consumer" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DQ2P_INCLUDE="$work/prefix/include" >"$work/log" || { cat "$work/log"; exit 1; }
"$cmake" --build "$work/cmake" >"$work/log" || { cat "$work/log"; exit 1; }
[ "$("$work/cmake/shared")" = "$version" ]
[ "$("$work/cmake/static")" = "$version" ]
if ldd "$work/cmake/static" | grep q2p; then exit 1; fi
ldd "$work/cmake/shared" | grep -q "$libdir/libq2p.so.0"

say "pkg-config: shared, and static with its private libraries"
export PKG_CONFIG_PATH="$libdir/pkgconfig"
[ "$(pkg-config --modversion libq2p)" = "$version" ]
# shellcheck disable=SC2046 # lists of flags
cc -o "$work/pc" "$consumer/program.c" $(pkg-config --cflags --libs libq2p)
[ "$(LD_LIBRARY_PATH=$libdir "$work/pc")" = "$version" ]
for example in "$consumer"/../../../libq2p/examples/*.c; do
  wanted=$(sed -n 's/.*\.c \$(pkg-config --cflags --libs \(.*\)).*/\1/p' "$example")
  case $wanted in *libuv) pkg-config --exists libuv || continue ;; esac
  # shellcheck disable=SC2046,SC2086
  cc -o "$work/example" "$example" $(pkg-config --cflags --libs $wanted)
  LD_LIBRARY_PATH=$libdir timeout 20 "$work/example" | grep "delivered: hello"
done
rm "$libdir"/libq2p.so*
# shellcheck disable=SC2046
cc -o "$work/pc" "$consumer/program.c" $(pkg-config --static --cflags --libs libq2p)
[ "$("$work/pc")" = "$version" ]
