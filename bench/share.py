#!/usr/bin/env python3
"""Two flows over one bottleneck: what share estab's gets beside the kernel's, and what two kernels give each other.

    bench/share.py [--pairs N] [--seconds N] [--path WORDS] [--only REGEX] [--json FILE]

Both flows go through one `estab impair` at once, each to a curl of its own; which begins first, and how much later the
other follows, is drawn by the seed of the pair. Told is the first one's part of all octets of that time, in the mean over the
pairs and from the least to the most. The kernel's congestion control is set by route, estab's by --cc.

Needs root, nginx and curl (scripts/install_packages.sh bench). Nothing outside its own namespaces is touched.
"""
import argparse
import json
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from wan import address_of, enter_namespace, lab_with, require_tools

# (name, first flow, second flow): a sender and its congestion control.
CONTESTS = (
    ("CUBIC, estab beside the kernel", ("estab", "cubic"), ("kernel", "cubic")),
    ("CUBIC, two kernels", ("kernel", "cubic"), ("kernel", "cubic")),
    ("CUBIC, two of estab", ("estab", "cubic"), ("estab", "cubic")),
    ("BBR of estab beside the kernel's CUBIC", ("estab", "bbr"), ("kernel", "cubic")),
    ("BBR of the kernel beside its CUBIC", ("kernel", "bbr"), ("kernel", "cubic")),
)


def start(lab, flow, seconds):
    return subprocess.Popen(lab.receiver.inside(
        "curl", "-s", "-m", str(seconds), "-o", "/dev/null", "-w", "%{size_download}",
        f"http://{address_of(*flow)}/file"), stdout=subprocess.PIPE, text=True)


def share(lab, path, flows, seed, seconds):
    """The first flow's part of what both brought."""
    drawn = random.Random(seed)
    order = drawn.sample((0, 1), 2)
    impair = lab.path(path, seed)
    running = {}
    for place, index in enumerate(order):
        if place:
            time.sleep(drawn.uniform(0.1, 3))
        running[index] = start(lab, flows[index], seconds)
    octets = {index: int(child.communicate()[0]) for index, child in running.items()}
    impair.send_signal(signal.SIGINT)
    impair.wait()
    return octets[0] / (octets[0] + octets[1])


def make_file(path):
    """More than fits into the time."""
    with open(path, "wb") as file:
        file.truncate(4 << 30)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10, help="how often, each time with another start (10)")
    parser.add_argument("--seconds", type=int, default=60, help="how long both flows run (60)")
    parser.add_argument("--path", default="rate=50M delay=30ms queue=250", help="words of estab impair")
    parser.add_argument("--only", default="", help="only contests whose name matches")
    parser.add_argument("--json", help="write the figures there too")
    options = parser.parse_args()
    require_tools()
    enter_namespace()
    results = {}
    with lab_with(make_file) as lab:
        for name, *flows in CONTESTS:
            if not re.search(options.only, name):
                continue
            found = [share(lab, options.path, flows, seed, options.seconds) for seed in range(1, options.pairs + 1)]
            results[name] = found
            print(f"{name:42} {100 * statistics.mean(found):5.1f} %, from {100 * min(found):.1f} to "
                  f"{100 * max(found):.1f}, {len(found)} pairs", flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
