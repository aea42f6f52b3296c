#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds q2p-sim with each compiler at -O0, at -O3 and with sanitizers, and compares the trace hash of
# every scenario of the gallery. Takes minutes, so it is run by hand: tests/scenario/same_everywhere.sh [FOLDER]
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$(mktemp -d)}
seen=
for compiler in gcc clang clang-14; do
    command -v "$compiler" >/dev/null || continue
    program=$(readlink -f "$(command -v "$compiler")")
    case $seen in *"<$program>"*) continue ;; esac
    seen="$seen<$program>"
    for flags in -O0 -O3 '-O1 -fsanitize=address,undefined'; do
        level=${flags%%=*}
        level=${level#-O1 }
        build=$folder/$compiler$level
        cmake -S "$source" -B "$build" -G Ninja -DCMAKE_C_COMPILER="$compiler" \
            -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$flags" -DQ2P_BUILD_DISSECTOR=OFF \
            -DQ2P_BUILD_TESTS=OFF >/dev/null
        ninja -C "$build" -j2 q2p-sim >/dev/null
        for file in "$source"/simulator/scenarios/*.yaml "$source"/tests/scenario/golden/*.yaml; do
            "$build/bin/q2p-sim" run "$file" --no-files |
                sed -n "s|^trace hash:|$(basename "$file")|p"
        done >"$folder/$compiler$level.hashes"
        echo "$compiler $level: $(wc -l <"$folder/$compiler$level.hashes") runs"
        cmp "$folder/gcc-O0.hashes" "$folder/$compiler$level.hashes"
    done
done
echo "the same everywhere: $folder"
