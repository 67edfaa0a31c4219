#!/usr/bin/env bash
# TUNGETIFF says IFF_NO_PI of every TUN interface, also of one that puts flags and protocol before
# each frame.
#
# Version: Linux 6.18.44.
# Expected: TUNGETIFF answers with the flags the interface was made with, so that whoever is handed
#   the descriptor can find out how its frames look.
# Seen: the answer holds IFF_NO_PI whether or not TUNSETIFF did; the frames are as TUNSETIFF said.
#   IFF_VNET_HDR is told truly.
# Consequence: whoever hands the descriptor over has to say whether frames begin with packet info.
set -euo pipefail
if [[ ${IN_NAMESPACE-} != yes ]]; then
  if [[ $(id -u) == 0 ]]; then how=(unshare -n); else how=(unshare -Urn); fi
  "${how[@]}" true || { echo "no network namespace to be had; run it as root" >&2; exit 3; }
  IN_NAMESPACE=yes exec "${how[@]}" "$0"
fi
[[ -w /dev/net/tun ]] || { echo "/dev/net/tun is not there for this user; run it as root, or modprobe tun" >&2; exit 3; }
python3 - <<'PYTHON'
import fcntl, os, socket, struct, subprocess, sys

TUNSETIFF, TUNGETIFF = 0x400454CA, 0x800454D2
IFF_TUN, IFF_NO_PI = 1, 0x1000
REQUEST = "16sH22x"

def look(flags):
    """What TUNGETIFF says, and where the IP header of the first datagram begins."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack(REQUEST, b"finding0", IFF_TUN | flags))
    told = struct.unpack(REQUEST, fcntl.ioctl(tun, TUNGETIFF, bytes(40)))[1]
    subprocess.run("ip addr add 10.77.0.1/24 dev finding0 && ip link set finding0 up", shell=True, check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"hello", ("10.77.0.2", 9))
    frame = b""
    while b"hello" not in frame:
        frame = os.read(tun, 2000)
    os.close(tun)
    return told & IFF_NO_PI != 0, frame.index(0x45)

without, offset_without = look(IFF_NO_PI)
with_info, offset_with = look(0)
print(f"made with IFF_NO_PI: told {without}, the datagram begins at octet {offset_without};",
      f"made without it: told {with_info}, the datagram begins at octet {offset_with}")
sys.exit(0 if (without, offset_without, with_info, offset_with) == (True, 0, True, 4) else 1)
PYTHON
