#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# build.sh PRESET [TARGET...] : configures what was not configured yet, and builds what changed. Silent when nothing
# did. For the program alone, only the packages for `build` are needed: the tests, benchmarks and examples are
# configured once somebody wants more.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset="$1"
shift

# Ninja configures again by itself when a CMake file has changed, but not when the presets have. The stamp says whether all is
# configured, or the program alone.
stamp="build/$preset/configured"
there="$(cat "$stamp" 2>/dev/null || true)"
all=ON
if [[ $* == sheaf_program && $there != ON ]]; then all=OFF; fi
if [[ $there != "$all" || CMakePresets.json -nt $stamp ]]; then
  printf 'sheaf: configuring %s\n' "$preset" >&2
  cmake --preset "$preset" -DSHEAF_BUILD_{TESTS,BENCH,EXAMPLES}="$all" --log-level=WARNING >/dev/null
  echo "$all" >"$stamp"
  printf 'sheaf: building %s, which takes some minutes the first time\n' "$preset" >&2
fi

if [[ -t 2 ]]; then
  ninja -C "build/$preset" "$@" >&2
else
  ninja -C "build/$preset" --quiet "$@" | { grep -v '^ninja: no work to do' || true; } >&2
fi
