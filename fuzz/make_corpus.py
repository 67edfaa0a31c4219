#!/usr/bin/env python3
"""Writes the corpora of the fuzz targets (but for `wire`, whose are frames), always the same.

    make_corpus.py [FOLDER]

Those of `stack` are programs of stack_machine.h: a connection brought to each state from either side,
then one thing more of each kind; and noise. Of the others: one input for each kind of thing there is.
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


def options_corpus():
    mss, scale, sack_ok = bytes([2, 4, 5, 180]), bytes([3, 3, 7]), bytes([4, 2])
    stamps = bytes([8, 10]) + bytes(range(8))
    blocks = [bytes([5, 2 + 8 * n]) + bytes(range(8 * n)) for n in range(5)]
    yield "none", b""
    yield "syn", mss + sack_ok + stamps + bytes([1]) + scale
    yield "usual", bytes([1, 1]) + stamps
    for n, sack in enumerate(blocks):
        yield f"sack-{n}", bytes([1, 1]) + sack
        yield f"sack-{n}-stamps", bytes([1, 1]) + stamps + bytes([1, 1]) + sack
    yield "twice", mss + mss[:2] + bytes([1, 2]) + scale + scale
    yield "end", bytes([0]) + mss
    yield "nops", bytes([1] * 40)
    yield "unknown", bytes([254, 6, 1, 2, 3, 4, 30, 12]) + bytes(10) + mss
    yield "length-0", bytes([2, 0]) + mss
    yield "length-1", bytes([8, 1]) + mss
    yield "too-long", mss + bytes([8, 40]) + bytes(8)
    yield "wrong-lengths", bytes([2, 3, 1, 3, 4, 1, 1, 4, 3, 0, 8, 9]) + bytes(7)
    yield "cut", mss + bytes([8])


def fragment(datagram, place, more, how, octet=7):
    return bytes([0, datagram, place >> 8 | (128 if more else 0), place & 255, how, octet])


def fragments_corpus():
    for family in (0, 128):
        one, two = fragment(family, 0, True, 2), fragment(family, 2, False, 1)
        yield f"whole-{family}", one + two
        yield f"backwards-{family}", two + one
        yield f"overlap-{family}", one + fragment(family, 1, False, 2) + two
        yield f"twice-{family}", one + one + two
        yield f"twice-other-{family}", one + fragment(family, 0, True, 2, 9) + two
        yield f"three-{family}", one + fragment(family, 4, False, 1) + fragment(family, 2, True, 2)
        yield f"beyond-{family}", one + fragment(family, 8191, False, 127)
        yield f"too-late-{family}", one + bytes([255] * 8) + two
        yield f"many-{family}", b"".join(fragment(family, 2 * i, True, 1) for i in range(20))
        yield f"odd-{family}", fragment(family, 0, True, 130) + two
        yield f"ends-{family}", two + fragment(family, 4, False, 1)
    yield "both", b"".join(fragment(d, 0, True, 2) for d in (0, 1, 2, 3, 128, 129, 130, 131))
    yield "full", b"".join(fragment(d & 131, 16 * i, True, 127) for i in range(20) for d in (0, 1, 2, 128))


REQUESTS = {
    "get": "GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n",
    "close": "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "head": "HEAD /d HTTP/1.1\r\nHost: h\r\n\r\n",
    "old": "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "post": "POST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
    "chunked": "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "smuggled": "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
    "range": "GET /a.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=1-2,5-,-7\r\nIf-Range: \"tag\"\r\n\r\n",
    "conditions": "GET /a.txt HTTP/1.1\r\nHost: h\r\nIf-None-Match: W/\"x\", \"tag\"\r\n"
                  "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
    "pipeline": "GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n" * 3,
    "dots": "GET /d/../%2e%2e/a.txt?q#f HTTP/1.1\r\nHost: h\r\n\r\n",
    "absolute": "GET http://h/d/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "nul": "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n",
    "folded": "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
    "space": "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
    "two-hosts": "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
    "no-host": "GET / HTTP/1.1\r\n\r\n",
    "version": "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
    "blank-lines": "\r\n\r\nGET / HTTP/1.1\nHost: h\n\n",
    "long-line": "GET /" + "a" * 400 + " HTTP/1.1\r\nHost: h\r\n\r\n",
    "long-head": "GET / HTTP/1.1\r\nHost: h\r\n" + "X: " + "b" * 900 + "\r\n\r\n",
    "many-fields": "GET / HTTP/1.1\r\nHost: h\r\n" + "X: y\r\n" * 20 + "\r\n",
    "unended": "GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ",
    "tls": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
}
RESPONSES = {
    "ok": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: v\r\n\r\n",
    "until-close": "HTTP/1.0 200 OK\r\n\r\nhello",
    "interim": "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "bad-chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "two-lengths": "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "date": "Sunday, 06-Nov-94 08:49:37 GMT",
    "asctime": "Sun Nov  6 08:49:37 1994",
}


def http_corpus():
    for name, text in {**REQUESTS, **RESPONSES}.items():
        yield name, text.encode("latin-1")


def serve_corpus():
    for name, text in REQUESTS.items():
        yield name, bytes([0]) + text.encode("latin-1")
    for piece in (1, 3, 40):
        yield f"pipeline-{piece}", bytes([piece]) + REQUESTS["pipeline"].encode()


SCRIPTS = {
    "open": """// opens
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 8>
+.1 < . 1:1(0) ack 1 win 257
+0 accept(3, ..., ...) = 4
""",
    "times": "0.5 close(3) = 0\n+0~+0.2 close(3) = 0\n+0...0.2 read(3, ..., 10) = 10\n"
             "* > . 1:1(0) ack 1\n0.1~0.3 > . 1:1(0) ack 1\n+0 `true`\n",
    "options": "--tolerance_usecs=1000\n--ip_version=ipv6\n`sysctl -q net.ipv4.tcp_timestamps=0`\n"
               "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n",
    "structures": "0 poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 100) = 1\n"
                  "+0 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN, fd=3}) = 0\n"
                  "+0 sendmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 5}], msg_flags=0}, 0) = 5\n"
                  "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n"
                  "+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=2}, 8) = 0\n",
    "addresses": "0 bind(3, {sa_family = AF_INET, sin_port = htons(80), "
                 "sin_addr = inet_addr(\"192.0.2.1\")}, ...) = 0\n"
                 "+0 connect(3, {sa_family = AF_INET6, sin6_port = htons(80)}, ...) = -1 EINPROGRESS\n",
    "sack": "0 < . 1:1(0) ack 1 win 257 <nop,nop,sack 1001:2001 3001:4001>\n"
            "+0 < . 1:1(0) ack 1 win 257 <TS val 100 ecr 200,nop,nop>\n"
            "+0 < [ect0] P. 1:1001(1000) ack 1 win 257 urg 5\n+0 > FRP. 1:1(0) ack 1 win 257 <...>\n",
    "icmp": "0 < icmp unreachable frag_needed mtu 1200 [1:1001(1000)]\n"
            "+0 < icmp unreachable host_unreachable [1:1(0)]\n+0 > udp (100)\n",
    "assert": "0 %{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%\n+0 %{\nassert True\n}%\n",
    "comments": "# one\n/* two\n lines */ 0 close(3) = 0 // three\n",
    "unended": "0 socket(..., SOCK_STREAM\n/* no end",
    "quotes": "0 write(3, \"\\x41\\n\\\"\", 3) = 3\n+0 < raw 45 00 zz\n",
    "late": "999999999 close(3) = 0\n9999999999 close(3) = 0\n",
    "numbers": "99999999999999999999 close(3) = -0x7fffffffffffffff\n+0 < S 4294967295:0(1) win 99999\n",
    "defines": "+0 < S 0:0(0) win 1 <mss MSS>\n+0 EMPTY close(3) = 0\n",
    "nested": "0 f(" + "[" * 60 + "1" + "]" * 60 + ") = 0\n",
    "parens": "0 f(" + "(" * 200 + ") = 0\n",
}


def script_corpus():
    for name, text in SCRIPTS.items():
        yield name, text.encode("latin-1")


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "corpus")
    corpora = {"stack": stack_corpus, "options": options_corpus, "fragments": fragments_corpus,
               "http": http_corpus, "serve": serve_corpus, "script": script_corpus}
    for target, corpus in corpora.items():
        folder = root / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, octets in corpus():
            (folder / name).write_bytes(octets)


if __name__ == "__main__":
    main()
