#!/usr/bin/env python3
"""Writes the scripts of tests/conformance from the tables of RFC 9293 §3.10.

    generate.py            writes every script
    generate.py --check    writes nothing; says which scripts differ from what it would write

One folder a section of the RFC, one script a state and a kind of segment or call. A script is
complete in itself: it brings the connection into the state, lets the one thing happen, and looks at
what comes of it, on the wire and in TCP_INFO. All of them hold for IPv4 and IPv6.

A state is the lines that lead to it and the numbers that are then in force: `rcv`, what we expect
next (RCV.NXT), `una` and `nxt`, what the peer has acknowledged and what we send next. An event is a
function of the state: the lines it takes, and the state afterwards.

The scripts hold the stack to the RFC's letter, `profile rfc`: Linux departs from it in the error that
tells of a RST in CLOSE-WAIT.
"""
import sys
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path

HERE = Path(__file__).parent
MSS = "<mss 1000>"
OUTSIDE = 200000  # a number beyond any window announced here


@dataclass(frozen=True)
class State:
    name: str
    lines: tuple
    rcv: int = 1
    una: int = 1
    nxt: int = 1
    fd: int = 3
    active: bool = True

    @property
    def ack(self):
        """What we send for no other reason than to say what is expected."""
        return f"+0 > . {self.nxt}:{self.nxt}(0) ack {self.rcv}"

    def segment(self, flags, seq, length=0, ack=None, rest="win 10000"):
        end = (seq + length) % 2**32
        ack_text = f" ack {ack}" if ack is not None else ""
        return f"< {flags} {seq}:{end}({length}){ack_text} {rest}"


CONNECT = (
    " 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
    "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
    "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)",
    "+0 > S 0:0(0) <...>",
)
LISTEN_LINES = (
    " 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
    "+0 bind(3, ..., ...) = 0",
    "+0 listen(3, 5) = 0",
)
OPEN = CONNECT + (
    f"+.1 < S. 0:0(0) ack 1 win 10000 {MSS}",
    "+0 > . 1:1(0) ack 1",
)
HALF_CLOSE = ("+0 shutdown(3, SHUT_WR) = 0",)

CLOSED = State("CLOSED", ())
LISTEN = State("LISTEN", LISTEN_LINES, active=False)
SYN_SENT = State("SYN-SENT", CONNECT, rcv=0, una=0)
SYN_RECEIVED_PASSIVE = State(
    "SYN-RECEIVED-passive",
    LISTEN_LINES + (f"+.1 < S 0:0(0) win 10000 {MSS}", "+0 > S. 0:0(0) ack 1 <...>"),
    una=0, active=False)
SYN_RECEIVED_ACTIVE = State(
    "SYN-RECEIVED-active",
    CONNECT + (f"+.1 < S 0:0(0) win 10000 {MSS}", "+0 > S. 0:0(0) ack 1 <...>"), una=0)
ESTABLISHED = State("ESTABLISHED", OPEN)
FIN_WAIT_1 = State("FIN-WAIT-1", OPEN + HALF_CLOSE + ("+0 > F. 1:1(0) ack 1",), nxt=2)
FIN_WAIT_2 = State("FIN-WAIT-2", FIN_WAIT_1.lines + ("+.1 < . 1:1(0) ack 2 win 10000",), una=2,
                   nxt=2)
CLOSE_WAIT = State(
    "CLOSE-WAIT",
    OPEN + ("+.1 < F. 1:1(0) ack 1 win 10000", "+0 > . 1:1(0) ack 2"), rcv=2)
CLOSING = State(
    "CLOSING",
    FIN_WAIT_1.lines + ("+.1 < F. 1:1(0) ack 1 win 10000", "+0 > . 2:2(0) ack 2"), rcv=2, nxt=2)
LAST_ACK = State("LAST-ACK", CLOSE_WAIT.lines + HALF_CLOSE + ("+0 > F. 1:1(0) ack 2",), rcv=2,
                 nxt=2)
TIME_WAIT = State(
    "TIME-WAIT",
    FIN_WAIT_2.lines + ("+.1 < F. 1:1(0) ack 2 win 10000", "+0 > . 2:2(0) ack 2"), rcv=2, una=2,
    nxt=2)

SYNCHRONIZED = (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT)
SYN_RECEIVED = (SYN_RECEIVED_PASSIVE, SYN_RECEIVED_ACTIVE)
PEER_MAY_SEND = (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2)  # its FIN has not come
WE_MAY_SEND = (ESTABLISHED, CLOSE_WAIT)

TCP_INFO_NAMES = {
    "SYN-SENT": "TCP_SYN_SENT", "SYN-RECEIVED-active": "TCP_SYN_RECV",
    "ESTABLISHED": "TCP_ESTABLISHED", "FIN-WAIT-1": "TCP_FIN_WAIT1", "FIN-WAIT-2": "TCP_FIN_WAIT2",
    "CLOSE-WAIT": "TCP_CLOSE_WAIT", "CLOSING": "TCP_CLOSING", "LAST-ACK": "TCP_LAST_ACK",
    "CLOSED": "TCP_CLOSE",
}


@dataclass
class Script:
    folder: str
    name: str
    title: str
    rule: str
    lines: list = field(default_factory=list)

    def path(self):
        return HERE / self.folder / f"{self.name}.pkt"

    def text(self):
        comment = textwrap.wrap(f"{self.title}", 96) + textwrap.wrap(f"RFC 9293 §{self.rule}", 96)
        head = "".join(f"// {line}\n" for line in comment)
        head += "// CONFIG: profile rfc\n"
        return head + "\n" + "\n".join(self.lines) + "\n"


SCRIPTS = []


def add(section, name, title, lines, rule=None):
    folder = f"rfc9293-{section}"
    SCRIPTS.append(Script(folder, name.lower().replace(" ", "-"), title, rule or section,
                          list(lines)))


def in_state(state):
    """What shows that the connection is in this state."""
    if state.name in TCP_INFO_NAMES and state.lines:
        return [f"+0 %{{ assert tcpi_state == {TCP_INFO_NAMES[state.name]}, tcpi_state }}%"]
    return []


def later(state):
    """A while after; where our FIN is under way, before it is sent again."""
    return "+.05" if state.una < state.nxt else "+1"


def still_there(state):
    """Nothing was sent until then, and the connection answers what is outside its window."""
    return [f"{later(state)} {state.segment('.', OUTSIDE, 0, state.nxt)}", state.ack]


def gone(state):
    """No connection is left: a segment is answered as in CLOSED."""
    return [f"+1 {state.segment('.', state.rcv, 0, state.nxt)}",
            f"+0 > R {state.nxt}:{state.nxt}(0)"]


def rfc1337(value):
    return f"`sysctl -q net.ipv4.tcp_rfc1337={value}`"


def error(number):
    return [f"+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [{number}], [4]) = 0"]


# ---- 3.10.7.1: CLOSED


def closed_section():
    section = "3.10.7.1"
    kinds = {
        "ack": (". 17:17(0) ack 34", "> R 34:34(0)"),
        "ack-with-text": ("P. 17:27(10) ack 34", "> R 34:34(0)"),
        "fin-ack": ("F. 17:17(0) ack 34", "> R 34:34(0)"),
        "syn-ack": ("S. 17:17(0) ack 34", "> R 34:34(0)"),
        "syn": ("S 17:17(0)", "> R. 0:0(0) ack 18"),
        "syn-with-text": ("S 17:27(10)", "> R. 0:0(0) ack 28"),
        "syn-fin": ("SF 17:17(0)", "> R. 0:0(0) ack 19"),
        "fin": ("F 17:17(0)", "> R. 0:0(0) ack 18"),
        "fin-with-text": ("F 17:27(10)", "> R. 0:0(0) ack 28"),
        "text-without-ack": ("P 17:27(10)", "> R. 0:0(0) ack 27"),
        "no-flags": ("- 17:17(0)", "> R. 0:0(0) ack 17"),
        "urgent": ("PU. 17:27(10) ack 34", "> R 34:34(0)"),
    }
    for name, (segment, answer) in kinds.items():
        add(section, f"closed-{name}", "CLOSED answers any segment but a RST with a RST that its "
            "sender will accept.",
            [f" 0 < {segment} win 1000", f"+0 {answer}"])
    for name, segment in (("rst", "R 17:17(0)"), ("rst-ack", "R. 17:17(0) ack 34"),
                          ("rst-with-text", "R 17:27(10)")):
        add(section, f"closed-{name}", "CLOSED does not answer a RST.",
            [f" 0 < {segment} win 1000", "+1 < . 17:17(0) ack 34 win 1000", "+0 > R 34:34(0)"])


# ---- 3.10.7.2: LISTEN


def listen_section():
    section = "3.10.7.2"
    # The next SYN is answered as if nothing had been before: the listener goes on.
    opens = [f"+1 < S 27:27(0) win 1000 {MSS}", "+0 > S. 0:0(0) ack 28 <...>",
             "+0 < . 28:28(0) ack 1 win 1000", "+0 accept(3, ..., ...) = 4"]
    silent = {
        "rst": ("first check: a RST is ignored", "R 17:17(0)"),
        "rst-ack": ("first check: a RST is ignored, its ACK too", "R. 17:17(0) ack 34"),
        "rst-syn": ("first check: a RST is ignored, whatever else is set", "SR 17:17(0)"),
        "fin": ("fourth: anything else is dropped", "F 17:17(0)"),
        "text-without-ack": ("fourth: anything else is dropped", "P 17:27(10)"),
        "no-flags": ("fourth: anything else is dropped", "- 17:17(0)"),
    }
    for name, (title, segment) in silent.items():
        add(section, f"listen-{name}", f"LISTEN, {title}.",
            [*LISTEN_LINES, f"+0 < {segment} win 1000", *opens])
    for name, segment in (("ack", ". 17:17(0) ack 34"), ("fin-ack", "F. 17:17(0) ack 34"),
                          ("syn-ack", "S. 17:17(0) ack 34"), ("text", "P. 17:27(10) ack 34")):
        add(section, f"listen-{name}", "LISTEN, second check: any ACK is bad and answered with RST.",
            [*LISTEN_LINES, f"+0 < {segment} win 1000", "+0 > R 34:34(0)", *opens])
    add(section, "listen-syn", "LISTEN, third check: a SYN is answered with SYN and ACK.",
        [*LISTEN_LINES, *opens])
    add(section, "listen-syn-with-ack-number",
        "LISTEN, third check: without the ACK bit the acknowledgment field means nothing.",
        [*LISTEN_LINES, f"+0 < S 17:17(0) ack 34 win 1000 {MSS}", "+0 > S. 0:0(0) ack 18 <...>"])
    add(section, "listen-syn-with-text",
        "LISTEN, third check: text beside a SYN counts later or comes again; the connection opens.",
        [*LISTEN_LINES, f"+0 < S 17:27(10) win 1000 {MSS}", "+0 > S. 0:0(0) ack 18 <...>",
         "+0 < P. 18:28(10) ack 1 win 1000", "+0~+.5 > . 1:1(0) ack 28",
         "+0 accept(3, ..., ...) = 4", "+0 read(4, ..., 100) = 10"])
    add(section, "listen-syn-without-options",
        "LISTEN, third check: a SYN without options opens too.",
        [*LISTEN_LINES, "+0 < S 0:0(0) win 1000", "+0 > S. 0:0(0) ack 1 <...>",
         "+0 < . 1:1(0) ack 1 win 1000",
         "+0 accept(3, ..., ...) = 4"])


# ---- 3.10.7.3: SYN-SENT


def syn_sent_section():
    section = "3.10.7.3"
    opens = [f"+.1 < S. 0:0(0) ack 1 win 1000 {MSS}", "+0 > . 1:1(0) ack 1",
             *error(0), *in_state(ESTABLISHED)]

    def script(name, title, *lines):
        add(section, f"syn-sent-{name}", f"SYN-SENT, {title}.", [*CONNECT, *lines])

    for name, ack in (("low", 0), ("high", 2), ("far", 5000)):
        script(f"ack-{name}", "first check: an ACK of anything but our SYN is answered with RST",
               f"+.1 < . 0:0(0) ack {ack} win 1000", f"+0 > R {ack}:{ack}(0)", *opens)
        script(f"syn-ack-{name}",
               "first check: an ACK of anything but our SYN is answered with RST, beside a SYN too",
               f"+.1 < S. 0:0(0) ack {ack} win 1000 {MSS}", f"+0 > R {ack}:{ack}(0)", *opens)
        script(f"rst-ack-{name}", "first check: a RST with a bad ACK is dropped",
               f"+.1 < R. 0:0(0) ack {ack} win 1000", *opens)
    script("rst-ack", "second check: a RST that acknowledges our SYN refuses the connection",
           "+.1 < R. 0:0(0) ack 1 win 1000", *error("ECONNREFUSED"), *in_state(CLOSED))
    script("rst-ack-with-text", "second check: the text of a RST changes nothing",
           "+.1 < R. 0:10(10) ack 1 win 1000", *error("ECONNREFUSED"))
    script("rst", "second check: a RST without ACK is dropped", "+.1 < R 0:0(0) win 1000", *opens)
    script("rst-other-number", "second check: a RST without ACK is dropped, whatever its number",
           "+.1 < R 1:1(0) win 1000", *opens)
    script("syn-ack", "fourth check: SYN and ACK of our SYN open the connection", *opens)
    script("syn-ack-with-text", "fourth check: text beside SYN and ACK is processed",
           f"+.1 < S. 0:10(10) ack 1 win 1000 {MSS}", "+0 > . 1:1(0) ack 11",
           "+0 read(3, ..., 100) = 10", *in_state(ESTABLISHED))
    script("syn-ack-fin", "fourth check: FIN beside SYN and ACK is processed",
           f"+.1 < SF. 0:0(0) ack 1 win 1000 {MSS}", "+0 > . 1:1(0) ack 2",
           "+0 read(3, ..., 100) = 0", *in_state(CLOSE_WAIT))
    script("syn-ack-with-text-and-fin", "fourth check: text and FIN beside SYN and ACK are processed",
           f"+.1 < SF. 0:10(10) ack 1 win 1000 {MSS}", "+0 > . 1:1(0) ack 12",
           "+0 read(3, ..., 100) = 10", "+0 read(3, ..., 100) = 0", *in_state(CLOSE_WAIT))
    script("syn", "fourth check: a SYN alone means that both open at once",
           f"+.1 < S 0:0(0) win 1000 {MSS}", "+0 > S. 0:0(0) ack 1 <...>",
           *in_state(SYN_RECEIVED_ACTIVE),
           "+.1 < S. 0:0(0) ack 1 win 1000", "+0 > . 1:1(0) ack 1", *in_state(ESTABLISHED))
    script("syn-then-ack", "fourth check: when both open at once an ACK alone opens, too",
           f"+.1 < S 0:0(0) win 1000 {MSS}", "+0 > S. 0:0(0) ack 1 <...>",
           "+.1 < . 1:1(0) ack 1 win 1000", *in_state(ESTABLISHED))
    for name, segment in (("ack", ". 0:0(0) ack 1"), ("fin-ack", "F. 0:0(0) ack 1"),
                          ("text", "P. 0:10(10) ack 1"), ("fin", "F 0:0(0)"),
                          ("text-without-ack", "P 0:10(10)"), ("no-flags", "- 0:0(0)")):
        script(f"{name}-without-syn", "fifth: without SYN and RST a segment is dropped",
               f"+.1 < {segment} win 1000", *opens)


# ---- 3.10.7.4: the other states


def first_check():
    section, what = "3.10.7.4", "first check"
    for s in SYNCHRONIZED:
        def script(name, title, *lines, s=s):
            add(section, f"{s.name}-{name}", f"{s.name}, {what}: {title}.", [*s.lines, *lines])

        script("ack-outside-right", "beyond the window, answered with what is expected",
               f"+.1 {s.segment('.', OUTSIDE, 0, s.nxt)}", s.ack, *in_state(s))
        script("ack-outside-left", "before the window, answered with what is expected",
               f"+.1 {s.segment('.', s.rcv - 1, 0, s.nxt)}", s.ack, *in_state(s))
        script("text-outside-right", "beyond the window, answered with what is expected",
               f"+.1 {s.segment('P.', OUTSIDE, 10, s.nxt)}", s.ack, *in_state(s))
        script("fin-outside-right", "a FIN beyond the window is not believed",
               f"+.1 {s.segment('F.', OUTSIDE, 0, s.nxt)}", s.ack, *in_state(s))
    for s in SYN_RECEIVED:
        add(section, f"{s.name}-ack-outside-right",
            f"{s.name}, {what}: beyond the window, answered with what is expected.",
            [*s.lines, f"+.1 {s.segment('.', OUTSIDE, 0, 1)}", s.ack, *in_state(s)])
    s = ESTABLISHED
    add(section, "established-text-twice", "ESTABLISHED, first check: octets that came before are "
        "acknowledged again and not delivered again.",
        [*s.lines, "+.1 < P. 1:11(10) ack 1 win 10000", "+0~+.5 > . 1:1(0) ack 11",
         "+.1 < P. 1:11(10) ack 1 win 10000", "+0 > . 1:1(0) ack 11",
         "+0 ioctl(3, SIOCINQ, [10]) = 0"])
    add(section, "established-text-overlapping-left", "ESTABLISHED, first check: of a segment that "
        "straddles old and new only the new part is processed.",
        [*s.lines, "+.1 < P. 1:11(10) ack 1 win 10000", "+0~+.5 > . 1:1(0) ack 11",
         "+.1 < P. 6:21(15) ack 1 win 10000", "+0~+.5 > . 1:1(0) ack 21",
         "+0 read(3, ..., 100) = 20"])
    add(section, "established-text-overlapping-right", "ESTABLISHED, first check: what lies beyond "
        "the window is cut off.",
        [" 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
         "+0 setsockopt(3, SOL_SOCKET, SO_RCVBUF, [8192], 4) = 0",
         *(line.replace(" 0 socket", "+0 socket") for line in OPEN[1:]),
         "+.1 < P. 1:60001(60000) ack 1 win 10000", "+0~+.5 > . 1:1(0) ack 8193", "+0 read(3, ..., 100000) = 8192"])
    add(section, "established-zero-window", "ESTABLISHED, first check: with a window of zero an ACK "
        "and a RST at RCV.NXT are still processed (MUST-66).",
        [" 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
         "+0 setsockopt(3, SOL_SOCKET, SO_RCVBUF, [8192], 4) = 0",
         *(line.replace(" 0 socket", "+0 socket") for line in OPEN[1:]),
         "+0 write(3, ..., 100) = 100", "+0 > P. 1:101(100) ack 1",
         "+.1 < P. 1:8193(8192) ack 1 win 10000", "+0~+.5 > . 101:101(0) ack 8193 win 0",
         "+.1 < . 8193:8193(0) ack 101 win 10000",
         "+0 %{ assert tcpi_unacked == 0, tcpi_unacked }%",
         "+.1 < R 8193:8193(0) win 0", *error("ECONNRESET")])


def second_check():
    section, what = "3.10.7.4", "second check"
    told = {ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK}
    for s in SYNCHRONIZED:
        def script(name, title, *lines, s=s):
            add(section, f"{s.name}-{name}", f"{s.name}, {what}: {title}.", [*s.lines, *lines])

        if s is TIME_WAIT:
            for name, flags in (("rst", "R"), ("rst-ack", "R.")):
                reset = f"+.1 {s.segment(flags, s.rcv, 0, s.nxt if '.' in flags else None, 'win 0')}"
                add(section, f"{s.name}-{name}",
                    f"{s.name}, {what}: a RST with exactly the expected number ends the wait.",
                    [rfc1337(0), *s.lines, reset, *gone(s)])
                add(section, f"{s.name}-{name}-ignored",
                    f"{s.name}, {what}: no RST ends the wait if that is asked for (RFC 1337 §3, F1).",
                    [rfc1337(1), *s.lines, reset, *still_there(s)])
            for name, seq in (("rst-in-window", s.rcv + 10), ("rst-outside-right", OUTSIDE)):
                script(name, "a RST with another number does not end the wait",
                       f"+.1 {s.segment('R', seq, rest='win 0')}", *still_there(s))
            continue
        exact = f"+.1 {s.segment('R', s.rcv, rest='win 0')}"
        script("rst", "a RST with exactly the expected number ends the connection",
               exact, *error("ECONNRESET" if s in told else 0), *gone(s))
        script("rst-ack", "the ACK of a RST changes nothing",
               f"+.1 {s.segment('R.', s.rcv, 0, s.nxt, 'win 0')}",
               *error("ECONNRESET" if s in told else 0), *gone(s))
        script("rst-in-window", "a RST elsewhere in the window is challenged",
               f"+.1 {s.segment('R', s.rcv + 10, rest='win 0')}", s.ack, *in_state(s), *error(0))
        for name, seq in (("left", s.rcv - 1), ("right", OUTSIDE)):
            script(f"rst-outside-{name}", "a RST outside the window is dropped in silence",
                   f"+.1 {s.segment('R', seq, rest='win 0')}", *in_state(s), *error(0),
                   *still_there(s))
    s = SYN_RECEIVED_PASSIVE
    add(section, f"{s.name}-rst", f"{s.name}, {what}: back to LISTEN, and nobody is told.",
        [*s.lines, "+.1 < R 1:1(0) win 0", "+.1 < . 1:1(0) ack 1 win 1000", "+0 > R 1:1(0)",
         f"+1 < S 0:0(0) win 1000 {MSS}", "+0 > S. 0:0(0) ack 1 <...>"])
    s = SYN_RECEIVED_ACTIVE
    add(section, f"{s.name}-rst", f"{s.name}, {what}: the connection is refused.",
        [*s.lines, "+.1 < R 1:1(0) win 0", *error("ECONNREFUSED"), *in_state(CLOSED)])
    for s in SYN_RECEIVED:
        add(section, f"{s.name}-rst-in-window",
            f"{s.name}, {what}: a RST elsewhere in the window is challenged.",
            [*s.lines, "+.1 < R 11:11(0) win 0", s.ack, *in_state(s)])
        add(section, f"{s.name}-rst-outside",
            f"{s.name}, {what}: a RST outside the window is dropped in silence.",
            [*s.lines, f"+.1 < R {OUTSIDE}:{OUTSIDE}(0) win 0", *in_state(s),
             f"+.3 < . {OUTSIDE}:{OUTSIDE}(0) ack 1 win 1000", s.ack])


def fourth_check():
    section, what = "3.10.7.4", "fourth check"
    for s in SYNCHRONIZED:
        where = {"outside-left": s.rcv - 1, "exact": s.rcv, "in-window": s.rcv + 10,
                 "outside-right": OUTSIDE}
        for name, seq in where.items():
            add(section, f"{s.name}-syn-{name}",
                f"{s.name}, {what}: a SYN, wherever it stands, is answered with a challenge ACK.",
                [*s.lines, f"+.1 {s.segment('S', seq, rest='win 1000 ' + MSS)}", s.ack,
                 *in_state(s), *error(0)])
    s = SYN_RECEIVED_ACTIVE
    add(section, f"{s.name}-syn-in-window", f"{s.name}, {what}: challenged, as when synchronized.",
        [*s.lines, f"+.1 < S 11:11(0) win 1000 {MSS}", s.ack, *in_state(s)])
    s = SYN_RECEIVED_PASSIVE
    add(section, f"{s.name}-syn-in-window",
        f"{s.name}, {what}: back to LISTEN; the peer's SYN, sent again, opens.",
        [*s.lines, f"+.1 < S 11:11(0) win 1000 {MSS}",
         f"+.5 < S 11:11(0) win 1000 {MSS}", "+0 > S. 0:0(0) ack 12 <...>"])
    for s in SYN_RECEIVED:
        add(section, f"{s.name}-syn-again",
            f"{s.name}: the peer's SYN came again, so our SYN-ACK was lost and is sent again.",
            [*s.lines, f"+.1 < S 0:0(0) win 1000 {MSS}", "+0 > S. 0:0(0) ack 1 <...>",
             *in_state(s)])


def fifth_check():
    section, what = "3.10.7.4", "fifth check"
    for s in SYNCHRONIZED:
        def script(name, title, *lines, s=s):
            add(section, f"{s.name}-{name}", f"{s.name}, {what}: {title}.", [*s.lines, *lines])

        script("no-ack-bit", "without ACK a segment is dropped",
               f"+.1 {s.segment('P', s.rcv, 10)}",
               *(["+0 ioctl(3, SIOCINQ, [0]) = 0"] if s in PEER_MAY_SEND else []),
               *in_state(s), *still_there(s))
        if s is TIME_WAIT:
            continue  # has nothing left to be acknowledged: a bare ACK in its place is not looked at
        script("ack-of-unsent", "an ACK of what was never sent is answered with what is expected",
               f"+.1 {s.segment('.', s.rcv, 0, s.nxt + 1000)}", s.ack, *in_state(s))
        script("ack-too-old", "an ACK older than any window there has been is challenged",
               f"+.1 {s.segment('.', s.rcv, 0, (s.una - 100000) % 2**32)}", s.ack, *in_state(s))
    for s in SYN_RECEIVED:
        add(section, f"{s.name}-no-ack-bit", f"{s.name}, {what}: without ACK a segment is dropped.",
            [*s.lines, "+.1 < P 1:11(10) win 1000", *in_state(s),
             f"+.3 < . {OUTSIDE}:{OUTSIDE}(0) ack 1 win 1000", s.ack])
        for name, ack in (("low", 0), ("high", 2)):
            add(section, f"{s.name}-ack-{name}",
                f"{s.name}, {what}: an ACK of anything but our SYN is answered with RST.",
                [*s.lines, f"+.1 < . 1:1(0) ack {ack} win 1000", f"+0 > R {ack}:{ack}(0)",
                 *in_state(s)])
    s = SYN_RECEIVED_PASSIVE
    add(section, f"{s.name}-ack", f"{s.name}, {what}: the ACK of our SYN opens the connection.",
        [*s.lines, "+.1 < . 1:1(0) ack 1 win 1000", "+0 accept(3, ..., ...) = 4",
         "+0 %{ assert tcpi_state == TCP_ESTABLISHED, tcpi_state }%"])
    s = SYN_RECEIVED_ACTIVE
    add(section, f"{s.name}-ack", f"{s.name}, {what}: the ACK of our SYN opens the connection.",
        [*s.lines, "+.1 < . 1:1(0) ack 1 win 1000", *in_state(ESTABLISHED)])
    ack_of_fin = ((FIN_WAIT_1, FIN_WAIT_2), (CLOSING, TIME_WAIT), (LAST_ACK, CLOSED))
    for s, after in ack_of_fin:
        add(section, f"{s.name}-ack-of-fin",
            f"{s.name}, {what}: with our FIN acknowledged it is {after.name}.",
            [*s.lines, f"+.1 {s.segment('.', s.rcv, 0, s.nxt)}",
             *(in_state(after) if after is FIN_WAIT_2 else []),
             *(gone(s) if after is CLOSED else still_there(replace(s, una=s.nxt)))])
    s = ESTABLISHED
    add(section, "established-ack-of-text", f"{s.name}, {what}: what is acknowledged leaves the "
        "retransmission queue.",
        [*s.lines, "+0 write(3, ..., 500) = 500", "+0 > P. 1:501(500) ack 1",
         "+.1 < . 1:1(0) ack 201 win 10000", "+.05 < . 1:1(0) ack 501 win 10000",
         "+0 %{ assert tcpi_unacked == 0, tcpi_unacked }%"])
    add(section, "established-old-ack", f"{s.name}, {what}: a duplicate of an old ACK is ignored.",
        [*s.lines, "+0 write(3, ..., 500) = 500", "+0 > P. 1:501(500) ack 1",
         "+.1 < . 1:1(0) ack 501 win 10000", "+.1 < . 1:1(0) ack 201 win 0", *in_state(s),
         "+0 write(3, ..., 10) = 10", "+0 > P. 501:511(10) ack 1"])
    add(section, "established-window-update", f"{s.name}, {what}: a new window is taken.",
        [*s.lines, "+.1 < . 1:1(0) ack 1 win 0", "+0 write(3, ..., 500) = 500",
         "+.05 < . 1:1(0) ack 1 win 10000", "+0 > P. 1:501(500) ack 1"])


def text_and_fin():
    section = "3.10.7.4"
    for s in PEER_MAY_SEND:
        add(section, f"{s.name}-text", f"{s.name}, seventh: text is delivered and acknowledged.",
            [*s.lines, f"+.1 {s.segment('P.', 1, 10, s.una)}",
             f"+0~+.5 > . {s.nxt}:{s.nxt}(0) ack 11", "+0 read(3, ..., 100) = 10", *in_state(s)])
        add(section, f"{s.name}-text-out-of-order",
            f"{s.name}, seventh: text beyond a gap is held, and answered at once (SHLD-31).",
            [*s.lines, f"+.1 {s.segment('P.', 11, 10, s.una)}", s.ack,
             "+0 ioctl(3, SIOCINQ, [0]) = 0",
             f"+.05 {s.segment('P.', 1, 10, s.una)}", f"+0 > . {s.nxt}:{s.nxt}(0) ack 21",
             "+0 read(3, ..., 100) = 20"])
        add(section, f"{s.name}-urgent", f"{s.name}, sixth: urgent text is text, and told of.",
            [*s.lines, f"+.1 {s.segment('PU.', 1, 10, s.una, 'win 10000 urg 10')}",
             f"+0~+.5 > . {s.nxt}:{s.nxt}(0) ack 11",
             "+0 poll([{fd=3, events=POLLPRI, revents=POLLPRI}], 1, 0) = 1"])
        add(section, f"{s.name}-fin-out-of-order",
            f"{s.name}, eighth: a FIN beyond a gap counts when the gap is filled.",
            [*s.lines, f"+.1 {s.segment('F.', 11, 0, s.una)}", s.ack, *in_state(s),
             f"+.05 {s.segment('P.', 1, 10, s.una)}", f"+0 > . {s.nxt}:{s.nxt}(0) ack 12",
             "+0 read(3, ..., 100) = 10", "+0 read(3, ..., 100) = 0"])
    fins = ((ESTABLISHED, 1, CLOSE_WAIT), (FIN_WAIT_1, 1, CLOSING), (FIN_WAIT_1, 2, TIME_WAIT),
            (FIN_WAIT_2, 2, TIME_WAIT))
    for s, ack, after in fins:
        for name, length in (("fin", 0), ("fin-with-text", 10)):
            suffix = "-and-ack-of-ours" if s is FIN_WAIT_1 and ack == 2 else ""
            rcv = 2 + length
            moved = replace(s, rcv=rcv, una=ack)
            add(section, f"{s.name}-{name}{suffix}",
                f"{s.name}, eighth: after the peer's FIN it is {after.name}.",
                [*s.lines, f"+.1 {s.segment('F.', 1, length, ack)}", moved.ack,
                 *([f"+0 read(3, ..., 100) = {length}"] if length else []),
                 "+0 read(3, ..., 100) = 0",
                 *(in_state(after) if after is not TIME_WAIT else []), *still_there(moved)])
    for s in (CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT):
        add(section, f"{s.name}-fin-again",
            f"{s.name}: the peer's FIN came again, so our ACK was lost and is sent again.",
            [*s.lines, f"+.05 {s.segment('F.', s.rcv - 1, 0, s.una)}", s.ack, *in_state(s)])
        add(section, f"{s.name}-text",
            f"{s.name}, seventh: behind the peer's FIN there is no text; it is not delivered.",
            [*s.lines, f"+.05 {s.segment('P.', s.rcv, 10, s.una)}", *in_state(s),
             "+0 read(3, ..., 100) = 0"])


# ---- 3.10.1 to 3.10.6: the calls


def calls():
    # The first connect after the handshake says how it ended, on Linux; so look at an accepted one.
    accepted = [*SYN_RECEIVED_PASSIVE.lines, "+.1 < . 1:1(0) ack 1 win 1000",
                "+0 accept(3, ..., ...) = 4"]
    refused = "+0 connect(4, ..., ...) = -1 EISCONN (Transport endpoint is already connected)"
    close_wait = ["+.1 < F. 1:1(0) ack 1 win 1000", "+0 > . 1:1(0) ack 2"]
    half_closed = ["+0 shutdown(4, SHUT_WR) = 0"]
    for name, lines in (
            ("ESTABLISHED", []), ("CLOSE-WAIT", close_wait),
            ("FIN-WAIT-1", [*half_closed, "+0 > F. 1:1(0) ack 1"]),
            ("FIN-WAIT-2", [*half_closed, "+0 > F. 1:1(0) ack 1", "+.1 < . 1:1(0) ack 2 win 1000"]),
            ("LAST-ACK", [*close_wait, *half_closed, "+0 > F. 1:1(0) ack 2"])):
        add("3.10.1", f"open-in-{name}", f"OPEN in {name}: the connection exists already.",
            [*accepted, *lines, refused])
    add("3.10.1", "open-passive", "OPEN, passive: enters LISTEN and sends nothing.",
        [*LISTEN_LINES, f"+1 < S 0:0(0) win 1000 {MSS}", "+0 > S. 0:0(0) ack 1 <...>"])
    add("3.10.1", "open-active", "OPEN, active: sends a SYN and enters SYN-SENT.",
        [*CONNECT, *in_state(SYN_SENT)])
    add("3.10.1", "open-in-syn-sent", "OPEN in SYN-SENT: it is under way already.",
        [*CONNECT, "+0 connect(3, ..., ...) = -1 EALREADY (Operation already in progress)"])
    add("3.10.1", "open-twice-passive", "OPEN of a port that somebody listens on is refused.",
        [*LISTEN_LINES, "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4",
         "+0 bind(4, ..., ...) = -1 EADDRINUSE (Address already in use)"])
    for s in WE_MAY_SEND:
        add("3.10.2", f"send-in-{s.name}", f"SEND in {s.name}: sent at once, with PSH (MUST-61).",
            [*s.lines, "+0 write(3, ..., 500) = 500",
             f"+0 > P. {s.nxt}:{s.nxt + 500}(500) ack {s.rcv}"])
    for s in (FIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK, TIME_WAIT):
        add("3.10.2", f"send-in-{s.name}", f"SEND in {s.name}: the direction has been closed.",
            [*s.lines, "+0 write(3, ..., 500) = -1 EPIPE (Broken pipe)"])
    add("3.10.2", "send-beyond-window", "SEND: no more goes than the peer's window takes.",
        [*CONNECT, f"+.1 < S. 0:0(0) ack 1 win 1500 {MSS}", "+0 > . 1:1(0) ack 1",
         "+0 write(3, ..., 5000) = 5000", "+0 > . 1:1001(1000) ack 1",
         "+.1 < . 1:1(0) ack 1001 win 5000", "+0 > P. 1001:5001(4000) ack 1"])
    for s in PEER_MAY_SEND:
        add("3.10.3", f"receive-in-{s.name}", f"RECEIVE in {s.name}: what has come, or wait.",
            [*s.lines, "+0 read(3, ..., 100) = -1 EAGAIN (Resource temporarily unavailable)",
             f"+.05 {s.segment('P.', 1, 10, s.una)}", f"+0~+.5 > . {s.nxt}:{s.nxt}(0) ack 11",
             "+0 read(3, ..., 4) = 4", "+0 read(3, ..., 100) = 6",
             "+0 read(3, ..., 100) = -1 EAGAIN (Resource temporarily unavailable)"])
    for s in (CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT):
        add("3.10.3", f"receive-in-{s.name}", f"RECEIVE in {s.name}: the stream has ended.",
            [*s.lines, "+0 read(3, ..., 100) = 0", "+0 read(3, ..., 100) = 0"])
    add("3.10.3", "receive-in-close-wait-with-text", "RECEIVE in CLOSE-WAIT: first what has come.",
        [*OPEN, "+.1 < FP. 1:11(10) ack 1 win 10000", "+0 > . 1:1(0) ack 12",
         "+0 read(3, ..., 100) = 10", "+0 read(3, ..., 100) = 0"])
    add("3.10.3", "receive-in-syn-sent", "RECEIVE in SYN-SENT: waits.",
        [*CONNECT, "+0 read(3, ..., 100) = -1 EAGAIN (Resource temporarily unavailable)"])


def close_and_abort():
    add("3.10.4", "close-in-listen", "CLOSE in LISTEN: nobody listens any more.",
        [*LISTEN_LINES, "+0 close(3) = 0", f"+.1 < S 0:0(0) win 1000 {MSS}",
         "+0 > R. 0:0(0) ack 1"])
    add("3.10.4", "close-in-syn-sent", "CLOSE in SYN-SENT: the opening is forgotten; the peer's "
        "answer finds nobody.",
        [*CONNECT, "+0 close(3) = 0", f"+.1 < S. 0:0(0) ack 1 win 1000 {MSS}", "+0 > R 1:1(0)"])
    for s, after in ((ESTABLISHED, FIN_WAIT_1), (CLOSE_WAIT, LAST_ACK)):
        add("3.10.4", f"close-in-{s.name}", f"CLOSE in {s.name}: FIN, and {after.name}.",
            [*s.lines, "+0 shutdown(3, SHUT_WR) = 0", f"+0 > F. 1:1(0) ack {s.rcv}",
             *in_state(after)])
        add("3.10.4", f"close-in-{s.name}-behind-text",
            f"CLOSE in {s.name}: FIN stands behind what was sent before it.",
            [*s.lines, "+0 write(3, ..., 500) = 500", f"+0 > P. 1:501(500) ack {s.rcv}",
             "+0 shutdown(3, SHUT_WR) = 0", f"+0 > F. 501:501(0) ack {s.rcv}", *in_state(after)])
    for s in (FIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK):
        add("3.10.4", f"close-in-{s.name}", f"CLOSE in {s.name}, once more: no second FIN.",
            [*s.lines, "+0 close(3) = 0", *still_there(s)])
    add("3.10.4", "close-in-established-with-unread-text", "CLOSE in ESTABLISHED with octets unread: "
        "RST, so that the peer knows they were not delivered (SHLD-3).",
        [*OPEN, "+.1 < P. 1:11(10) ack 1 win 10000", "+0~+.5 > . 1:1(0) ack 11",
         "+0 close(3) = 0", "+0 > R. 1:1(0) ack 11"], rule="3.6")
    add("3.10.4", "close-from-both-sides", "CLOSE by both at once: CLOSING, then TIME-WAIT.",
        [*CLOSING.lines, "+.05 < . 2:2(0) ack 2 win 10000", *still_there(replace(CLOSING, una=2))])
    linger = "+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0"
    for s in (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT):
        add("3.10.5", f"abort-in-{s.name}", f"ABORT in {s.name}: RST, and nothing is left.",
            [*s.lines, linger, "+0 close(3) = 0",
             f"+0 > R. {s.nxt}:{s.nxt}(0) ack {s.rcv}", *gone(s)])
    add("3.10.5", "abort-in-syn-sent", "ABORT in SYN-SENT: the opening is forgotten.",
        [*CONNECT, linger, "+0 close(3) = 0", f"+.1 < S. 0:0(0) ack 1 win 1000 {MSS}",
         "+0 > R 1:1(0)"])
    add("3.10.5", "abort-in-listen", "ABORT in LISTEN: nobody listens any more.",
        [*LISTEN_LINES, linger, "+0 close(3) = 0", f"+.1 < S 0:0(0) win 1000 {MSS}",
         "+0 > R. 0:0(0) ack 1"])
    add("3.10.5", "abort-with-text-queued", "ABORT: what was queued is not sent any more.",
        [*CONNECT, f"+.1 < S. 0:0(0) ack 1 win 0 {MSS}", "+0 > . 1:1(0) ack 1",
         "+0 write(3, ..., 500) = 500", linger, "+0 close(3) = 0", "+0 > R. 1:1(0) ack 1",
         "+1 < . 1:1(0) ack 1 win 10000", "+0 > R 1:1(0)"])


def status_and_timeouts():
    for s in (SYN_SENT, SYN_RECEIVED_ACTIVE, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT,
              CLOSING, LAST_ACK):
        add("3.10.6", f"status-in-{s.name}", f"STATUS in {s.name}.", [*s.lines, *in_state(s)])
    add("3.10.6", "status-of-a-new-socket", "STATUS where there is no connection.",
        [" 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", *in_state(replace(CLOSED, lines=("",)))])
    section = "3.10.8"
    add(section, "user-timeout", "USER TIMEOUT: the queues are flushed and the user is told.",
        [*OPEN, "+0 setsockopt(3, SOL_TCP, TCP_USER_TIMEOUT, [3000], 4) = 0",
         "+0 write(3, ..., 500) = 500", "+0 > P. 1:501(500) ack 1",
         "+5 write(3, ..., 500) = -1 ETIMEDOUT (Connection timed out)", *in_state(CLOSED)])
    add(section, "user-timeout-of-open", "USER TIMEOUT while opening.",
        [" 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
         "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
         "+0 setsockopt(3, SOL_TCP, TCP_USER_TIMEOUT, [3000], 4) = 0",
         *CONNECT[2:], "+5 getsockopt(3, SOL_SOCKET, SO_ERROR, [ETIMEDOUT], [4]) = 0"])
    add(section, "retransmission-of-syn", "RETRANSMISSION TIMEOUT: the SYN is sent again, after twice "
        "the time each time.",
        [*CONNECT, "+1 > S 0:0(0) <...>", "+2 > S 0:0(0) <...>", "+4 > S 0:0(0) <...>"])
    add(section, "retransmission-of-syn-ack", "RETRANSMISSION TIMEOUT: the SYN-ACK is sent again.",
        [*SYN_RECEIVED_PASSIVE.lines, "+1 > S. 0:0(0) ack 1 <...>", "+2 > S. 0:0(0) ack 1 <...>"])
    add(section, "retransmission-of-text", "RETRANSMISSION TIMEOUT: the first segment is sent again, "
        "and its acknowledgment goes on as if nothing had been.",
        [*OPEN, "+0 write(3, ..., 500) = 500", "+0 > P. 1:501(500) ack 1",
         "+.1~+3 > P. 1:501(500) ack 1", "+.1 < . 1:1(0) ack 501 win 10000",
         "+0 write(3, ..., 500) = 500", "+0 > P. 501:1001(500) ack 1"])
    add(section, "retransmission-of-fin", "RETRANSMISSION TIMEOUT: a FIN is sent again like any octet.",
        [*FIN_WAIT_1.lines, "+.1~+3 > F. 1:1(0) ack 1", "+.1 < . 1:1(0) ack 2 win 10000",
         *in_state(FIN_WAIT_2)])
    add(section, "time-wait-answers-meanwhile", "TIME-WAIT TIMEOUT: until then the peer's FIN is "
        "acknowledged.",
        [*TIME_WAIT.lines, "+20 < F. 1:1(0) ack 2 win 10000", "+0 > . 2:2(0) ack 2"])
    add(section, "time-wait-ends", "TIME-WAIT TIMEOUT: after 2 MSL, four minutes at most, nothing is "
        "left.",
        [*TIME_WAIT.lines, "+241 < F. 1:1(0) ack 2 win 10000", "+0 > R 2:2(0)"])
    add(section, "zero-window-probe", "A window of zero is probed (MUST-36), and opens.",
        [*CONNECT, f"+.1 < S. 0:0(0) ack 1 win 0 {MSS}", "+0 > . 1:1(0) ack 1",
         "+0 write(3, ..., 500) = 500", "* > . 1:2(1) ack 1", "+.1 < . 1:1(0) ack 1 win 10000",
         "+0 > P. 1:501(500) ack 1"], rule="3.8.6.1")


def all_scripts():
    closed_section()
    listen_section()
    syn_sent_section()
    first_check()
    second_check()
    fourth_check()
    fifth_check()
    text_and_fin()
    calls()
    close_and_abort()
    status_and_timeouts()


def main():
    all_scripts()
    wanted = {script.path(): script.text() for script in SCRIPTS}
    assert len(wanted) == len(SCRIPTS), "two scripts have the same name"
    present = {path for folder in HERE.glob("rfc9293-*") for path in folder.glob("*.pkt")}
    if "--check" in sys.argv:
        wrong = [path for path, text in wanted.items()
                 if path not in present or path.read_text() != text]
        for path in sorted(wrong + list(present - wanted.keys())):
            print(f"{path.relative_to(HERE)}: not as tests/conformance/generate.py writes it")
        return 1 if wrong or present - wanted.keys() else 0
    for path in present - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    print(f"{len(wanted)} scripts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
