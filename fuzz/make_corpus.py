#!/usr/bin/env python3
"""Writes the corpus of the fuzz target `stack`, always the same.

    make_corpus.py [FOLDER]

These are programs of stack_machine.h: a connection brought to each state from either side, then one
thing more of each kind; and noise.
"""
import random
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


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "corpus/stack")
    folder.mkdir(parents=True, exist_ok=True)
    for name, octets in stack_corpus():
        (folder / name).write_bytes(octets)


if __name__ == "__main__":
    main()
