"""A router between two TUNs that looks at IPv4 TCP segments, and changes some.

It asks for AccECN on behalf of a kernel that cannot: Linux 6.18 takes an AccECN SYN-ACK (RFC 9768) and goes over to
counting marks, but sends SYNs of RFC 3168 only. And it marks what is ECN-capable, as a router under load would.
"""
import fcntl
import os
import select
import struct
import threading
from dataclasses import dataclass, field

NOT_ECT, ECT0, CE = 0, 2, 3
SYN, ACK = 2, 16
AE, CWR, ECE = 0x100, 0x80, 0x40
ACCURATE_ECN = {172: ("e0b", "ceb", "e1b"), 174: ("e1b", "ceb", "e0b")}


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
    return tun


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Datagram:
    """An IPv4 datagram with a TCP segment in it."""

    def __init__(self, octets):
        self.octets = bytearray(octets)
        self.tcp = (self.octets[0] & 15) * 4

    @property
    def mark(self):
        return self.octets[1] & 3

    @mark.setter
    def mark(self, value):
        self.octets[1] = self.octets[1] & ~3 | value
        self.octets[10:12] = b"\0\0"
        self.octets[10:12] = struct.pack("!H", checksum(bytes(self.octets[:self.tcp])))

    @property
    def flags(self):
        return struct.unpack_from("!H", self.octets, self.tcp + 12)[0] & 0x1ff

    def add_flag(self, flag):
        at = self.tcp + 12
        struct.pack_into("!H", self.octets, at, struct.unpack_from("!H", self.octets, at)[0] | flag)
        struct.pack_into("!H", self.octets, self.tcp + 16, 0)
        text = bytes(self.octets[self.tcp:])
        pseudo = bytes(self.octets[12:20]) + struct.pack("!BBH", 0, 6, len(text))
        struct.pack_into("!H", self.octets, self.tcp + 16, checksum(pseudo + text))

    @property
    def ace(self):
        flags = self.flags
        return (flags & AE != 0) * 4 + (flags & CWR != 0) * 2 + (flags & ECE != 0)

    @property
    def payload(self):
        return len(self.octets) - self.tcp - (self.octets[self.tcp + 12] >> 4) * 4

    def accurate_ecn(self):
        """The counters of the AccECN option, by their names; nothing if it is not there."""
        at, end = self.tcp + 20, self.tcp + (self.octets[self.tcp + 12] >> 4) * 4
        while at < end and self.octets[at] != 0:
            if self.octets[at] == 1:
                at += 1
                continue
            kind, length = self.octets[at], self.octets[at + 1]
            if kind in ACCURATE_ECN:
                fields = bytes(self.octets[at + 2:at + length])
                return {name: int.from_bytes(fields[3 * i:3 * i + 3], "big")
                        for i, name in enumerate(ACCURATE_ECN[kind]) if 3 * i < len(fields)}
            at += max(length, 2)
        return None


@dataclass
class Seen:
    """What came from one side."""
    syn_flags: list = field(default_factory=list)  # of SYNs and SYN-ACKs
    first_ace: list = field(default_factory=list)  # of the first segments behind them
    counts: list = field(default_factory=list)  # how the ACE field went on, once for each change
    options: list = field(default_factory=list)  # the counters of AccECN options
    capable: int = 0  # segments with text that came as ECT
    incapable: int = 0
    marked: int = 0  # of the former, here
    marked_octets: int = 0


class Middlebox(threading.Thread):
    """Passes on what comes from `near` to `far` and back; marks every n-th ECN-capable segment with text."""

    def __init__(self, near, far, *, every, asks_for_accurate_ecn):
        super().__init__(daemon=True)
        self.ends = {open_tun(near): Seen(), open_tun(far): Seen()}
        self.every, self.asks = every, asks_for_accurate_ecn
        self.stopping = threading.Event()

    @property
    def near(self):
        return list(self.ends.values())[0]

    @property
    def far(self):
        return list(self.ends.values())[1]

    def run(self):
        near, far = self.ends
        while not self.stopping.is_set():
            for tun in select.select([near, far], [], [], 0.1)[0]:
                octets = os.read(tun, 65536)
                if octets[0] >> 4 != 4 or octets[9] != 6:
                    continue
                datagram = Datagram(octets)
                self.look(datagram, self.ends[tun])
                os.write(far if tun == near else near, datagram.octets)

    def look(self, datagram, seen):
        flags = datagram.flags
        if flags & SYN:
            if self.asks and flags & (ACK | ECE | CWR) == ECE | CWR:
                datagram.add_flag(AE)
            seen.syn_flags.append(datagram.flags & (AE | CWR | ECE))
            return
        if len(seen.first_ace) < 3:
            seen.first_ace.append(datagram.ace)
        if not seen.counts or seen.counts[-1] != datagram.ace:
            seen.counts.append(datagram.ace)
        option = datagram.accurate_ecn()
        if option:
            seen.options.append(option)
        if not datagram.payload:
            return
        if datagram.mark == NOT_ECT:
            seen.incapable += 1
            return
        seen.capable += 1
        if seen.capable % self.every == 0:
            datagram.mark = CE
            seen.marked += 1
            seen.marked_octets += datagram.payload

    def stop(self):
        self.stopping.set()
        self.join()
        for tun in self.ends:
            os.close(tun)
