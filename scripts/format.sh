#!/usr/bin/env bash
# Formats every C++ file with clang-format 19; with --check it changes nothing, prints what it would
# change and ends with 1.
set -euo pipefail
cd "$(dirname "$0")/.."

formatter=clang-format-19
if ! command -v $formatter >/dev/null; then
  echo "$0: $formatter is not installed; scripts/install_packages.sh check installs it" >&2
  exit 3
fi
mode=(-i)
[[ ${1-} == --check ]] && mode=(--dry-run -Werror)

folders=()
for folder in include src tests fuzz bench examples; do
  [[ ! -d $folder ]] || folders+=("$folder")
done
find "${folders[@]}" '(' -name '*.h' -o -name '*.cpp' ')' -print0 |
  xargs --null --max-procs=2 --max-args=16 "$formatter" --style=file "${mode[@]}" || exit 1
