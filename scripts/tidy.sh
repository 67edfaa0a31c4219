#!/usr/bin/env bash
# clang-tidy over the sources that a build tree compiles, by .clang-tidy; the tree need only be
# configured. Ends with 1 if there is a finding.
#
#   scripts/tidy.sh BUILD_TREE [REGEX...]      only sources whose path matches a REGEX, as in src/tcp/
#
# What is no mistake is marked where it stands, with the reason: `// NOLINT(check): why`.
set -euo pipefail
[[ $# -ge 1 ]] || { echo "usage: $0 BUILD_TREE [REGEX...]" >&2; exit 2; }
tree=$1
shift
[[ -f $tree/compile_commands.json ]] || { echo "$0: no $tree/compile_commands.json; make it with: cmake --preset tidy" >&2; exit 2; }
# How many warnings of system headers were left unsaid is nobody's concern.
run-clang-tidy-19 -quiet -p "$tree" -j "$(nproc)" "$@" 2> >(grep -v ' generated\.$' >&2)
