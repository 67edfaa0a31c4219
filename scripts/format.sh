#!/usr/bin/env bash
# Formats every C++ file that git knows (or would add) with clang-format 19; with --check it changes
# nothing, prints what it would change and ends with 1.
set -euo pipefail
cd "$(dirname "$0")/.."

formatter=clang-format-19
if ! command -v $formatter >/dev/null; then
  echo "$0: $formatter is not installed; scripts/install_packages.sh check installs it" >&2
  exit 3
fi
mode=(-i)
[[ ${1-} == --check ]] && mode=(--dry-run -Werror)
git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cpp' |
  xargs --null --no-run-if-empty --max-procs=2 --max-args=16 "$formatter" --style=file "${mode[@]}"
