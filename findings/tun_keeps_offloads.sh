#!/usr/bin/env bash
# A persistent TUN interface keeps the offloads its last user switched on, also for a user that opens
# it without IFF_VNET_HDR and can neither see nor take them.
#
# Version: Linux 6.18.44.
# Expected: TUNSETOFFLOAD belongs to the descriptor, or at least to users with IFF_VNET_HDR: whoever
#   opens the interface without it reads complete datagrams.
# Seen: after a user that had set TUN_F_CSUM, the next one, without IFF_VNET_HDR, reads TCP segments
#   whose checksum holds the sum of the pseudo-header alone: every SYN of the kernel's is broken. Once
#   it sets TUNSETOFFLOAD 0, for which it needs no IFF_VNET_HDR, they are whole.
# Consequence: whoever opens a TUN sets its offloads, also if it wants none.
set -euo pipefail
if [[ ${IN_NAMESPACE-} != yes ]]; then
  if [[ $(id -u) == 0 ]]; then how=(unshare -n); else how=(unshare -Urn); fi
  "${how[@]}" true || { echo "no network namespace to be had; run it as root" >&2; exit 3; }
  IN_NAMESPACE=yes exec "${how[@]}" "$0"
fi
[[ -w /dev/net/tun ]] || { echo "/dev/net/tun is not there for this user; run it as root, or modprobe tun" >&2; exit 3; }
python3 - <<'PYTHON'
import fcntl, os, socket, struct, subprocess, sys

TUNSETIFF, TUNSETOFFLOAD, TUNSETPERSIST = 0x400454CA, 0x400454D0, 0x400454CB
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR, TUN_F_CSUM = 1, 0x1000, 0x4000, 1

def open_tun(flags):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"finding0", IFF_TUN | IFF_NO_PI | flags))
    return tun

def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF

def syn_is_whole(tun):
    """Has the kernel open a connection into the TUN, and checks the SYN that comes out."""
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex(("10.77.0.2", 80))
        while True:
            datagram = os.read(tun, 65535)
            if datagram[0] >> 4 == 4 and datagram[9] == socket.IPPROTO_TCP:
                break
    tcp = datagram[(datagram[0] & 15) * 4:]
    pseudo = datagram[12:20] + struct.pack("!HH", socket.IPPROTO_TCP, len(tcp))
    return checksum(pseudo + tcp) == 0

first = open_tun(IFF_VNET_HDR)
fcntl.ioctl(first, TUNSETPERSIST, 1)
subprocess.run("ip addr add 10.77.0.1/24 dev finding0 && ip link set finding0 up", shell=True, check=True)
fcntl.ioctl(first, TUNSETOFFLOAD, TUN_F_CSUM)
os.close(first)

second = open_tun(0)
inherited = syn_is_whole(second)
fcntl.ioctl(second, TUNSETOFFLOAD, 0)
cleared = syn_is_whole(second)
print("checksum of the SYN: with the offloads that were left,", "right" if inherited else "wrong",
      "- after TUNSETOFFLOAD 0,", "right" if cleared else "wrong")
sys.exit(inherited or not cleared)
PYTHON
