#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tshark.sh ARGS... - TShark with the plugin from the build directory, whoever calls it.
#
# Wireshark ignores WIRESHARK_PLUGIN_DIR when the user or group is root. Root therefore becomes
# user 1000 of a user namespace of its own, which takes nothing away: files stay as readable as
# before. Where namespaces are refused (many containers), root becomes nobody for real and reads copies
# of the plugin, the configuration and the capture after -r, as nobody may not be able to open the originals.
#
#   Q2P_BUILD    build directory (default: build beside this folder)
#   Q2P_PROGRAM  the program to run (default: tshark; editcap, sharkd, wireshark work as well)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${Q2P_BUILD:-$here/../build}
program=${Q2P_PROGRAM:-tshark}
plugins=$build/plugins

command -v "$program" >/dev/null || { echo "tshark.sh: $program is not installed" >&2; exit 4; }
[ -d "$plugins" ] || { echo "tshark.sh: no plugin in $plugins; build it first" >&2; exit 4; }
plugins=$(cd "$plugins" && pwd)
export WIRESHARK_PLUGIN_DIR="$plugins"
export WIRESHARK_ABORT_ON_DISSECTOR_BUG="${WIRESHARK_ABORT_ON_DISSECTOR_BUG-1}"
[ -n "$WIRESHARK_ABORT_ON_DISSECTOR_BUG" ] || unset WIRESHARK_ABORT_ON_DISSECTOR_BUG

# A sanitizer's library must come first in the process, but not in the tools that start it.
set -- "$program" "$@"
[ -z "${Q2P_PRELOAD:-}" ] || set -- env "LD_PRELOAD=$Q2P_PRELOAD" "$@"

if [ "$(id -u)" -ne 0 ] && [ "$(id -g)" -ne 0 ]; then
    exec "$@"
fi
if unshare -U --map-user=1000 --map-group=1000 true 2>/dev/null; then
    exec unshare -U --map-user=1000 --map-group=1000 "$@"
fi

# The slow way. nobody gets a home it can read, with the plugin and the capture in it.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
cp -rL "$plugins" "$home/plugins"
count=$#
last=
while [ "$count" -gt 0 ]; do # rotate the arguments once, with the copy for the capture
    arg=$1
    shift
    if [ "$last" = -r ] && [ -f "$arg" ]; then
        cp -L "$arg" "$home/capture"
        set -- "$@" "$home/capture"
    else
        set -- "$@" "$arg"
    fi
    last=$arg
    count=$((count - 1))
done
if [ -d "${WIRESHARK_CONFIG_DIR:-}" ]; then
    cp -rL "$WIRESHARK_CONFIG_DIR" "$home/config"
    export WIRESHARK_CONFIG_DIR="$home/config"
fi
chmod -R a+rX "$home"
status=0
setpriv --reuid=65534 --regid=65534 --clear-groups \
    env "HOME=$home" "WIRESHARK_PLUGIN_DIR=$home/plugins" "$@" || status=$?
exit $status
