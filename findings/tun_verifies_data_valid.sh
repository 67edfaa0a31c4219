#!/usr/bin/env bash
# What is written to a TUN with VIRTIO_NET_HDR_F_DATA_VALID has its checksum verified all the same.
#
# Version: Linux 6.18.44.
# Expected: the flag says that the checksum has been verified (virtio 1.2, 5.1.6.4.2), so that a
#   datagram with any checksum is delivered, and a writer need not sum its octets.
# Seen: a UDP datagram with a wrong checksum is dropped and counted (Udp InCsumErrors), with the flag
#   as without it; with VIRTIO_NET_HDR_F_NEEDS_CSUM, the sum left to the kernel, it is delivered.
# Consequence: to be spared summing, a writer says NEEDS_CSUM and puts in the pseudo-header's sum.
set -euo pipefail
if [[ ${IN_NAMESPACE-} != yes ]]; then
  if [[ $(id -u) == 0 ]]; then how=(unshare -n); else how=(unshare -Urn); fi
  "${how[@]}" true || { echo "no network namespace to be had; run it as root" >&2; exit 3; }
  IN_NAMESPACE=yes exec "${how[@]}" "$0"
fi
[[ -w /dev/net/tun ]] || { echo "/dev/net/tun is not there for this user; run it as root, or modprobe tun" >&2; exit 3; }
python3 - <<'PYTHON'
import fcntl, os, socket, struct, subprocess, sys

TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 1, 0x1000, 0x4000
NEEDS_CSUM, DATA_VALID = 1, 2

tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"finding0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
subprocess.run("ip addr add 10.77.0.1/24 dev finding0 && ip link set finding0 up", shell=True, check=True)
receiver = socket.socket(type=socket.SOCK_DGRAM)
receiver.bind(("10.77.0.1", 7))
receiver.settimeout(1)

def fold(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total

def delivered(flags, udp_checksum):
    source, target, payload = socket.inet_aton("10.77.0.2"), socket.inet_aton("10.77.0.1"), b"finding!"
    length = 8 + len(payload)
    if udp_checksum == "pseudo-header":
        udp_checksum = fold(source + target + struct.pack("!HH", socket.IPPROTO_UDP, length))
    udp = struct.pack("!HHHH", 7, 7, length, udp_checksum) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, socket.IPPROTO_UDP, 0) + source + target
    ip = ip[:10] + struct.pack("!H", fold(ip) ^ 0xFFFF) + ip[12:]
    header = struct.pack("<BBHHHH", flags, 0, 0, 0, 20 if flags & NEEDS_CSUM else 0, 6 if flags & NEEDS_CSUM else 0)
    os.write(tun, header + ip + udp)
    try:
        return receiver.recv(99) == payload
    except TimeoutError:
        return False

def checksum_errors():
    names, values = [line.split() for line in open("/proc/net/snmp") if line.startswith("Udp:")]
    return int(values[names.index("InCsumErrors")])

seen = [delivered(0, 0xDEAD), checksum_errors(), delivered(DATA_VALID, 0xDEAD), checksum_errors(),
        delivered(NEEDS_CSUM, "pseudo-header"), checksum_errors()]
print("delivered: no flag {}, DATA_VALID {}, NEEDS_CSUM {}".format(*seen[::2]), "- InCsumErrors", seen[-1])
sys.exit(seen != [False, 1, False, 2, True, 2])
PYTHON
