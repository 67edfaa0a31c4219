#!/usr/bin/env bash
# A new network namespace takes its congestion control from the first namespace of the machine, not
# from the one it was made in.
#
# Version: Linux 6.18.44.
# Expected: a namespace made inside another begins with that one's net.ipv4.tcp_congestion_control,
#   as a process begins with its parent's settings; or with the kernel's built-in default, CUBIC.
# Seen: inside a namespace set to reno, a new one begins with what the initial namespace has (here
#   bbr, which the machine's owner chose), whatever its parent says.
# Consequence: a benchmark sets the congestion control in each namespace it makes.
set -euo pipefail
if [[ ${IN_NAMESPACE-} != yes ]]; then
  if [[ $(id -u) == 0 ]]; then how=(unshare -n); else how=(unshare -Urn); fi
  "${how[@]}" true || { echo "no network namespace to be had; run it as root" >&2; exit 3; }
  IN_NAMESPACE=yes exec "${how[@]}" "$0"
fi
setting=/proc/sys/net/ipv4/tcp_congestion_control
initial=$(cat $setting)
other=reno
[[ $initial != reno ]] || other=cubic
echo $other >$setting || exit 3  # not allowed here
child=$(unshare -n cat $setting)
echo "first namespace: $initial; parent: $(cat $setting); child: $child"
[[ $(cat $setting) == "$other" && $child == "$initial" ]]
