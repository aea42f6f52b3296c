#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install.sh [--uninstall] - the plugin and the profile Q2P for the Wireshark of this machine.
#
# Builds against the installed headers, installs for this user - for everybody when called by
# root, as Wireshark takes no personal plugins from root - and tries the result on a capture.
# --uninstall takes away what it has installed.
#
#   Q2P_BUILD  where build directories go (default: build beside this folder)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${Q2P_BUILD:-$here/../build}/install
sample=$here/../pcaps/recorded/upstream-options-nat-loss.pcapng

say() {
  printf 'install: %s\n' "$*"
}

die() {
  printf 'install: %s\n' "$*" >&2
  exit 4
}

quietly() {
  "$@" >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    die "failed: $*"
  }
}

# folder NAME: where Wireshark itself says that it looks. TShark prints it as "NAME: FOLDER".
folder() {
  tshark -G folders 2>/dev/null | sed -n "s/^$1:[[:space:]]*//p" | head -n 1
}

command -v tshark >/dev/null || die "there is no tshark; install Wireshark or TShark first"
running=$(tshark --version 2>/dev/null |
  sed -n 's/^TShark[^0-9]*\([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
[ -n "$running" ] || die "tshark does not say its version"
if [ "$(id -u)" -eq 0 ] || [ "$(id -g)" -eq 0 ]; then
  whose="everybody" plugins=$(folder "Global Plugins") data=$(folder "Global configuration")
else
  whose="this user" plugins=$(folder "Personal Plugins") data=$(folder "Personal configuration")
fi
{ [ -n "$plugins" ] && [ -n "$data" ]; } || die "tshark -G folders does not name its folders"
case $plugins in # some versions name the folder above
  *"/$running" | *"/$(echo "$running" | tr . -)") ;;
  *) plugins=$plugins/$running ;;
esac
plugin=$plugins/epan/q2p.so
profile=$data/profiles/Q2P

if [ "${1:-}" = --uninstall ]; then
  rm -f "$plugin"
  for file in "$here"/profile/Q2P/*; do
    rm -f "$profile/$(basename "$file")"
  done
  rmdir "$profile" 2>/dev/null || [ ! -e "$profile" ] || say "left alone, as it has other files: $profile"
  say "removed for $whose: $plugin and the profile Q2P"
  exit 0
fi
[ $# -eq 0 ] || {
  echo "usage: install.sh [--uninstall]" >&2
  exit 2
}

# A second copy in another folder would be a warning at each start, and one of them would win.
for other in "$(folder "Global Plugins")" "$(folder "Personal Plugins")"; do
  for found in "$other/epan/q2p.so" "$other/$running/epan/q2p.so"; do
    [ ! -e "$found" ] || [ "$found" = "$plugin" ] ||
      die "there is another one already: $found; remove it first (./dev install-plugin --uninstall, as who installed it)"
  done
done

mkdir -p "$build"
log=$build/install.log
say "building"
! command -v ninja >/dev/null || export CMAKE_GENERATOR=Ninja
quietly cmake -S "$here/.." -B "$build" -DQ2P_BUILD_TESTS=OFF -DQ2P_BUILD_SIMULATOR=OFF
! grep -q '^Wireshark_DIR:.*NOTFOUND' "$build/CMakeCache.txt" ||
  die "the headers of Wireshark are missing (Debian: wireshark-dev)"
quietly cmake --build "$build" --target q2p_plugin
built=$build/plugins/$running/epan/q2p.so
if [ ! -e "$built" ]; then
  others=$(cd "$build/plugins" && echo *)
  die "the headers are of Wireshark $others, but tshark is $running; a plugin runs only in the" \
    "minor version it was built for: install the headers of $running (Debian: wireshark-dev)"
fi

say "installing for $whose: $plugin"
mkdir -p "$plugins/epan" "$profile"
cp "$built" "$plugin.new"
mv -f "$plugin.new" "$plugin"
cp "$here"/profile/Q2P/* "$profile/"

say "trying it"
tshark -G plugins 2>/dev/null | grep '^q2p\.so' | grep -qF "$plugin" ||
  die "tshark does not load $plugin; see: tshark -G plugins"
seen=$(tshark -C Q2P -n -r "$sample" -Y 'q2p.complete == 1 && q2p.reassembled.data' -T fields \
  -e q2p.reassembled.length 2>/dev/null | tr '\n' ' ')
[ "$seen" = "6000 8000 " ] || die "tshark reads the sample wrongly: \"$seen\" in $sample"
say "done: TShark $running reads $(basename "$sample"): two transmissions, 6000 and 8000 bytes"
say "now: wireshark -C Q2P FILE, or choose the profile Q2P at the lower right"
