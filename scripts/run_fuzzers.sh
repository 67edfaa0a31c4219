#!/usr/bin/env bash
# Runs the fuzz targets of a build tree, all or those named, each for a number of seconds, and prints
# rows for the table in docs/verification.md. It starts from fuzz/corpus/NAME (`script` from the
# scripts of tests/conformance too) and keeps what it finds in BUILD_TREE/corpus/NAME; a finding leaves
# its input in BUILD_TREE/crashes, ends that target, and makes the exit code 1. The log of each is
# BUILD_TREE/fuzz-NAME.log.
set -euo pipefail
[[ $# -ge 2 ]] || { echo "usage: $0 BUILD_TREE SECONDS [TARGET...]" >&2; exit 2; }

root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
seconds=$2
shift 2
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
  shopt -s nullglob
  for program in "$build"/bin/fuzz_*; do targets+=("${program##*/fuzz_}"); done
fi
[[ ${#targets[@]} -gt 0 ]] || { echo "no fuzz target in $build/bin: build the preset fuzz" >&2; exit 2; }

thousands() { sed -E ':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta' <<<"$1"; }

mkdir -p "$build/crashes"
found=0
rows=()
for name in "${targets[@]}"; do
  log=$build/fuzz-$name.log
  mkdir -p "$build/corpus/$name"
  echo "== $name, $seconds s" >&2
  verdict=none
  seeds=("$root/fuzz/corpus/$name")
  if [[ $name == script ]]; then seeds+=("$root/tests/conformance"); fi
  "$build/bin/fuzz_$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=60 \
    -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" \
    "$build/corpus/$name" "${seeds[@]}" >"$log" 2>&1 ||
    { verdict="see $(basename "$log")"; found=1; tail -n 40 "$log" >&2; }
  units=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
  # After a finding the statistics are missing: the last line of progress counts too.
  [[ -n $units ]] || units=$(sed -nE 's/^#([0-9]+)\t.*/\1/p' "$log" | tail -n 1)
  rows+=("| \`$name\` | $(date -u +%F) | $seconds s | $(thousands "${units:-0}") | $verdict |")
  echo "${rows[-1]}"
done
echo "${#rows[@]} fuzz targets ran" >&2
exit "$found"
