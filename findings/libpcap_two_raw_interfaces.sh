#!/usr/bin/env bash
# libpcap refuses a pcapng file with two interfaces of LINKTYPE_RAW, though both are of one type.
#
# Versions: libpcap0.8 1.10.3-1, tcpdump 4.99.3-1 (Debian 12).
# Expected: libpcap reads a pcapng file whose interfaces are all of one link type and snapshot length;
#   it says so (pcap-ng has no per-packet link type in its interface), and does so for Ethernet.
# Seen: with two interfaces of LINKTYPE_ETHERNET (1) both packets are read; with two of LINKTYPE_RAW
#   (101), the first is read and at the second interface's description tcpdump ends with 1:
#     tcpdump: pcap_loop: an interface has a type 101 different from the type of the first interface
#   The number in the file is compared with what the first one was translated to, DLT_RAW (12).
# Consequence: a capture of raw IP has one interface, and tells directions by epb_flags.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -q libpcap0.8=1.10.3-1 tcpdump=4.99.3-1 >apt.log 2>&1 || { cat apt.log >&2; exit 3; }
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name 'libpcap.so.0.8')")
export LD_LIBRARY_PATH
tcpdump=$dir/root/usr/bin/tcpdump

# A file of two interfaces with that link type, one UDP packet on each.
write_capture() {
  python3 - "$1" "$2" <<'PYTHON'
import struct, sys
path, link_type = sys.argv[1], int(sys.argv[2])
block = lambda kind, body: struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
packet = bytes.fromhex("4500001c000000004011f6ce0a0000010a000002" "0007000700080000")
if link_type == 1:
    packet = bytes(12) + b"\x08\x00" + packet
padded = packet + bytes(-len(packet) % 4)
interface = block(1, struct.pack("<HHI", link_type, 0, 65535))
record = lambda number: block(6, struct.pack("<IIIII", number, 0, 0, len(packet), len(packet)) + padded)
section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
open(path, "wb").write(section + interface + record(0) + interface + record(1))
PYTHON
}
packets_read() { "$tcpdump" -Z "$(id -un)" -nr "$1" 2>"$1.err" | wc -l; }

write_capture ethernet.pcapng 1
write_capture raw.pcapng 101
ethernet=$(packets_read ethernet.pcapng) || true
raw=$(packets_read raw.pcapng) || true
reason=$(tail -n 1 raw.pcapng.err)
echo "packets read: Ethernet $ethernet of 2, RAW $raw of 2"
echo "$reason"
[[ $ethernet == 2 && $raw == 1 && $reason == *"type 101 different from the type of the first interface"* ]]
