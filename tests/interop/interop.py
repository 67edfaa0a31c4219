#!/usr/bin/env python3
"""The estab program against the Linux kernel's TCP, over a TUN.

    interop.py --estab build/dev/bin/estab NAME...     runs these tests, `all` runs every one
    interop.py --list                                  prints their names

Each test runs in a network namespace of its own, which it makes (as root with `unshare -n`,
otherwise with `unshare -Urn`), so nothing outside is seen or changed. The kernel's side is this
script's own sockets, or curl, nc, iperf3 and wrk where a test is about them. Exit codes: 0 good,
1 a test failed, 77 skipped, with the reason printed. Waits are bounded so that a hang is reported
as one; how long anything takes is never judged.
"""

import argparse
import contextlib
import errno
import fcntl
import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from middlebox import Middlebox

LINK = "t0"
ESTAB = {4: "10.9.0.2", 6: "fd09::2"}
KERNEL = {4: "10.9.0.1", 6: "fd09::1"}
PORT = 7000
HANG = 120  # seconds: whoever is silent that long hangs
MEBI = 1 << 20
IN_NAMESPACE = "ESTAB_INTEROP_IN_NAMESPACE"
SKIPPED = 77

# Linux's numbers of the states, as in TCP_INFO and /proc/net/tcp (include/net/tcp_states.h).
FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, LISTEN, CLOSING = 4, 5, 6, 7, 10, 11


class Skip(Exception):
    pass


class Wrong(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Wrong(what)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: got {got!r}, wanted {wanted!r}")


def need(tool):
    if shutil.which(tool) is None:
        raise Skip(f"{tool} is not installed")


def wait_for(condition, what):
    deadline = time.monotonic() + HANG
    while not condition():
        check(time.monotonic() < deadline, f"waited in vain for {what}")
        time.sleep(0.01)


# ---- the program ------------------------------------------------------------------------------


class Estab:
    """A running estab. Its stderr goes to a file, of which a failure shows the last lines."""

    program = None
    started = []

    def __init__(self, *arguments, ready=None, link=LINK, subnet="10.9.0", v6=True, mtu=None,
                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=None, inside=()):
        options = ["--link", f"tun:{link}", "--address", f"{subnet}.2/24",
                   "--host-address", f"{subnet}.1/24"]
        if v6:
            options += ["--address", "fd09::2/64", "--host-address", "fd09::1/64"]
        if mtu:
            options += ["--mtu", str(mtu)]
        self.command = [*inside, self.program, *map(str, arguments), *options]
        self.log = tempfile.NamedTemporaryFile(prefix="estab-", suffix=".log")
        self.process = subprocess.Popen(self.command, stdin=stdin, stdout=stdout,
                                        stderr=self.log if stderr is None else stderr)
        Estab.started.append(self)
        if ready:
            wait_for(lambda: ready in self.stderr() or self.process.poll() is not None,
                     f"estab to say '{ready}'")
            check(self.process.poll() is None, f"estab ended at once, with {self.process.poll()}")

    def stderr(self):
        with open(self.log.name, errors="replace") as log:
            return log.read()

    def wait(self):
        return self.process.wait(HANG)

    def terminate(self):
        """Ends it in good order, and returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def report(self):
        """What --json printed, after terminate(); needs stdout=PIPE."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=HANG)
        equal(self.process.returncode, 0, "estab's exit code")
        return json.loads(out)

    def rss(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) * 1024

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def describe(self):
        lines = self.stderr().splitlines()[-15:]
        return "\n".join([f"  $ {' '.join(self.command)}  (exit code {self.process.poll()})",
                          *(f"  | {line}" for line in lines)])


def listen(*arguments, **options):
    return Estab("listen", PORT, *arguments, ready="listening on", **options)


def serve(directory, *arguments, **options):
    return Estab("serve", directory, "--quiet", *arguments, ready="serving", **options)


def connect(family, *arguments, port=PORT, **options):
    return Estab("connect", KERNEL[family], port, *arguments, **options)


# ---- the kernel's side ------------------------------------------------------------------------


def dial(family, port=PORT):
    stream = socket.create_connection((ESTAB[family], port), HANG)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def server():
    """Listens for both families: the TUN, and its addresses, are made only later."""
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True,
                                    backlog=128)
    listener.settimeout(HANG)
    return listener


def accept(listener):
    stream, _ = listener.accept()
    stream.settimeout(HANG)
    return stream


def tcp_state(stream):
    return stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def live_connections():
    """The kernel's connections in this namespace, but for those in TIME-WAIT."""
    states = []
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path) as table:
            states += [int(line.split()[3], 16) for line in table.readlines()[1:]]
    return [state for state in states if state not in (LISTEN, TIME_WAIT)]


def reset(stream):
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def set_interface_up(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", name.encode(), 1)  # IFF_UP
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


def interface_mtu(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, 0x8921, struct.pack("16si12x", name.encode(), 0))
        return struct.unpack("16si12x", answer)[1]


# ---- octets both ways -------------------------------------------------------------------------


class Pattern:
    """`size` octets, different for each `name`, in which no two blocks are alike."""

    def __init__(self, name, size):
        self.size = size
        self.noise = hashlib.shake_128(name.encode()).digest(256 << 10)

    def blocks(self):
        for start in range(0, self.size, len(self.noise)):
            block = struct.pack("!Q", start) + self.noise[8:]
            yield block[:self.size - start]

    def sha256(self):
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()


class Side(threading.Thread):
    """Runs one direction; join() raises what it raised."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.failure, self.result = work, None, None
        self.start()

    def run(self):
        try:
            self.result = self.work()
        except Exception as failure:  # handed to the one who joins
            self.failure = failure

    def end(self):
        self.join(HANG)
        check(not self.is_alive(), "one direction hangs")
        if self.failure:
            raise self.failure
        return self.result


def drain(read):
    digest, size = hashlib.sha256(), 0
    while block := read(256 << 10):
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()


def send_all(stream, pattern):
    for block in pattern.blocks():
        stream.sendall(block)
    stream.shutdown(socket.SHUT_WR)


def write_all(pipe, pattern):
    with pipe:
        for block in pattern.blocks():
            pipe.write(block)


def arrived(got, pattern, what):
    equal(got[0], pattern.size, f"octets {what}")
    equal(got[1], pattern.sha256(), f"SHA-256 of what went {what}")


def echo_check(family, size):
    """The kernel sends and receives at once; estab echoes."""
    pattern = Pattern(f"echo {size}", size)
    with dial(family) as stream:
        sender = Side(lambda: send_all(stream, pattern))
        got = drain(stream.recv)
        sender.end()
    arrived(got, pattern, "to estab and back")


def pipe_check(estab, stream, size):
    """Both send at once, each its own octets: estab's are its stdin, and come out of its stdout."""
    ours, theirs = Pattern(f"kernel {size}", size), Pattern(f"estab {size}", size)
    sides = [Side(lambda: send_all(stream, ours)),
             Side(lambda: write_all(estab.process.stdin, theirs)),
             Side(lambda: drain(estab.process.stdout.read))]
    arrived(drain(stream.recv), theirs, "from estab to the kernel")
    arrived([side.end() for side in sides][2], ours, "from the kernel to estab")
    stream.close()
    equal(estab.wait(), 0, "estab's exit code")


PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
SIZES = (1, 2, 536, 1460, 1461, 65535, 65536, MEBI + 1, 16 * MEBI)


def kernel_client(family):
    estab = listen("--echo")
    for size in SIZES:
        echo_check(family, size)
    equal(estab.terminate(), 0, "estab's exit code")
    with contextlib.closing(listen(**PIPES).process.stdout):
        with dial(family) as stream:
            pipe_check(Estab.started[-1], stream, 4 * MEBI)


def estab_client(family):
    with server() as listener:
        for size in SIZES:
            estab = connect(family, **PIPES)
            with accept(listener) as stream:
                pipe_check(estab, stream, size)


def bulk_kernel_client(family):
    estab = listen("--echo")
    echo_check(family, 256 * MEBI)
    equal(estab.terminate(), 0, "estab's exit code")


def bulk_estab_client(family):
    with server() as listener:
        estab = connect(family, **PIPES)
        with accept(listener) as stream:
            pipe_check(estab, stream, 256 * MEBI)


# ---- ends -------------------------------------------------------------------------------------


def half_close_by_kernel():
    for family in (4, 6):
        estab = listen(**PIPES)
        with dial(family) as stream:
            stream.sendall(b"ping")
            stream.shutdown(socket.SHUT_WR)
            wait_for(lambda: tcp_state(stream) == FIN_WAIT2, "estab to acknowledge the FIN")
            pattern = Pattern("after the FIN", MEBI)
            writer = Side(lambda: write_all(estab.process.stdin, pattern))
            arrived(drain(stream.recv), pattern, "to the kernel after its FIN")
            writer.end()
        equal(estab.process.stdout.read(), b"ping", "estab's standard output")
        equal(estab.wait(), 0, "estab's exit code")


def half_close_by_estab():
    for family in (4, 6):
        with server() as listener:
            estab = connect(family, **PIPES)
            with accept(listener) as stream:
                write_all(estab.process.stdin, Pattern("few", 4))
                equal(drain(stream.recv)[0], 4, "octets before estab's FIN")
                pattern = Pattern("after the FIN", MEBI)
                reader = Side(lambda: drain(estab.process.stdout.read))
                send_all(stream, pattern)
                arrived(reader.end(), pattern, "to estab after its FIN")
            equal(estab.wait(), 0, "estab's exit code")


def socket_as_output():
    """As under inetd: one socket is estab's standard input and output. Its reader hears of the peer's
    FIN at once, though this side has not ended."""
    for family in (4, 6):
        with server() as listener:
            ours, theirs = socket.socketpair()
            with ours:
                ours.settimeout(HANG)
                with theirs:
                    estab = connect(family, stdin=theirs, stdout=theirs)
                with accept(listener) as stream:
                    stream.sendall(b"last words")
                    stream.shutdown(socket.SHUT_WR)
                    equal(drain(ours.recv)[0], 10, "octets before the peer's FIN")
                    ours.sendall(b"answer")
                    ours.shutdown(socket.SHUT_WR)
                    equal(drain(stream.recv)[0], 6, "octets after it")
            equal(estab.wait(), 0, "estab's exit code")


def reset_by_kernel():
    for family in (4, 6):
        with server() as listener:
            estab = connect(family, stdin=subprocess.PIPE)
            reset(accept(listener))
            equal(estab.wait(), 1, "exit code of estab connect")
            check("reset" in estab.stderr(), "estab connect does not say that it was reset")
        estab = listen(stdin=subprocess.PIPE)
        stream = dial(family)
        stream.sendall(b"x")
        reset(stream)
        equal(estab.wait(), 1, "exit code of estab listen")
        check("reset" in estab.stderr(), "estab listen does not say that it was reset")


def expect_error(stream, *numbers):
    try:
        stream.sendall(b"x")
        while stream.recv(65536):
            pass
    except OSError as failure:
        check(failure.errno in numbers, f"the kernel got {failure}")
        return
    raise Wrong("the kernel saw an orderly end instead of a reset")


def reset_by_estab():
    """Nobody reads what estab prints, so it cannot deliver, and must say so to the peer."""
    for family in (4, 6):
        estab = listen(**PIPES)
        estab.process.stdout.close()
        with dial(family) as stream:
            stream.sendall(b"x" * 65536)
            expect_error(stream, errno.ECONNRESET)
        equal(estab.wait(), 1, "estab's exit code")


def abort_by_signal():
    """The first signal shuts down in good order, the second resets."""
    for family in (4, 6):
        estab = listen(**PIPES)
        with dial(family) as stream:
            stream.sendall(b"ping")
            equal(estab.process.stdout.read(4), b"ping", "estab's standard output")
            estab.process.send_signal(signal.SIGTERM)
            equal(stream.recv(1), b"", "what the kernel reads after one SIGTERM")
            estab.process.send_signal(signal.SIGTERM)
            equal(estab.wait(), 128 + signal.SIGTERM, "estab's exit code")
            # A reset in CLOSE-WAIT is EPIPE to Linux, as the peer had finished already.
            wait_for(lambda: tcp_state(stream) == CLOSE, "the reset")
            expect_error(stream, errno.EPIPE, errno.ECONNRESET)


def refused():
    estab = listen("--sink")
    for family in (4, 6):
        try:
            dial(family, PORT + 1).close()
            raise Wrong("a port that nobody listens on was open")
        except OSError as failure:
            equal(failure.errno, errno.ECONNREFUSED, "connecting to a closed port")
    equal(estab.terminate(), 0, "estab's exit code")
    for family in (4, 6):
        estab = connect(family)
        equal(estab.wait(), 1, "exit code of estab connect")
        check("refused" in estab.stderr(), "estab does not say that it was refused")


def is_simultaneous(capture):
    """Whether neither FIN acknowledges the other."""
    fins = {}
    for row in dissect(capture, "tcp.flags.fin==1", "tcp.srcport", "tcp.seq", "tcp.len", "tcp.ack"):
        port, sequence, octets, ack = map(int, row)
        fins.setdefault(port == PORT, (sequence + octets, ack))
    check(len(fins) == 2, f"{len(fins)} ends sent a FIN")
    return all(fins[one][1] == fins[not one][0] for one in fins)


class SlowLane:
    """A second TUN between the kernel's TCP and estab's link, whose far end is this script: what
    the kernel sends waits here from hold() on until release()."""

    NAME = "slow0"

    def __init__(self):
        self.tun = os.open("/dev/net/tun", os.O_RDWR)
        flags = 0x0001 | 0x1000  # IFF_TUN | IFF_NO_PI (linux/if_tun.h)
        fcntl.ioctl(self.tun, 0x400454CA, struct.pack("16sH22x", self.NAME.encode(), flags))
        self.held = None
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        for command in (f"ip link set {self.NAME} up",
                        f"ip route add {ESTAB[4]}/32 dev {self.NAME} src {KERNEL[4]}",
                        f"ip route add {ESTAB[4]}/32 dev {LINK} table 100",
                        f"ip rule add iif {self.NAME} table 100"):
            subprocess.run(command.split(), check=True)
        # What comes back in has the kernel's own source address, and is to go on to estab.
        for setting in (f"{self.NAME}/accept_local", f"{self.NAME}/forwarding"):
            self.set(f"conf/{setting}", 1)
        for interface in ("all", self.NAME):
            self.set(f"conf/{interface}/rp_filter", 0)
        threading.Thread(target=self.carry, daemon=True).start()

    @staticmethod
    def set(name, value):
        with open(f"/proc/sys/net/ipv4/{name}", "w") as setting:
            setting.write(str(value))

    def carry(self):
        while not self.stopped.is_set():
            datagram = os.read(self.tun, 65536)
            with self.lock:
                if self.held is not None:
                    self.held.append(datagram)
                else:
                    os.write(self.tun, datagram)

    def hold(self):
        with self.lock:
            self.held = []

    def release(self):
        with self.lock:
            for datagram in self.held:
                os.write(self.tun, datagram)
            self.held = None

    def waiting(self):
        with self.lock:
            return len(self.held)


def simultaneous_close():
    """The kernel's FIN is kept on its way until estab has sent its own."""
    need("tshark")
    with tempfile.TemporaryDirectory() as folder:
        capture = f"{folder}/close.pcapng"
        estab = listen("--pcap", capture, **PIPES)
        lane = SlowLane()
        with dial(4) as stream:
            stream.sendall(b"ping")
            equal(estab.process.stdout.read(4), b"ping", "estab's standard output")
            wait_for(lambda: unacknowledged(stream) == 0, "the acknowledgement")
            lane.hold()
            stream.shutdown(socket.SHUT_WR)
            wait_for(lambda: lane.waiting() > 0, "the kernel's FIN")
            estab.process.stdin.close()
            equal(stream.recv(1), b"", "what the kernel reads")
            equal(tcp_state(stream), CLOSING, "the kernel's state")
            lane.release()
        equal(estab.wait(), 0, "estab's exit code")
        wait_for(lambda: not live_connections(), "the kernel's end to close")
        check(is_simultaneous(capture), "the FINs did not cross")


def unacknowledged(stream):
    return struct.unpack("i", fcntl.ioctl(stream, 0x5411, b"\0" * 4))[0]  # SIOCOUTQ


def short_connections(count, closes_first):
    for _ in range(count):
        with dial(4) as stream:
            if closes_first == "kernel":
                stream.sendall(b"ping")
                stream.shutdown(socket.SHUT_WR)
            equal(drain(stream.recv)[0], 4, "octets of a short connection")


def is_sanitized():
    with open(Estab.program, "rb") as program:
        return b"__asan_init" in program.read()


def thousand_connections(closes_first):
    """Each of 1,000 ends well at both ends; after 2 MSL estab holds nothing of any of them, and the
    kernel none but in TIME-WAIT."""
    arguments = ["--echo"] if closes_first == "kernel" else ["--source", "4"]
    msl = 0.2
    estab = listen(*arguments, "--json", "--msl", f"{msl * 1000:.0f}ms", stdout=subprocess.PIPE)
    short_connections(200, closes_first)
    before = estab.rss()
    short_connections(1000, closes_first)
    grown = estab.rss() - before
    wait_for(lambda: not live_connections(), "the kernel's ends to close")
    time.sleep(3 * msl)
    report = estab.report()
    equal(report["connections"], 1200, "connections")
    equal(report["connections_failed"], 0, "failed connections")
    equal(report["sent_octets"], 4 * 1200, "octets sent")
    equal(report["left"], {"streams": 0, "syn_cache": 0, "time_wait": 0, "timers": 0},
          "what is left after 2 MSL")
    if not is_sanitized():  # the address sanitizer keeps what was freed, to see it used again
        check(grown <= MEBI, f"1,000 connections left {grown} octets behind")


# ---- links ------------------------------------------------------------------------------------


def mtu(octets):
    v6 = octets >= 1280  # RFC 8200 section 5: no IPv6 on a link below that
    estab = listen("--echo", mtu=octets, v6=v6)
    equal(interface_mtu(LINK), octets, "the link's MTU")
    for family in (4, 6) if v6 else (4,):
        echo_check(family, 1)
        echo_check(family, 8 * MEBI)
        with dial(family) as stream:
            limit = octets - (40 if family == 4 else 60)
            mss = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
            check(mss <= limit, f"the kernel sends {mss} octets a segment, over {limit}")
    equal(estab.terminate(), 0, "estab's exit code")


def offload(setting):
    estab = listen("--echo", "--offload", setting)
    for family in (4, 6):
        echo_check(family, 32 * MEBI)
    equal(estab.terminate(), 0, "estab's exit code")


# ---- other programs ---------------------------------------------------------------------------


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=HANG, **options)
    check(done.returncode == 0, f"{' '.join(map(str, command))} ended with {done.returncode}: "
          f"{done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout


def write_file(path, pattern):
    with open(path, "wb") as file:
        write_all(file, pattern)


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def curl():
    need("curl")
    with tempfile.TemporaryDirectory() as folder:
        write_file(f"{folder}/big", Pattern("big", 32 * MEBI))
        write_file(f"{folder}/small", Pattern("small", 1000))
        big, small = read_file(f"{folder}/big"), read_file(f"{folder}/small")
        estab = serve(folder)
        for url in (f"http://{ESTAB[4]}", f"http://[{ESTAB[6]}]"):
            check(run("curl", "-sSf", f"{url}/big") == big, "the file came out different")
            check(run("curl", "-sSf", "-r", "1000-1999999", f"{url}/big") == big[1000:2000000],
                  "the range came out different")
            check(run("curl", "-sSf", "-r", "-7", f"{url}/big") == big[-7:],
                  "the last octets came out different")
            head = run("curl", "-sSfI", f"{url}/big").decode().lower()
            check(f"content-length: {len(big)}" in head, f"HEAD has another length: {head}")
            connects = run("curl", "-sSf", "-o", f"{folder}/1", "-o", f"{folder}/2", "-w",
                           "%{num_connects} ", f"{url}/small", f"{url}/big")
            equal(connects.split(), [b"1", b"0"], "connections made for each of two URLs")
            check(read_file(f"{folder}/1") == small and read_file(f"{folder}/2") == big,
                  "one of two files came out different")
            os.remove(f"{folder}/1")
            os.remove(f"{folder}/2")
            status = run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{url}/none")
            equal(status, b"404", "status of a file that is not there")
        equal(estab.terminate(), 0, "estab's exit code")


def curl_parallel():
    need("curl")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        patterns = [Pattern(f"file {i}", 100000 + i) for i in range(100)]
        arguments = []
        for i, pattern in enumerate(patterns):
            write_file(f"{folder}/{i}", pattern)
            arguments += ["-o", f"{out}/{i}", f"http://{ESTAB[4]}/{i}"]
        estab = serve(folder)
        run("curl", "-sSf", "--parallel", "--parallel-immediate", "--parallel-max", 100, *arguments)
        for i, pattern in enumerate(patterns):
            got = read_file(f"{out}/{i}")
            arrived((len(got), hashlib.sha256(got).hexdigest()), pattern, "to curl")
        equal(estab.terminate(), 0, "estab's exit code")


class DualStackServer(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


# ---- Fast Open (RFC 7413): a cookie with the first connection, octets in the SYN of the next --------


def allow_fast_open():
    with open("/proc/sys/net/ipv4/tcp_fastopen", "w") as setting:
        setting.write("3")  # connecting and, where a socket asks for it, listening


def syn_data_taken(stream):
    return stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5] & 32 != 0  # TCPI_OPT_SYN_DATA


def fast_open_kernel_client():
    allow_fast_open()
    estab = listen("--echo", "--fast-open")
    for family, kind in ((4, socket.AF_INET), (6, socket.AF_INET6)):
        for has_cookie in (False, True, True):
            with socket.socket(kind) as stream:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", HANG, 0))
                question = os.urandom(700)
                equal(stream.sendto(question, socket.MSG_FASTOPEN, (ESTAB[family], PORT)), 700, "octets sent")
                equal(stream.recv(700, socket.MSG_WAITALL), question, "what came back")
                equal(syn_data_taken(stream), has_cookie, "the SYN-ACK acknowledges the SYN's octets")
    equal(estab.terminate(), 0, "estab's exit code")


def fast_open_estab_client():
    allow_fast_open()
    taken = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            taken.append(syn_data_taken(self.connection))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    with DualStackServer(("::", 80), Handler) as web:
        web.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        Side(web.serve_forever)
        for host in (KERNEL[4], f"[{KERNEL[6]}]"):
            estab = Estab("get", f"http://{host}/", "--fast-open", "--json", "-o", "/dev/null",
                          stdout=subprocess.PIPE)
            out, _ = estab.process.communicate(timeout=HANG)
            equal(estab.process.returncode, 0, "exit code of estab get")
            equal(json.loads(out)["fast_open"], "taken", "what became of the SYN's octets")
        web.shutdown()
    equal(taken, [True, True], "connections whose SYN's octets the kernel took")


def estab_get():
    with tempfile.TemporaryDirectory() as folder:
        pattern = Pattern("get", 32 * MEBI)
        write_file(f"{folder}/big", pattern)

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=folder)

            def log_message(self, *_):
                pass

        with DualStackServer(("::", 80), Handler) as web:
            Side(web.serve_forever)
            for host in (KERNEL[4], f"[{KERNEL[6]}]"):
                estab = Estab("get", f"http://{host}/big", stdout=subprocess.PIPE)
                got = drain(estab.process.stdout.read)
                equal(estab.wait(), 0, "exit code of estab get")
                arrived(got, pattern, "to estab get")
                equal(Estab("get", f"http://{host}/none").wait(), 1, "exit code for a 404")
            web.shutdown()


def nc():
    need("nc")
    with tempfile.TemporaryDirectory() as folder:
        pattern = Pattern("nc", 8 * MEBI)
        write_file(f"{folder}/in", pattern)
        estab = listen("--echo")
        with open(f"{folder}/in", "rb") as source:
            got = run("nc", "-N", ESTAB[4], PORT, stdin=source)
        arrived((len(got), hashlib.sha256(got).hexdigest()), pattern, "from nc and back")
        equal(estab.terminate(), 0, "estab's exit code")

        with open(f"{folder}/in", "rb") as source:
            catcher = subprocess.Popen(["nc", "-N", "-l", str(PORT)], stdin=source,
                                       stdout=subprocess.PIPE)
        with catcher:
            wait_for(is_listening, "nc to listen")
            with open(f"{folder}/in", "rb") as source:
                estab = connect(4, stdin=source, stdout=subprocess.PIPE)
            reader = Side(lambda: drain(catcher.stdout.read))
            arrived(drain(estab.process.stdout.read), pattern, "from nc to estab")
            arrived(reader.end(), pattern, "from estab to nc")
            equal(estab.wait(), 0, "estab's exit code")


def is_listening(port=PORT):
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path) as table:
            for line in table.readlines()[1:]:
                local, state = line.split()[1], int(line.split()[3], 16)
                if state == LISTEN and int(local.rsplit(":", 1)[1], 16) == port:
                    return True
    return False


def sink_and_source():
    size = 64 * MEBI
    pattern = Pattern("sink", size)
    estab = listen("--sink", "--json", stdout=subprocess.PIPE)
    for family in (4, 6):
        with dial(family) as stream:
            send_all(stream, pattern)
            equal(stream.recv(1), b"", "what a sink sends")
    report = estab.report()
    equal((report["received_octets"], report["connections_failed"]), (2 * size, 0), "sink's report")

    estab = listen("--source", size, "--json", stdout=subprocess.PIPE)
    for family in (4, 6):
        with dial(family) as stream:
            equal(drain(stream.recv)[0], size, "octets from a source")
    report = estab.report()
    equal((report["sent_octets"], report["connections_failed"]), (2 * size, 0), "source's report")

    estab = listen("--source")
    with dial(4) as stream:
        received = 0
        while received < MEBI:  # MSG_WAITALL does not wait on a socket with a time-out
            block = stream.recv(MEBI)
            check(block, "an endless source ended")
            received += len(block)
        reset(stream)
    with dial(4) as stream:
        check(stream.recv(1), "an endless source serves nobody after a reset")
        reset(stream)
    equal(estab.terminate(), 0, "estab's exit code")


def iperf3():
    """iperf3 speaks a protocol of its own on a control connection, so neither end of it can be a
    plain sink: here both of its connections are carried by an estab each, as inetd would, and
    iperf3 itself checks what arrived."""
    need("iperf3")
    for reverse in ([], ["-R"]):
        backend = subprocess.Popen(["iperf3", "-s", "-1", "-p", str(PORT)],
                                   stdout=subprocess.DEVNULL)
        wait_for(is_listening, "iperf3 to listen")
        with socket.create_server(("127.0.0.1", PORT + 1)) as front:
            front.settimeout(HANG)
            client = Side(lambda: run("iperf3", "-c", "127.0.0.1", "-p", PORT + 1, "-n", "64M",
                                      "-J", *reverse))
            carriers = []
            for i in (1, 2):
                stream, _ = front.accept()
                with stream:
                    carriers.append(Estab("connect", f"10.9.{i}.1", PORT, link=f"c{i}", v6=False,
                                          subnet=f"10.9.{i}", stdin=stream, stdout=stream))
            result = json.loads(client.end())
        backend.wait(HANG)
        check("error" not in result, f"iperf3: {result.get('error')}")
        check(result["end"]["sum_received"]["bytes"] > 0, "iperf3 received nothing")
        for carrier in carriers:
            carrier.wait()


def wrk():
    need("wrk")
    with tempfile.TemporaryDirectory() as folder:
        write_file(f"{folder}/small", Pattern("small", 1000))
        estab = serve(folder, "--json", stdout=subprocess.PIPE)
        out = run("wrk", "-t", 1, "-c", 64, "-d", 2, f"http://{ESTAB[4]}/small").decode()
        check("Socket errors" not in out and "Non-2xx" not in out, out)
        requests = int(re.search(r"(\d+) requests in", out).group(1))
        check(requests > 0, "wrk had no answer")
        report = estab.report()
        check(report["requests"] >= requests, "estab counts fewer requests than wrk")
        check(report["connections"] >= 64, f"only {report['connections']} connections")


def dissect(capture, wanted, *fields):
    command = ["tshark", "-r", capture, "-o", "tcp.check_checksum:TRUE",
               "-o", "ip.check_checksum:TRUE", "-o", "tcp.relative_sequence_numbers:TRUE",
               "-d", f"tcp.port=={PORT},data",  # random octets look like all sorts of protocols
               "-Y", wanted, "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    return [row.split("\t") for row in run(*command).decode().splitlines()]


def pcap(setting):
    need("tshark")
    for family in (4, 6):
        with tempfile.TemporaryDirectory() as folder:
            capture = f"{folder}/all.pcapng"
            estab = listen("--pcap", capture, "--offload", setting, **PIPES)
            with dial(family) as stream:
                sender = Side(lambda: send_all(stream, Pattern("pcap", 4 * MEBI)))
                equal(len(estab.process.stdout.read(4 * MEBI)), 4 * MEBI, "octets to estab")
                sender.end()
                # So that the acknowledgement of this FIN has a segment of its own.
                wait_for(lambda: tcp_state(stream) == FIN_WAIT2, "the FIN's acknowledgement")
                estab.process.stdin.close()
                equal(stream.recv(1), b"", "what the kernel reads")
            equal(estab.wait(), 0, "estab's exit code")
            check_capture(capture)


def check_capture(capture):
    bad = "_ws.malformed || tcp.checksum.status==0 || ip.checksum.status==0"
    equal(dissect(capture, bad, "frame.number", "_ws.col.info"), [], "frames tshark finds wrong")
    rows = dissect(capture, "tcp", "tcp.srcport", "tcp.flags.syn", "tcp.flags.fin",
                   "tcp.flags.ack", "tcp.len")
    segments = []
    for port, syn, fin, ack, octets in rows:
        who = "estab" if int(port) == PORT else "kernel"
        kind = "S" * int(syn) + "F" * int(fin) + "." * int(ack)
        segments.append(f"{who} {kind}" + (f" ({octets})" if int(octets) and not int(fin) else ""))
    equal(segments[:3], ["kernel S", "estab S.", "kernel ."], "the three that open")
    equal(segments[-4:], ["kernel F.", "estab .", "estab F.", "kernel ."], "the four that close")


# ---- streams, files and captures that fail ----------------------------------------------------


def answers(path="/small", family=4):
    """Whether a server gives that file; its link may not be there yet."""
    done = subprocess.run(["curl", "-sf", "--max-time", "5", "-o", "/dev/null",
                           f"http://{ESTAB[family]}{path}"], capture_output=True)
    return done.returncode == 0


def full_pipe():
    """Both ends of a pipe into which nothing more fits."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * size)
    os.set_blocking(writer, True)
    return reader, writer


def log_nobody_takes():
    """A full disk, a pipe whose reader has gone, one whose reader has stopped: the server serves on,
    counts the lines it could not write, and ends as ever."""
    need("curl")
    with tempfile.TemporaryDirectory() as folder:
        write_file(f"{folder}/small", Pattern("small", 1000))
        reader, without_reader = os.pipe()
        os.close(reader)
        stopped, with_stopped_reader = full_pipe()
        disk = os.open("/dev/full", os.O_WRONLY)
        for log in (disk, without_reader, with_stopped_reader):
            estab = Estab("serve", folder, "--json", stdout=subprocess.PIPE, stderr=log)
            wait_for(answers, "the server's answer")
            check(answers() and answers(), "the server does not answer any more")
            report = estab.report()
            check(report["log_lines_dropped"] >= 4, f"log lines dropped: {report}")
            os.close(log)
        os.close(stopped)


def streams_closed():
    """Without descriptors 0, 1 and 2 the link must not get one of them."""
    need("curl")
    with tempfile.TemporaryDirectory() as folder:
        write_file(f"{folder}/small", Pattern("small", 1000))
        Estab.program, program = "/bin/sh", Estab.program
        try:
            estab = Estab("-c", 'exec "$@" <&- >&- 2>&-', "sh", program, "serve", folder)
        finally:
            Estab.program = program
        wait_for(answers, "the server's answer")
        check(answers(), "the server does not answer any more")
        equal(estab.terminate(), 0, "estab's exit code")


def report_to_full_disk():
    with open("/dev/full", "wb") as disk:
        estab = listen("--sink", "--json", stdout=disk)
        equal(estab.terminate(), 1, "estab's exit code")
        check("standard output: No space" in estab.stderr(), "estab does not say why")


def truncated_while_served():
    """What a client has got when the connection is reset is the file's, octet for octet."""
    for setting in ("on", "off"):
        with tempfile.TemporaryDirectory() as folder:
            pattern = Pattern("truncated", 32 * MEBI)
            write_file(f"{folder}/file", pattern)
            estab = serve(folder, "--offload", setting)
            with socket.socket() as stream:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                stream.settimeout(HANG)
                stream.connect((ESTAB[4], 80))
                stream.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
                got = stream.recv(4096)
                os.truncate(f"{folder}/file", 4096)
                try:
                    while block := stream.recv(MEBI):
                        got += block
                    raise Wrong(f"the answer ended in good order after {len(got)} octets")
                except ConnectionResetError:
                    pass
            body = got[got.index(b"\r\n\r\n") + 4:]
            whole = b"".join(pattern.blocks())
            check(0 < len(body) < len(whole), f"{len(body)} octets came")
            check(whole.startswith(body), "octets came that were never in the file")
            equal(estab.terminate(), 0, "estab's exit code")


def capture_after_signals():
    """However many signals end it, and while it runs, the capture has every packet so far."""
    need("tshark")
    with tempfile.TemporaryDirectory() as folder:
        capture = f"{folder}/all.pcapng"
        write_file(f"{folder}/file", Pattern("file", 32 * MEBI))
        estab = serve(folder, "--grace", "forever", "--pcap", capture)
        with dial(4, 80) as stream:
            stream.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
            check(stream.recv(1), "no answer")
            opening = dissect(capture, "tcp.flags.syn==1", "tcp.srcport")
            equal(opening[1:], [["80"]], "the SYN-ACK in a capture that still grows")
            estab.process.send_signal(signal.SIGTERM)
            wait_for(lambda: "ending" in estab.stderr(), "the first signal's effect")
            for _ in range(3):
                estab.process.send_signal(signal.SIGTERM)
            check(estab.wait() in (128 + signal.SIGTERM, -signal.SIGTERM), "estab's exit code")
            resets = dissect(capture, "tcp.flags.reset==1", "tcp.srcport")
            check(["80"] in resets, f"the last packet is missing: {resets}")


def dropped():
    """The share of the kernel's packets that found the device's queue full."""
    # Not from /sys, which shows the namespace it was mounted in.
    link = json.loads(subprocess.run(["ip", "-json", "-stats", "link", "show", "dev", LINK],
                                     check=True, capture_output=True).stdout)[0]
    sent = link["stats64"]["tx"]
    return sent["dropped"] / max(1, sent["packets"])


def reads_beside_writes():
    """A busy sender does not leave the kernel's ACKs in the device's queue, which holds 500.

    Whoever is not scheduled does not read, so one download may go wrong by chance: the best of
    three counts. When the sender wrote all it had before it read, each of them lost 16 to 28 %.
    """
    need("curl")
    with tempfile.TemporaryDirectory() as folder:
        write_file(f"{folder}/file", Pattern("file", 128 * MEBI))
        losses = []
        while len(losses) < 3 and min(losses, default=1) > 0.01:
            estab = serve(folder, "--offload", "off", "--pcap", f"{folder}/all.pcapng")
            run("curl", "-sSf", "-o", "/dev/null", f"http://{ESTAB[4]}/file")
            losses.append(dropped())
            equal(estab.terminate(), 0, "estab's exit code")
        check(min(losses) <= 0.01, f"packets lost: {losses}")


# ---- peers and signals ------------------------------------------------------------------------


def keep_alive():
    """A peer that has vanished is found out."""
    with server() as listener:
        estab = connect(4, "--keep-alive", "200ms", "--keep-alive-interval", "100ms",
                        "--keep-alive-count", 3, stdin=subprocess.PIPE)
        with accept(listener):
            subprocess.run(["ip", "address", "del", f"{KERNEL[4]}/24", "dev", LINK], check=True)
            equal(estab.wait(), 1, "estab's exit code")
            check("has stopped answering" in estab.stderr(),
                  "estab does not say that the peer is gone")


def delete_link():
    subprocess.run(["ip", "link", "del", LINK], check=True)


def device_deleted():
    """A command whose TUN is deleted ends with an error that says so, whatever it waits for."""
    def ended(estab):
        equal(estab.wait(), 1, "estab's exit code")
        check(f"the interface {LINK} has been deleted" in estab.stderr(), "estab does not say why")

    with tempfile.TemporaryDirectory() as folder:
        for begin in (lambda: serve(folder), listen, lambda: listen("--sink")):
            estab = begin()
            delete_link()
            ended(estab)
        write_file(f"{folder}/file", Pattern("file", 8 * MEBI))
        estab = serve(folder)
        with dial(4, 80) as stream:
            stream.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
            check(stream.recv(1), "no answer")
            delete_link()
            ended(estab)
    estab = listen("--keep", stdin=subprocess.PIPE)
    with dial(4) as stream:
        stream.sendall(b"x")
        delete_link()
        ended(estab)
    with server() as listener:
        for begin in (lambda: connect(4, stdin=subprocess.PIPE),
                      lambda: connect(4, "--source"),
                      lambda: Estab("get", f"http://{KERNEL[4]}:{PORT}/", "-o", "/dev/null")):
            estab = begin()
            with accept(listener):
                delete_link()
                ended(estab)


def interrupted_while_idle():
    """A peer that says nothing and does not close is not waited for, but told."""
    with server() as listener:
        for number in (signal.SIGINT, signal.SIGHUP):
            estab = connect(4, stdin=subprocess.PIPE)
            with accept(listener) as stream:
                estab.process.send_signal(number)
                equal(stream.recv(1), b"", "what the kernel reads after the signal")
                equal(estab.wait(), 128 + number, "estab's exit code")
                wait_for(lambda: tcp_state(stream) == CLOSE, "the reset")


def status_by_signal():
    estab = listen("--sink")
    with dial(4) as stream:
        stream.sendall(b"x" * 1000)
        wait_for(lambda: unacknowledged(stream) == 0, "the acknowledgement")
        estab.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: "received 1000 B" in estab.stderr(), "the status")
    equal(estab.terminate(), 0, "estab's exit code")

ECHO_ONCE = """
import socket
stream, _ = socket.create_server(("", %d)).accept()
while block := stream.recv(1 << 18):
    stream.sendall(block)
""" % PORT


@contextlib.contextmanager
def bad_path(words, left="10.20.0.1", right="10.20.0.2"):
    """`estab impair` between this namespace and a new one, in which ECHO_ONCE runs."""
    far = subprocess.Popen(["unshare", "-n", sys.executable, "-c", ECHO_ONCE])
    impair = subprocess.Popen([Estab.program, "impair", "tun:left", "tun:right", *words, "--json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    there = ["nsenter", "-t", str(far.pid), "-n"]

    def apart():
        return os.readlink(f"/proc/{far.pid}/ns/net") != os.readlink("/proc/self/ns/net")

    try:
        wait_for(lambda: os.path.exists("/proc/sys/net/ipv4/conf/right") and apart(),
                 "the two interfaces")
        for name, address, inside in (("left", left, []), ("right", right, there)):
            if inside:
                run("ip", "link", "set", name, "netns", str(far.pid))
            run(*inside, "ip", "link", "set", name, "up")
            run(*inside, "ip", "address", "add", f"{address}/24", "dev", name)
        wait_for(lambda: subprocess.run([*there, "ss", "-Hltn", f"sport = :{PORT}"],
                                        capture_output=True).stdout, "the far listener")
        yield right, impair
    finally:
        for process in (far, impair):
            process.kill()
            process.wait()


def impair():
    """Two kernels over a path that delays, loses, duplicates and reorders: late, but whole."""
    need("ss")
    words = ["delay=20ms", "loss=2%", "duplicate=1%", "reorder=2%/5ms", "queue=1000"]
    pattern = Pattern("impair", 2 * MEBI)
    with bad_path(words) as (far, path):
        begun = time.monotonic()
        stream = socket.create_connection((far, PORT), HANG)
        check(time.monotonic() - begun >= 0.040, "the SYN and its answer came before two delays")
        with stream:
            sender = Side(lambda: send_all(stream, pattern))
            arrived(drain(stream.recv), pattern, "over the path and back")
            sender.end()
        path.send_signal(signal.SIGINT)
        out, _ = path.communicate(timeout=HANG)
        equal(path.returncode, 0, "impair's exit code")
        told = json.loads(out)
        for way in ("there", "back"):
            for what in ("lost", "duplicated", "reordered"):
                check(told[way][what] > 0, f"nothing {what} on the way {way}: {told[way]}")


# ---- AccECN (RFC 9768): the kernel counts marks, if a middlebox asks for it -------------------


class FarNamespace:
    """Another namespace behind a middlebox: there is estab, and forwards what comes for it."""

    def __init__(self, *, every, asks_for_accurate_ecn=True):
        self.sleeper = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{self.sleeper.pid}/ns/net") != own, "a namespace")
        self.middlebox = Middlebox("near", "far", every=every,
                                   asks_for_accurate_ecn=asks_for_accurate_ecn)
        self.ip("link", "set", "far", "netns", str(self.sleeper.pid))
        self.ip("address", "add", "10.8.0.1/24", "dev", "near")
        self.ip("link", "set", "near", "up")
        self.ip("route", "add", "10.9.0.0/24", "dev", "near")
        self.ip("address", "add", "10.8.0.2/24", "dev", "far", inside=True)
        self.ip("link", "set", "far", "up", inside=True)
        self.ip("route", "replace", "10.8.0.0/24", "dev", "far", inside=True)
        subprocess.run([*self.inside, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
        self.middlebox.start()

    @property
    def inside(self):
        return ["nsenter", "-t", str(self.sleeper.pid), "-n"]

    def ip(self, *words, inside=False):
        subprocess.run([*(self.inside if inside else ()), "ip", *words], check=True)

    def end(self):
        self.middlebox.stop()
        self.sleeper.kill()
        self.sleeper.wait()


@contextlib.contextmanager
def far_namespace(**options):
    for tool in ("ip", "nsenter", "sysctl"):
        need(tool)
    with open("/proc/sys/net/ipv4/tcp_ecn", "w") as setting:
        setting.write("1")
    far = FarNamespace(**options)
    try:
        yield far
    finally:
        far.end()


def received_ce(stream):
    """tcpi_received_ce; nothing where the kernel does not know it."""
    info = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    return struct.unpack_from("I", info, 248)[0] if len(info) >= 252 else None


def need_accurate_ecn(middlebox):
    """A kernel that does not know AccECN answers 010 with a count of nothing."""
    if 2 not in middlebox.near.first_ace[:1]:
        raise Skip("this kernel does not go over to AccECN")


def accurate_ecn_download():
    """Marks on what estab sends: the kernel counts them, and estab reads the counts."""
    with far_namespace(every=40) as far:
        listen("--source", "4MiB", "--ecn", "accurate", v6=False, inside=far.inside)
        with socket.create_connection((ESTAB[4], PORT), HANG) as stream:
            size, _ = drain(stream.recv)
            counted = received_ce(stream)
        box = far.middlebox
        equal(size, 4 * MEBI, "octets that arrived")
        need_accurate_ecn(box)
        equal(box.near.syn_flags[0], 0x1c0, "the SYN that asks for AccECN")
        equal(box.far.syn_flags[0], 0x080, "the SYN-ACK that agrees, and says that the SYN came unmarked")
        check(box.far.capable > 2000, f"ECN-capable segments: {box.far.capable}")
        check(box.far.marked > 50, f"marks: {box.far.marked}")
        check(len(set(box.near.counts)) == 8, f"the kernel's counts: {box.near.counts[:20]}")
        if counted is not None:
            check(counted >= box.far.marked - 2, f"{counted} counted of {box.far.marked} marks")


def accurate_ecn_upload():
    """Marks on what the kernel sends: estab counts them, in the header and by octets."""
    with far_namespace(every=40) as far:
        estab = listen("--sink", v6=False, inside=far.inside)  # by default it answers who asks
        with socket.create_connection((ESTAB[4], PORT), HANG) as stream:
            send_all(stream, Pattern("marked", 4 * MEBI))
            drain(stream.recv)
        box = far.middlebox
        need_accurate_ecn(box)
        equal(estab.terminate(), 0, "estab's exit code")
        check(box.near.marked > 50, f"marks: {box.near.marked}")
        equal(box.far.counts[-1], (5 + box.near.marked) % 8, "the count behind the last mark")
        check(box.far.options, "estab sent no AccECN option")
        last = box.far.options[-1]
        equal(last.get("ceb"), box.near.marked_octets % (1 << 24), "octets counted as marked")
        equal(box.far.counts[0], 5, "estab's first count")


def accurate_ecn_falls_back():
    """The kernel as a server knows RFC 3168 alone."""
    with open("/proc/sys/net/ipv4/tcp_ecn", "w") as setting:
        setting.write("1")
    with server() as listener:
        estab = connect(4, "--ecn", "accurate", **PIPES)
        with accept(listener) as stream:
            pipe_check(estab, stream, MEBI)


# ---- the gateway ------------------------------------------------------------------------------

FAR = {4: "192.0.2.2", 6: "2001:db8:9::2"}
NEAR = {4: "192.0.2.1", 6: "2001:db8:9::1"}
WEB, ANSWER_AFTER_FIN, FIN_FIRST, RESET_AFTER_ANSWER, SPEAKS_FIRST, NOBODY = range(8001, 8007)

# The servers of another host: one line on its output for each connection that has ended.
FAR_HOST = """
import errno, http.server, os, socket, struct, sys, threading
web, answer_after_fin, fin_first, reset_after_answer, speaks_first = map(int, sys.argv[1:6])
sys.stdin.readline()

def drain(stream):
    count = 0
    try:
        while block := stream.recv(1 << 16):
            count += len(block)
    except OSError as failure:
        return f"{count} {errno.errorcode[failure.errno]}"
    return f"{count} FIN"

def after_fin(stream):
    end = drain(stream)
    stream.sendall(f"got {end}".encode())
    return end

def first_fin(stream):
    stream.sendall(b"take this")
    stream.shutdown(socket.SHUT_WR)
    return drain(stream)

def reset(stream):
    stream.recv(1)
    stream.sendall(b"x" * 100000)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return "reset"

def first_word(stream):
    stream.sendall(b"220 ready\\r\\n")
    return drain(stream)

def serve(port, act):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        stream, _ = listener.accept()
        def run(stream=stream):
            with stream:
                end = act(stream)
            print(act.__name__, end, flush=True)
        threading.Thread(target=run, daemon=True).start()

for port, act in ((answer_after_fin, after_fin), (fin_first, first_fin),
                  (reset_after_answer, reset), (speaks_first, first_word)):
    threading.Thread(target=serve, args=(port, act), daemon=True).start()

def echo():
    datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagrams.bind(("::", web))
    while True:
        octets, source = datagrams.recvfrom(65535)
        datagrams.sendto(octets[::-1], source)

threading.Thread(target=echo, daemon=True).start()

class Web(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

os.chdir(sys.argv[6])
server = Web(("::", web), Quiet)
print("ready", flush=True)
server.serve_forever()
"""


class FarHost:
    """Another host, in a namespace of its own, with a link to this one."""

    def __init__(self, folder):
        need("ip")
        ports = map(str, (WEB, ANSWER_AFTER_FIN, FIN_FIRST, RESET_AFTER_ANSWER, SPEAKS_FIRST))
        self.process = subprocess.Popen(["unshare", "-n", sys.executable, "-c", FAR_HOST, *ports,
                                         folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        pid = str(self.process.pid)
        wait_for(lambda: os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"),
                 "the far namespace")
        there = ["nsenter", "-t", pid, "-n"]
        run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", pid)
        for inside, name, address in (([], "near", NEAR), (there, "far", FAR)):
            run(*inside, "ip", "address", "add", f"{address[4]}/24", "dev", name)
            run(*inside, "ip", "address", "add", f"{address[6]}/64", "dev", name, "nodad")
            run(*inside, "ip", "link", "set", name, "up")
        self.process.stdin.write("go\n")
        equal(self.line(), "ready", "the far host's first word")

    def line(self):
        return self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def gateway(*command, options=()):
    """Runs the command as a guest; what it prints, and what the gateway reports."""
    done = subprocess.run([Estab.program, "gateway", "--direct", "--json", *options, "--netns", "--",
                           *map(str, command)], capture_output=True, timeout=HANG)
    begin = done.stderr.find(b'{\n  "schema": "estab.gateway/1"')
    check(begin >= 0, f"no report: {done.stderr.decode(errors='replace')[-500:]}")
    told = json.loads(done.stderr[begin:])
    for what in ("connections", "streams", "held_syns"):  # a flow of datagrams ends by silence
        equal(told["left"][what], 0, f"{what} left in the gateway")
    return done, told


def guest(text, *arguments):
    """A guest in Python, which ends well; what it prints."""
    done, told = gateway(sys.executable, "-c", text, *arguments)
    check(done.returncode == 0, f"the guest failed: {done.stderr.decode(errors='replace')[-900:]}")
    return done.stdout.decode(), told


def gateway_curl():
    """Files and datagrams from another host, both families."""
    need("curl")
    with tempfile.TemporaryDirectory() as folder:
        write_file(f"{folder}/big", Pattern("big", 16 * MEBI))
        big = read_file(f"{folder}/big")
        with FarHost(folder):
            for url in (f"http://{FAR[4]}:{WEB}", f"http://[{FAR[6]}]:{WEB}"):
                done, told = gateway("curl", "-sSf", f"{url}/big")
                equal(done.returncode, 0, "curl's exit code")
                check(done.stdout == big, "the file came out different")
                equal(told["connections"], 1, "connections")
                check(told["octets_down"] >= len(big), f"too few octets down: {told}")
            text = """
import socket, sys
for family, address in ((socket.AF_INET, sys.argv[1]), (socket.AF_INET6, sys.argv[2])):
    with socket.socket(family, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(60)
        datagrams.sendto(b"a" + b"b" * 3000, (address, int(sys.argv[3])))
        octets, source = datagrams.recvfrom(65535)
        print(len(octets), octets[-1:] == b"a", source[0], source[1])
"""
            out, told = guest(text, FAR[4], FAR[6], str(WEB))
            equal(out.splitlines(), [f"3001 True {FAR[family]} {WEB}" for family in (4, 6)],
                  "the answers")
            equal((told["datagrams_up"], told["datagrams_down"]), (2, 2), "datagrams")


def gateway_half_close():
    """A FIN ends its direction and no other, whoever sends it; nc too."""
    need("nc")
    with tempfile.TemporaryDirectory() as folder, FarHost(folder) as far:
        text = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as stream:
    stream.sendall(b"x" * 300000)
    stream.shutdown(socket.SHUT_WR)
    print(stream.makefile().read())
with socket.create_connection((sys.argv[1], int(sys.argv[3]))) as stream:
    print(stream.makefile().read())
    stream.sendall(b"y" * 5000)
with socket.create_connection((sys.argv[1], int(sys.argv[4]))) as stream:
    print(stream.recv(100))
"""
        out, _ = guest(text, FAR[4], *map(str, (ANSWER_AFTER_FIN, FIN_FIRST, SPEAKS_FIRST)))
        equal(out.splitlines(), ["got 300000 FIN", "take this", "b'220 ready\\r\\n'"],
              "what the guest read")
        equal([far.line() for _ in range(3)],
              ["after_fin 300000 FIN", "first_fin 5000 FIN", "first_word 0 FIN"],
              "what the servers saw")
        done, _ = gateway("sh", "-c", f"printf hello | nc -N {FAR[4]} {ANSWER_AFTER_FIN}")
        equal(done.stdout, b"got 5 FIN", "what nc printed")


def gateway_errors():
    """Refused, unreachable, reset: each arrives as what it is."""
    with tempfile.TemporaryDirectory() as folder, FarHost(folder) as far:
        run("ip", "route", "add", "unreachable", "203.0.113.0/24")
        text = """
import errno, socket, struct, sys
def attempt(address, port):
    try:
        return socket.create_connection((address, port), 60)
    except OSError as failure:
        print(errno.errorcode.get(failure.errno, failure))
attempt(sys.argv[1], int(sys.argv[2]))
attempt("203.0.113.9", 80)
attempt("198.51.100.9", 80)
attempt(sys.argv[5], int(sys.argv[2]))
stream = attempt(sys.argv[1], int(sys.argv[3]))
stream.sendall(b"?")
count = 0
try:
    while block := stream.recv(65536):
        count += len(block)
    print("end", count)
except ConnectionResetError:
    print("reset", count)
stream = attempt(sys.argv[1], int(sys.argv[4]))
stream.recv(100)
stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
stream.close()
"""
        out, told = guest(text, FAR[4], str(NOBODY), str(RESET_AFTER_ANSWER), str(SPEAKS_FIRST),
                          NEAR[4])
        equal(out.splitlines(), ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EHOSTUNREACH",
                                 "reset 100000"], "what the guest saw")
        equal({far.line() for _ in range(2)}, {"reset reset", "first_word 0 ECONNRESET"},
              "what the servers saw")
        equal((told["refused"], told["reset_by_guest"], told["reset_by_upstream"]), (4, 1, 1),
              "what the gateway counted")


def gateway_tun():
    """A guest in a namespace of somebody else's, to which the interface is moved."""
    need("curl")
    with tempfile.TemporaryDirectory() as folder, FarHost(folder):
        write_file(f"{folder}/small", Pattern("small", 1000))
        small = read_file(f"{folder}/small")
        estab = subprocess.Popen([Estab.program, "gateway", "--direct", "--tun", "guest0", "--json"],
                                 stderr=subprocess.PIPE)
        other = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
        try:
            there = ["nsenter", "-t", str(other.pid), "-n"]
            wait_for(lambda: os.path.exists("/proc/sys/net/ipv4/conf/guest0"), "the interface")
            wait_for(lambda: os.readlink(f"/proc/{other.pid}/ns/net") !=
                     os.readlink("/proc/self/ns/net"), "the namespace")
            check(b"reach other hosts" in estab.stderr.readline(), "the first line")
            run("ip", "link", "set", "guest0", "netns", other.pid)
            run(*there, "ip", "address", "add", "10.0.2.100/24", "dev", "guest0")
            run(*there, "ip", "link", "set", "guest0", "up")
            run(*there, "ip", "route", "add", "default", "dev", "guest0")
            got = run(*there, "curl", "-sSf", "--max-time", HANG, f"http://{FAR[4]}:{WEB}/small")
            check(got == small, "the file came out different")
            estab.send_signal(signal.SIGTERM)
            _, log = estab.communicate(timeout=HANG)
            equal(estab.returncode, 0, "the exit code")
            equal(json.loads(log)["connections"], 1, "connections")
        finally:
            for process in (estab, other):
                process.kill()
                process.wait()


# ---- running them -----------------------------------------------------------------------------


TESTS = {
    "kernel_client_v4": lambda: kernel_client(4),
    "kernel_client_v6": lambda: kernel_client(6),
    "estab_client_v4": lambda: estab_client(4),
    "estab_client_v6": lambda: estab_client(6),
    "bulk_kernel_client_v4": lambda: bulk_kernel_client(4),
    "bulk_estab_client_v6": lambda: bulk_estab_client(6),
    "half_close_by_kernel": half_close_by_kernel,
    "half_close_by_estab": half_close_by_estab,
    "socket_as_output": socket_as_output,
    "reset_by_kernel": reset_by_kernel,
    "reset_by_estab": reset_by_estab,
    "abort_by_signal": abort_by_signal,
    "refused": refused,
    "simultaneous_close": simultaneous_close,
    "thousand_connections_kernel_closes": lambda: thousand_connections("kernel"),
    "thousand_connections_estab_closes": lambda: thousand_connections("estab"),
    "mtu_576": lambda: mtu(576),
    "mtu_1280": lambda: mtu(1280),
    "mtu_1500": lambda: mtu(1500),
    "mtu_9000": lambda: mtu(9000),
    "mtu_65535": lambda: mtu(65535),
    "offload_on": lambda: offload("on"),
    "offload_off": lambda: offload("off"),
    "curl": curl,
    "curl_parallel": curl_parallel,
    "estab_get": estab_get,
    "fast_open_kernel_client": fast_open_kernel_client,
    "fast_open_estab_client": fast_open_estab_client,
    "nc": nc,
    "sink_and_source": sink_and_source,
    "iperf3": iperf3,
    "wrk": wrk,
    "pcap_offload_on": lambda: pcap("on"),
    "pcap_offload_off": lambda: pcap("off"),
    "log_nobody_takes": log_nobody_takes,
    "streams_closed": streams_closed,
    "report_to_full_disk": report_to_full_disk,
    "truncated_while_served": truncated_while_served,
    "capture_after_signals": capture_after_signals,
    "reads_beside_writes": reads_beside_writes,
    "keep_alive": keep_alive,
    "device_deleted": device_deleted,
    "interrupted_while_idle": interrupted_while_idle,
    "status_by_signal": status_by_signal,
    "impair": impair,
    "accurate_ecn_download": accurate_ecn_download,
    "accurate_ecn_upload": accurate_ecn_upload,
    "accurate_ecn_falls_back": accurate_ecn_falls_back,
    "gateway_curl": gateway_curl,
    "gateway_half_close": gateway_half_close,
    "gateway_errors": gateway_errors,
    "gateway_tun": gateway_tun,
}


def run_here(name):
    """Within the namespace."""
    set_interface_up("lo")
    with contextlib.suppress(OSError):  # a point-to-point link has nobody to ask anyway
        with open("/proc/sys/net/ipv6/conf/default/accept_dad", "w") as setting:
            setting.write("0")
    try:
        TESTS[name]()
    except Skip as reason:
        print(f"{name}: skipped: {reason}")
        return SKIPPED
    except (Wrong, OSError, ValueError, subprocess.SubprocessError) as failure:
        print(f"{name}: FAILED: {type(failure).__name__}: {failure}")
        for estab in Estab.started[-2:]:
            print(estab.describe())
        return 1
    finally:
        for estab in Estab.started:
            estab.kill()
    print(f"{name}: good")
    return 0


def run_apart(name, program):
    """In a namespace of its own."""
    flags = "-n" if os.geteuid() == 0 else "-Urn"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        print(f"{name}: skipped: no /dev/net/tun that this user may open (`modprobe tun`)")
        return SKIPPED
    need_unshare = shutil.which("unshare")
    if not need_unshare or subprocess.run(["unshare", flags, "true"],
                                          capture_output=True).returncode != 0:
        print(f"{name}: skipped: `unshare {flags}` does not give a network namespace")
        return SKIPPED
    environment = dict(os.environ, **{IN_NAMESPACE: "1"})
    return subprocess.run(["unshare", flags, sys.executable, os.path.abspath(__file__),
                           "--estab", program, name], env=environment).returncode


def main():
    parser = argparse.ArgumentParser(description="estab against the Linux kernel, over a TUN")
    parser.add_argument("--estab", metavar="PROGRAM", help="the program under test")
    parser.add_argument("--list", action="store_true", help="print the names of the tests")
    parser.add_argument("name", nargs="*", metavar="NAME", help="a test, or `all`")
    options = parser.parse_args()
    if options.list:
        print("\n".join(TESTS))
        return 0
    names = list(TESTS) if options.name == ["all"] else options.name
    unknown = [name for name in names if name not in TESTS]
    if not options.estab or not names or unknown:
        parser.error(f"no such test: {', '.join(unknown)}" if unknown
                     else "name the program with --estab, and a test")
    Estab.program = os.path.abspath(options.estab)
    if os.environ.get(IN_NAMESPACE):
        return run_here(names[0])
    codes = [run_apart(name, Estab.program) for name in names]
    if any(code not in (0, SKIPPED) for code in codes):
        return 1
    return SKIPPED if SKIPPED in codes and len(codes) == 1 else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
