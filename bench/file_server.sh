#!/usr/bin/env bash
# The same 1 GiB file fetched with the kernel's curl from `estab serve` over a TUN, and from nginx
# (sendfile) over a veth pair, with CUBIC and with BBR; in turn, in one run, medians and their ratios.
# Needs root, or a user namespace. Everything happens in network namespaces that end with the script.
#
# nginx sends by the congestion control of the route back to the client. The default of a namespace
# would not do: it comes from the machine's first namespace, whatever its owner has set there (BBR
# here), and inside another only what tcp_allowed_congestion_control lists may be set.
#
#   ESTAB=build/release/bin/estab ROUNDS=5 SIZE_MIB=1024 bench/file_server.sh
set -euo pipefail
cd "$(dirname "$0")/.."
estab=${ESTAB:-$PWD/build/release/bin/estab}
rounds=${ROUNDS:-5}
size_mib=${SIZE_MIB:-1024}

if [ "${IN_NAMESPACE:-}" != yes ]; then
  [ -x "$estab" ] || { echo "file_server: no program at $estab; make it with: make build" >&2; exit 2; }
  for tool in nginx curl ip ss; do
    command -v "$tool" >/dev/null || { echo "file_server: $tool is missing; install it with: scripts/install_packages.sh bench" >&2; exit 3; }
  done
  if [ "$(id -u)" = 0 ]; then how=(unshare -nm); else how=(unshare -Urnm); fi
  IN_NAMESPACE=yes ESTAB=$estab ROUNDS=$rounds SIZE_MIB=$size_mib exec "${how[@]}" "$0" ||
    { echo "file_server: no namespace to be had; run it as root" >&2; exit 3; }
fi

dir=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  umount "$dir/www" 2>/dev/null || true
  rm -rf "$dir"
}
trap cleanup EXIT
mkdir "$dir/www"
mount -t tmpfs -o size=$((size_mib + 16))m tmpfs "$dir/www"  # so that no disk is measured
head -c "${size_mib}M" /dev/urandom >"$dir/www/file"

# nginx in a namespace of its own behind a veth pair: at 10.8.N.2, and by the route to 10.8.N.1 with the
# Nth congestion control.
controls=(cubic bbr)
ip link set lo up
unshare -n sleep 100000 &
pids+=($!)
peer=$!
sleep 0.3
in_peer() { nsenter -t "$peer" -n "$@"; }
ip link add v0 type veth peer name v1
ip link set v1 netns "$peer"
ip link set v0 up
in_peer ip link set v1 up
for i in "${!controls[@]}"; do
  ip address add "10.8.$i.1/24" dev v0
  in_peer ip address add "10.8.$i.2/24" dev v1
  in_peer ip route replace "10.8.$i.0/24" dev v1 src "10.8.$i.2" congctl "${controls[i]}" ||
    { echo "file_server: this kernel has no ${controls[i]}; as root: modprobe tcp_${controls[i]}" >&2; exit 3; }
done
cat >"$dir/nginx.conf" <<CONF
worker_processes 1; daemon off; pid $dir/nginx.pid; error_log $dir/nginx.err;
events { worker_connections 64; }
http { access_log off; sendfile on; tcp_nopush on; server { listen 80; root $dir/www; }
  client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir; }
CONF
chmod 755 "$dir"
in_peer nginx -g 'user root;' -c "$dir/nginx.conf" 2>"$dir/nginx.log" &
pids+=($!)
"$estab" serve "$dir/www" --link tun:bench0 --address 10.9.0.2/24 --host-address 10.9.0.1/24 2>"$dir/estab.log" &
pids+=($!)
for _ in $(seq 50); do
  curl -s -o /dev/null -r 0-0 http://10.9.0.2/file && curl -s -o /dev/null -r 0-0 http://10.8.0.2/file && break
  sleep 0.1
done

# Measure only what is what it says: the kernel names the control of a connection that is sending.
for i in "${!controls[@]}"; do
  curl -s -o /dev/null --limit-rate 1M "http://10.8.$i.2/file" &
  slow=$!
  sleep 0.5
  in_peer ss -Htin src "10.8.$i.2" | grep -qw "${controls[i]}" ||
    { echo "file_server: nginx at 10.8.$i.2 does not send with ${controls[i]}" >&2; exit 1; }
  kill "$slow"
  wait "$slow" 2>/dev/null || true
done

fetch() { curl -sS -o /dev/null -w '%{speed_download}\n' "http://$1/file"; }
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
for _ in $(seq "$rounds"); do
  fetch 10.9.0.2 >>"$dir/estab"
  for i in "${!controls[@]}"; do fetch "10.8.$i.2" >>"$dir/${controls[i]}"; done
done

ours=$(median <"$dir/estab")
echo "curl of $size_mib MiB, medians of $rounds, in turn; estab's share of each (aim: 0.70 of CUBIC)"
line() { awk -v what="$1" -v them="$2" -v us="$ours" 'BEGIN {printf "  %-40s %6.2f Gbit/s  %5.2f\n", what, them * 8 / 1e9, us / them}'; }
line 'estab serve over TUN, offloads on' "$ours"
for control in "${controls[@]}"; do
  line "nginx, sendfile, over veth, ${control^^}" "$(median <"$dir/$control")"
done
