#!/usr/bin/env bash
# What `estab serve` costs when nobody asks anything any more: `wrk -c64` several times, then ten
# seconds of silence, and the processor time the server took in them. A timer that was forgotten, or
# a wake-up that is never consumed, shows here as a core that is busy for nothing. Needs root, or a
# user namespace; everything happens in a network namespace that ends with the script.
#
#   ESTAB=build/release/bin/estab RUNS=12 IDLE_S=10 bench/idle_after_load.sh
set -euo pipefail
cd "$(dirname "$0")/.."
estab=${ESTAB:-$PWD/build/release/bin/estab}
runs=${RUNS:-12}
idle_s=${IDLE_S:-10}

if [ "${IN_NAMESPACE:-}" != yes ]; then
  [ -x "$estab" ] || { echo "idle_after_load: no program at $estab; make it with: make build" >&2; exit 2; }
  command -v wrk >/dev/null || { echo "idle_after_load: wrk is missing; install it with: scripts/install_packages.sh test" >&2; exit 3; }
  if [ "$(id -u)" = 0 ]; then how=(unshare -n); else how=(unshare -Urn); fi
  IN_NAMESPACE=yes ESTAB=$estab RUNS=$runs IDLE_S=$idle_s exec "${how[@]}" "$0" ||
    { echo "idle_after_load: no namespace to be had; run it as root" >&2; exit 3; }
fi

dir=$(mktemp -d)
ip link set lo up
head -c 1000 /dev/urandom >"$dir/file"
"$estab" serve "$dir" --quiet --link tun:bench0 --address 10.9.0.2/24 --host-address 10.9.0.1/24 2>"$dir/log" &
server=$!
cleanup() {
  kill -TERM "$server" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap cleanup EXIT
for _ in $(seq 100); do
  ip address show dev bench0 2>/dev/null | grep -q 10.9.0.1 && grep -q serving "$dir/log" && break
  sleep 0.1
done

# Clock ticks of processor time the server has had, in user and in system mode.
ticks() { awk '{print $14 + $15}' "/proc/$server/stat"; }
requests=0
for _ in $(seq "$runs"); do
  got=$(wrk -t1 -c64 -d1s http://10.9.0.2/file | awk '/requests in/ {print $1}')
  requests=$((requests + got))
done
sleep 1
before=$(ticks)
sleep "$idle_s"
after=$(ticks)
echo "estab serve, idle after $runs times wrk -c64 -d1s ($requests requests)"
awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v s="$idle_s" \
  'BEGIN {printf "  of a core, in %d s of silence           %.1f %%  (aim: under 1 %%)\n", s, 100 * t / hz / s}'
