#!/usr/bin/env python3
"""Runs the packetdrill scripts and writes docs/conformance.md.

    conformance.py PROGRAM [PUBLIC_SCRIPTS]

PROGRAM is `estab`. The repository's own scripts (tests/conformance) are run for both families; those
below PUBLIC_SCRIPTS, if there is such a folder, as they are and with sequence numbers that wrap.
Ends with 1 if one of its own scripts fails, or if a public one does that tests/conformance/reasons.toml
has no reason for.
"""
import fnmatch
import json
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / "tests" / "conformance"
PAGE = ROOT / "docs" / "conformance.md"
REASONS = OWN / "reasons.toml"

OWN_RUNS = (("IPv4", []),
            ("IPv6", ["--ip-version", "ipv6"]),
            ("FreeBSD's manners", ["--profile", "freebsd"]))
PUBLIC_RUNS = (("as they are", []),
               ("ISN 0xFFFFFF00", ["--isn", "0xFFFFFF00"]),
               ("ISN 0x7FFFFF00", ["--isn", "0x7FFFFF00"]),
               ("peer's ISN 0xFFFFF448", ["--peer-isn", "0xFFFFF448"]))


def drill(program, folder, options):
    """{script relative to folder: its result}."""
    run = subprocess.run([program, "drill", "--json", *options, str(folder)], capture_output=True,
                         text=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"conformance: {run.stderr.strip()}")
    return {Path(script["file"]).relative_to(folder).as_posix(): script
            for script in json.loads(run.stdout)["scripts"]}


def table(runs, group):
    """Rows of passed/all by group, and a column for each run."""
    groups = defaultdict(list)
    for name in next(iter(runs.values())):
        groups[group(name)].append(name)
    lines = ["| scripts | " + " | ".join(runs) + " |", "|---" * (len(runs) + 1) + "|"]

    def row(title, names):
        cells = [f"{sum(run[name]['result'] == 'passed' for name in names)} of {len(names)}"
                 for run in runs.values()]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")

    for title in sorted(groups):
        row(title, groups[title])
    row("all", [name for names in groups.values() for name in names])
    return lines


def not_passed(runs):
    """{script: (run, result)} of the first run it does not pass in."""
    found = {}
    for title, run in runs.items():
        for name, script in run.items():
            if script["result"] != "passed":
                found.setdefault(name, (title, script))
    return found


def reason_for(name, reasons):
    for entry in reasons:
        if any(fnmatch.fnmatch(name, pattern) for pattern in entry["scripts"]):
            return entry["reason"]
    return None


def own_part(runs):
    return ["## The repository's own scripts", "",
            "`tests/conformance`: RFC 9293 §3.10, one folder a section, every state by every kind of",
            "segment and call.", "",
            *table(runs, lambda name: "§" + name.split("/")[0].removeprefix("rfc9293-")), ""]


def public_part(runs, reasons):
    failures = not_passed(runs)
    lines = ["## Public suites", "",
             "Scripts of google/packetdrill (Linux) and freebsd-net/tcp-testsuite (FreeBSD), normalised;",
             "they are not part of this repository.", "",
             *table(runs, lambda name: "/".join(name.split("/")[:2])), ""]
    if not failures:
        return lines + ["All pass.", ""]
    lines += ["### What does not pass, and why", "", "| script | line | why |", "|---|---|---|"]
    for name, (_, script) in sorted(failures.items()):
        why = reason_for(name, reasons) or "no reason yet: " + script["reason"]
        lines.append(f"| {name} | {script['line']} | {why} |")
    return lines + [""]


HEAD = """# Conformance

Written by `make conformance`, which runs packetdrill scripts against the stack with `estab drill`.
""".splitlines()


def main():
    program = str(Path(sys.argv[1]).resolve())
    public = Path(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else None
    own = {title: drill(program, OWN, options) for title, options in OWN_RUNS}
    wrong = [f"{name}:{script['line']}: {script['reason']} ({title})"
             for name, (title, script) in not_passed(own).items()]
    if public is None or not public.is_dir():
        print(f"conformance: no public scripts{f' in {public}' if public else ''}; "
              "docs/conformance.md stays as it is")
    else:
        reasons = tomllib.loads(REASONS.read_text(encoding="utf-8")).get("known", [])
        runs = {title: drill(program, public, options) for title, options in PUBLIC_RUNS}
        wrong += [f"{name}:{script['line']}: {script['reason']} ({title})"
                  for name, (title, script) in not_passed(runs).items()
                  if reason_for(name, reasons) is None]
        PAGE.write_text("\n".join(HEAD + own_part(own) + public_part(runs, reasons)),
                        encoding="utf-8")
        passed = sum(script["result"] == "passed" for script in runs["as they are"].values())
        print(f"conformance: {passed} of {len(runs['as they are'])} public scripts pass")
    count = len(next(iter(own.values())))
    failed = len(not_passed(own))
    print(f"conformance: {count - failed} of {count} own scripts pass in every run")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
