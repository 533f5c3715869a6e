#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# build.sh PRESET [TARGET...] : configures when that was not done yet, and builds what changed. Silent when nothing did.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset="$1"
shift

# Ninja configures again by itself when a CMake file has changed, but not when the presets have.
stamp="build/$preset/configured"
if [[ ! -e $stamp || CMakePresets.json -nt $stamp ]]; then
  printf 'sheaf: configuring and building %s, which takes some minutes the first time\n' "$preset" >&2
  cmake --preset "$preset" --log-level=WARNING >/dev/null
  touch "$stamp"
fi

if [[ -t 2 ]]; then
  ninja -C "build/$preset" "$@" >&2
else
  ninja -C "build/$preset" --quiet "$@" | { grep -v '^ninja: no work to do' || true; } >&2
fi
