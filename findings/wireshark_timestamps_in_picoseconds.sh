#!/usr/bin/env bash
# Wireshark misreads pcapng timestamps that are counted in picoseconds.
#
# Versions: tshark, libwireshark16, libwiretap13, libwsutil14 4.0.17-0+deb12u3 (Debian 12).
# Expected: if_tsresol N means units of 10^-N s (draft-ietf-opsawg-pcapng, Interface Description
#   Block), so that a packet at 5.123456789 s is shown at that time for every N from 9 up.
# Seen: right for N = 9, 10 and 11; with N = 12 its time is 5.012776324, without a warning.
# Consequence: a writer stays at nanoseconds (if_tsresol 9), also where its clock counts finer.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
packages=({tshark,libwireshark16,libwiretap13,libwsutil14}"=4.0.17-0+deb12u3")
lacking=$(apt-get -s --no-install-recommends install "${packages[@]}" | awk '/^Inst / {print $2}')
# shellcheck disable=SC2086 # names of packages, one a word
apt-get download -q "${packages[@]}" $lacking >apt.log 2>&1 || { cat apt.log >&2; exit 3; }
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name 'libwiretap.so.13')")
export LD_LIBRARY_PATH

# A file with one UDP packet at 5.123456789 s, counted in units of 10^-N s.
write_capture() {
  python3 - "$1" "$2" <<'PYTHON'
import struct, sys
path, digits = sys.argv[1], int(sys.argv[2])
block = lambda kind, body: struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
packet = bytes.fromhex("4500001c000000004011f6ce0a0000010a000002" "0007000700080000")
ticks = 5_123_456_789 * 10 ** (digits - 9)
resolution = struct.pack("<HHB3x", 9, 1, digits) + struct.pack("<HH", 0, 0)
section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
interface = block(1, struct.pack("<HHI", 101, 0, 65535) + resolution)
record = block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet)) + packet)
open(path, "wb").write(section + interface + record)
PYTHON
}

seen=
for digits in 9 10 11 12; do
  write_capture "$digits.pcapng" "$digits"
  time=$(root/usr/bin/tshark -r "$digits.pcapng" -T fields -e frame.time_epoch 2>tshark.log) ||
    { cat tshark.log >&2; exit 3; }
  echo "if_tsresol $digits: $time"
  seen+="$time "
done
[[ $seen == "5.123456789 5.123456789 5.123456789 5.012776324 " ]]
