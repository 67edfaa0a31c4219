#!/usr/bin/env bash
# Two stacks in one thread: `estab perf memory` in the forms that matter.
#
#   ESTAB=build/release/bin/estab bench/memory.sh
set -euo pipefail
cd "$(dirname "$0")/.."
estab=${ESTAB:-build/release/bin/estab}
for options in '--idle 100000' '--super-segments --idle 0' '--mtu 9000 --idle 0'; do
  # shellcheck disable=SC2086 # several options in one word
  "$estab" perf memory $options
  echo
done
