#!/usr/bin/env bash
# Runs the benchmarks of a build tree: first each Google Benchmark program, then every script of
# bench/ in the order of their names. A script finds the program in $ESTAB and the tree in $BUILD.
set -euo pipefail
[[ $# -eq 1 ]] || { echo "usage: $0 BUILD_TREE" >&2; exit 2; }

root=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$(cd "$1" && pwd)
ESTAB=$BUILD/bin/estab
export BUILD ESTAB

shopt -s nullglob
for program in "$BUILD"/bin/bench_*; do
  echo "== ${program##*/}"
  "$program"
done
for script in "$root"/bench/*.sh; do
  echo "== ${script#"$root"/}"
  bash "$script"
done
