#!/usr/bin/env python3
"""estab and the kernel as senders over the same bad paths, one after the other, in one run.

    bench/wan.py [--cells REGEX] [--rounds N] [--seeds N] [--json FILE]

Each cell is a path made by `estab impair` between two network namespaces: in one nginx (the kernel's TCP) and
`estab serve` (behind a TUN of its own, forwarded by that namespace), in the other the kernel's curl. What is told is the
time of a whole transfer: where nothing is random the median of --rounds, with random loss the geometric mean over
--seeds, since a kernel by itself varies threefold. Ratios are the kernel's time by estab's: above 1, estab is faster.

Needs root, nginx and curl (scripts/install_packages.sh bench). Nothing outside its own namespaces is touched.
"""
import argparse
import contextlib
import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ESTAB = os.environ.get("ESTAB", str(ROOT / "build/release/bin/estab"))
CONTROLS = ("cubic", "bbr")
LIMIT = 120  # seconds a transfer may take


@dataclass(frozen=True)
class Cell:
    name: str
    path: str  # words of `estab impair`, for the way from the senders; the way back has rate, delay and queue
    octets: int
    random: bool = False
    controls: tuple = CONTROLS


def cells():
    """Rates, round trips, losses, and the ends of short transfers."""
    for rate, rtt in ((20, 10), (50, 60), (100, 10), (100, 150)):
        bdp = max(int(rate * 1e6 / 8 * rtt / 1e3 / 1500), 20)
        base = f"rate={rate}M delay={rtt / 2}ms queue={bdp}"
        size = min(rate * 400_000, 20_000_000)
        yield Cell(f"{rate}M {rtt}ms clean", base, size)
        for loss in ("0.1%", "1%", "3%"):
            controls = CONTROLS if loss == "0.1%" else ("bbr",)  # CUBIC takes minutes there
            yield Cell(f"{rate}M {rtt}ms loss {loss}", f"{base} loss={loss}", size // 2, True, controls)
    yield Cell("50M 60ms bursts", "rate=50M delay=30ms queue=250 burst-loss=0.1%/25%", 10_000_000, True)
    yield Cell("100M 10ms reorder 1%", "rate=100M delay=5ms queue=250 reorder=1%/2ms", 20_000_000, True)
    yield Cell("50M 60ms shallow", "rate=50M delay=30ms queue=25", 10_000_000)
    yield Cell("50M 60ms deep", "rate=50M delay=30ms queue=2500", 20_000_000)
    for size in (10_000, 100_000, 1_000_000):
        yield Cell(f"50M 60ms tail {size // 1000}K", "rate=50M delay=30ms queue=250 loss=2%", size, True)


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def require_tools():
    for tool in ("nginx", "curl", "ip", "nsenter", "unshare"):
        if not shutil.which(tool):
            sys.exit(f"{Path(sys.argv[0]).name}: {tool} is missing; install it with: scripts/install_packages.sh bench")


def enter_namespace():
    """Goes on in a network and mount namespace of its own."""
    if os.environ.get("ESTAB_BENCH_INSIDE") != "yes":
        os.environ["ESTAB_BENCH_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "-nm", sys.executable, *sys.argv])


class Namespace:
    """A network namespace that lives as long as its sleeping process."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        while os.readlink(f"/proc/{self.process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            time.sleep(0.01)
        self.ip("link", "set", "lo", "up")

    @property
    def pid(self):
        return str(self.process.pid)

    def inside(self, *command):
        return ["nsenter", "-t", self.pid, "-n", *command]

    def ip(self, *words):
        run(*self.inside("ip", *words))

    def end(self):
        self.process.kill()
        self.process.wait()


class Lab:
    def __init__(self, folder):
        self.folder = folder
        self.senders, self.receiver = Namespace(), Namespace()
        self.children = []
        run(*self.senders.inside("sysctl", "-qw", "net.ipv4.ip_forward=1"))
        # Every connection as if it were the first to that address.
        for where in (self.senders, self.receiver):
            run(*where.inside("sysctl", "-qw", "net.ipv4.tcp_no_metrics_save=1"))
        self.start_nginx()
        for index, control in enumerate(CONTROLS):
            self.start_estab(index, control)

    def spawn(self, *command):
        with open(f"{self.folder}/log", "a", encoding="utf-8") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log)
        self.children.append(child)
        return child

    def start_nginx(self):
        conf = Path(self.folder, "nginx.conf")
        temp = "".join(f"{kind}_temp_path {self.folder};" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf.write_text(f"worker_processes 1; daemon off; pid {self.folder}/pid; error_log {self.folder}/err;\n"
                        "events { worker_connections 64; }\n"
                        f"http {{ access_log off; sendfile on; {temp} server {{ listen 80; root "
                        f"{self.folder}/www; }} }}\n", encoding="utf-8")
        self.spawn(*self.senders.inside("nginx", "-g", "user root;", "-c", str(conf)))

    def start_estab(self, index, control):
        self.spawn(*self.senders.inside(
            ESTAB, "serve", f"{self.folder}/www", "--quiet", "--cc", control, "--link", f"tun:e{index}",
            "--address", f"10.9.{index}.2/24", "--host-address", f"10.9.{index}.1/24"))

    def path(self, words, seed):
        """Makes the path; the senders are at 10.20.N.1 (nginx by control N) and 10.9.N.2."""
        back = " ".join(word for word in words.split() if word.split("=")[0] in ("rate", "delay", "queue"))
        impair = subprocess.Popen([ESTAB, "impair", "tun:wl", "tun:wr", "--a-to-b", words, "--b-to-a", back,
                                   "--seed", str(seed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end, where, host in (("wl", self.senders, 1), ("wr", self.receiver, 2)):
            while not Path(f"/proc/sys/net/ipv4/conf/{end}").exists():
                if impair.poll() is not None:
                    sys.exit(f"wan: estab impair ended with {impair.returncode}")
                time.sleep(0.01)
            run("ip", "link", "set", end, "netns", where.pid)
            where.ip("link", "set", end, "up")
            for index in range(len(CONTROLS)):
                where.ip("address", "add", f"10.20.{index}.{host}/24", "dev", end)
        for index, control in enumerate(CONTROLS):
            self.senders.ip("route", "replace", f"10.20.{index}.0/24", "dev", "wl", "src", f"10.20.{index}.1",
                            "congctl", control)
            self.receiver.ip("route", "replace", f"10.9.{index}.0/24", "via", f"10.20.{index}.1")
        return impair

    def fetch(self, address, octets):
        """Seconds, from the SYN to the last octet."""
        done = subprocess.run(self.receiver.inside(
            "curl", "-sS", "-m", str(LIMIT), "-r", f"0-{octets - 1}", "-o", "/dev/null", "-w",
            "%{time_total} %{size_download}", f"http://{address}/file"), capture_output=True, text=True, check=False)
        if done.returncode == 28:
            return float(LIMIT)
        if done.returncode != 0:
            sys.exit(f"wan: curl of {address}: {done.stderr.strip()}")
        seconds, size = done.stdout.split()
        if int(size) != octets:
            sys.exit(f"wan: {address} sent {size} octets of {octets}")
        return float(seconds)

    def end(self):
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            child.wait()
        self.senders.end()
        self.receiver.end()


def address_of(sender, control):
    """Where a sender by that congestion control is reached."""
    index = CONTROLS.index(control)
    return f"10.20.{index}.1" if sender == "kernel" else f"10.9.{index}.2"


@contextlib.contextmanager
def lab_with(make_file):
    """Both senders under way, serving what make_file(path) makes."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        Path(folder, "www").mkdir()
        make_file(Path(folder, "www/file"))
        lab = Lab(folder)
        try:
            time.sleep(0.5)
            yield lab
        finally:
            lab.end()


def measure(lab, cell, options):
    """By control, the times of both senders."""
    times = {control: {"kernel": [], "estab": []} for control in cell.controls}
    repeats = options.seeds if cell.random else options.rounds
    for seed in range(1, repeats + 1):
        for control in cell.controls:
            for sender in ("kernel", "estab"):
                impair = lab.path(cell.path, seed)  # the same luck for both, packet by packet
                times[control][sender].append(lab.fetch(address_of(sender, control), cell.octets))
                impair.send_signal(signal.SIGINT)
                impair.wait()
    typical = statistics.geometric_mean if cell.random else statistics.median
    return {control: {sender: typical(found) for sender, found in both.items()} for control, both in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", default="", help="only cells whose name matches")
    parser.add_argument("--rounds", type=int, default=5, help="where nothing is random (5)")
    parser.add_argument("--seeds", type=int, default=15, help="with random loss (15)")
    parser.add_argument("--json", help="write the figures there too")
    options = parser.parse_args()
    require_tools()
    enter_namespace()
    results = {}
    with lab_with(lambda file: file.write_bytes(os.urandom(32 << 20))) as lab:
        for cell in cells():
            if not re.search(options.cells, cell.name):
                continue
            results[cell.name] = measure(lab, cell, options)
            for control, both in results[cell.name].items():
                print(f"{cell.name:28} {control:6} kernel {both['kernel']:8.3f} s  estab {both['estab']:8.3f} s  "
                      f"{both['kernel'] / both['estab']:5.2f}", flush=True)
    for control in CONTROLS:
        ratios = [both[control]["kernel"] / both[control]["estab"] for both in results.values() if control in both]
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            print(f"{control}: geometric mean {mean:.2f}, from {min(ratios):.2f} to {max(ratios):.2f}, "
                  f"{len(ratios)} cells")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
