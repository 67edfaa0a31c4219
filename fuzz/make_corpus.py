#!/usr/bin/env python3
"""Writes the corpora below fuzz/corpus, always the same.

    make_corpus.py [FOLDER]

For `stack` these are programs of stack_machine.h: a connection brought to each state from either
side, then one thing more of each kind; and noise. For `wire` they are frames of each kind.
"""
import random
import struct
import sys
from pathlib import Path

EXACT, WINDOW = 0, 1
SYN, ACK, DATA, FIN, FIN_DATA, RST, URG, SYN_ACK = range(8)


def segment(flags, which=0, options=0, text=b"", seq=(EXACT,), ack=(EXACT,)):
    """One segment from the remote host, in the encoding StackMachine::segment reads."""
    code = [1, which, flags, *seq, *ack, WINDOW]
    if flags == URG:
        code += [0, 5]
    code.append(options)
    if flags in (SYN, SYN_ACK):
        code += [5, 180] * (options & 1) + [7] * (options >> 1 & 1)
    code += [EXACT] * (options >> 3 & 1) + [EXACT, 200] * (options >> 4 & 1)
    return bytes(code) + bytes([len(text)]) + text + bytes([0])


CONNECT, SHUTDOWN, CLOSE, ABORT = bytes([12, 0, 0, 1]), bytes([15, 0, 0]), bytes([15, 0, 6]), bytes([15, 0, 5])
ACCEPT, COPY, STOP_LISTENING = bytes([16, 0]), bytes([19, 0]), bytes([16, 7, 0])
WRITE, READ, LEND = bytes([13, 0, 8, 0, 1, 0]), bytes([13, 0, 35, 0, 3]), bytes([13, 0, 8, 0, 0, 3])
PASS, PASS_LONG = bytes([18, 200]), bytes([18, 27])

PASSIVE = segment(SYN, options=15) + segment(ACK, options=8) + ACCEPT
ACTIVE = CONNECT + segment(SYN_ACK, options=15) + segment(ACK, options=8)
STATES = {
    "listen": b"",
    "syn_sent": CONNECT,
    "syn_received": segment(SYN, options=15),
    "simultaneous": CONNECT + segment(SYN, options=15),
    "established": PASSIVE,
    "connected": ACTIVE,
    "fin_wait_1": PASSIVE + WRITE + SHUTDOWN,
    "fin_wait_2": PASSIVE + SHUTDOWN + segment(ACK, options=8),
    "close_wait": PASSIVE + segment(FIN, options=8),
    "closing": PASSIVE + SHUTDOWN + segment(FIN, options=8, ack=(130, 255)),
    "last_ack": PASSIVE + segment(FIN, options=8) + SHUTDOWN,
    "time_wait": PASSIVE + SHUTDOWN + segment(ACK, options=8) + segment(FIN, options=8),
    "released": PASSIVE + CLOSE,
    "unread": PASSIVE + segment(DATA, options=8, text=b"unread") * 3,
    "gap": PASSIVE + segment(DATA, options=8, text=b"beyond", seq=(130, 50)),
    "queued": PASSIVE + WRITE * 3 + LEND,
}
ACTIONS = {
    "syn": segment(SYN, options=15),
    "old_ack": segment(ACK, options=8, ack=(130, 200)),
    "data": segment(DATA, options=8, text=b"0123456789"),
    "overlap": segment(DATA, options=8, text=b"overlapping text", seq=(130, 250)),
    "fin": segment(FIN, options=8),
    "fin_ahead": segment(FIN, options=8, seq=(130, 40)),
    "rst": segment(RST),
    "rst_near": segment(RST, seq=(130, 9)),
    "urgent": segment(URG, options=8, text=b"urgent"),
    "sack": segment(ACK, options=24),
    "no_timestamp": segment(DATA, text=b"bare"),
    "write": WRITE + PASS + PASS,
    "read": READ,
    "shutdown": SHUTDOWN + segment(ACK, options=8),
    "close": CLOSE + PASS_LONG,
    "abort": ABORT,
    "copy": COPY + WRITE + segment(ACK, options=8),
    "stop": STOP_LISTENING,
    "wait": PASS * 4 + PASS_LONG,
    "reflect": bytes([7, 0, 0, 0, 0]) * 2,
    "icmp": bytes([9, 0, 1, 0, 0, 2, 88, 3, 1, 0, 0, 0, 0, 0]),
    "narrow": bytes([9, 0, 1, 0, 0, 2, 88, 3, 4, 0, 0, 3, 232, 0]),
}


def stack_corpus():
    for state, way in STATES.items():
        for action, what in ACTIONS.items():
            yield f"{state}-{action}", bytes([0x37, 3]) + way + what
    fragment = bytes([10, 0x20, 0, 1, 16]) + bytes(16) + bytes([0])
    yield "fragments", bytes([0, 0]) + fragment + bytes([10, 0, 2, 1, 9]) + bytes(9) + bytes([0])
    yield "fragment-waits", bytes([0, 0]) + fragment + PASS_LONG * 3
    yield "datagram", bytes([0, 0, 11, 0, 5]) + b"hello" + bytes([0, 0, 17, 0, 0, 0, 100, 0, 1])
    for number in range(24):
        source = random.Random(number)
        yield f"noise-{number:02}", source.randbytes(source.randrange(20, 400))


def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets[:len(octets) // 2 * 2]))
    total += octets[-1] << 8 if len(octets) % 2 else 0
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(protocol, payload, fragment=0, options=b""):
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), 7, fragment, 64,
                       protocol, 0, bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1])) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(protocol, payload):
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + bytes(15) + b"\2" + \
        bytes(15) + b"\1" + payload


def tcp(flags, options=b"", text=b""):
    options += bytes(-len(options) % 4)
    return struct.pack("!HHIIBBHHH", 40000, 80, 1000, 2000, (5 + len(options) // 4) << 4, flags,
                       65535, 0, 0) + options + text


def wire_corpus():
    all_options = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 3, 3, 7, 1])
    sack = bytes([1, 1, 5, 18]) + bytes(range(16))
    segments = {
        "syn": tcp(2, all_options), "ack": tcp(16), "data": tcp(24, text=b"some text"),
        "fin": tcp(17), "rst": tcp(4), "urgent": tcp(48, text=b"!"), "sack": tcp(16, sack),
        "unknown_option": tcp(16, bytes([99, 6, 1, 2, 3, 4])), "zero_length": tcp(16, bytes([3, 0])),
        "long_option": tcp(16, bytes([8, 200])), "end": tcp(16, bytes([0, 9, 9, 9])),
    }
    for name, octets in segments.items():
        yield f"tcp-{name}", octets
        yield f"ipv4-{name}", ipv4(6, octets)
        yield f"ipv6-{name}", ipv6(6, octets)
    udp = struct.pack("!HHHH", 5000, 53, 13, 0) + b"hello"
    echo = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + b"ping"
    yield "udp", udp
    yield "ipv4-udp", ipv4(17, udp)
    yield "ipv4-fragment", ipv4(17, udp[:8], fragment=0x2000)
    yield "ipv4-route", ipv4(17, udp, options=bytes([131, 7, 4, 10, 0, 0, 9, 0]))
    yield "ipv4-echo", ipv4(1, echo)
    for kind, code in ((3, 0), (3, 1), (3, 2), (3, 3), (3, 4), (4, 0), (11, 0), (11, 1), (12, 0)):
        yield f"ipv4-icmp-{kind}-{code}", ipv4(1, struct.pack("!BBHI", kind, code, 0, 1000) +
                                               ipv4(6, segments["ack"])[:28])
    for kind, code in ((1, 0), (1, 4), (2, 0), (3, 0), (4, 1), (128, 0)):
        yield f"ipv6-icmp-{kind}-{code}", ipv6(58, struct.pack("!BBHI", kind, code, 0, 1280) +
                                               ipv6(6, segments["ack"]))
    yield "ipv6-fragment", ipv6(44, bytes([17, 0, 0, 1, 0, 0, 0, 7]) + udp)
    yield "ipv6-options", ipv6(0, bytes([60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0]) + tcp(16))
    for number, text in enumerate(("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,wscale 7>",
                                   "P. 1:11(10) ack 1 win 512 urg 5", "R 5:5(0) win 0",
                                   ". 1:1(0) ack 9 win 1 <nop,nop,sack 20:30 40:50>")):
        yield f"notation-{number}", text.encode()


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "corpus")
    for folder, corpus in (("stack", stack_corpus()), ("wire", wire_corpus())):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name, octets in corpus:
            (root / folder / name).write_bytes(octets)


if __name__ == "__main__":
    main()
