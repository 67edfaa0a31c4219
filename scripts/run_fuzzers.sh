#!/usr/bin/env bash
# Runs every fuzz target of a build tree for a number of seconds. It starts from fuzz/corpus/NAME and
# keeps what it finds in BUILD_TREE/corpus/NAME; a crash leaves its input in BUILD_TREE/crashes.
set -euo pipefail
[[ $# -eq 2 ]] || { echo "usage: $0 BUILD_TREE SECONDS" >&2; exit 2; }

root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
seconds=$2

mkdir -p "$build/crashes"
ran=0
shopt -s nullglob
for program in "$build"/bin/fuzz_*; do
  name=${program##*/fuzz_}
  mkdir -p "$build/corpus/$name"
  echo "== $name, $seconds s"
  "$program" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" "$root/fuzz/corpus/$name"
  ran=$((ran + 1))
done
echo "$ran fuzz targets ran"
[[ $ran -gt 0 ]]
