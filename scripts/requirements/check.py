#!/usr/bin/env python3
"""Checks docs/requirements/*.toml against the tags in the sources, and docs/rfc_coverage.md against both.

    scripts/requirements/check.py [ROOT]           says what is wrong; exit code 1 if anything is
    scripts/requirements/check.py --write [ROOT]   writes docs/rfc_coverage.md anew first

Where the texts of the RFCs are at hand (shared/rfc beside the repository, or --texts), the tables must also be what
extract.py makes of them.
"""
import argparse
import sys
from pathlib import Path

import coverage
import extract
import tables
import tags

REMEDY = "run scripts/requirements/check.py --write"


def check_answers(all_tables):
    """Every sentence has one answer, with a reason where it needs one."""
    by_key = {entry.key: entry for table in all_tables for entry in table.entries}
    for table in all_tables:
        for entry in table.entries:
            where = f"docs/requirements/rfc{table.rfc}.toml: {entry.id}"
            if entry.same_as:
                if entry.answer:
                    yield f"{where}: both answer and same_as"
                for other in entry.others:
                    if other not in by_key:
                        yield f"{where}: same_as names no sentence: {other}"
                    elif by_key[other].same_as:
                        yield f"{where}: same_as leads to another same_as: {other}"
            elif entry.answer not in tables.ANSWERS:
                yield f"{where}: no answer; one of {', '.join(tables.ANSWERS)}, or same_as"
            elif entry.answer != "met" and not entry.why:
                yield f"{where}: {entry.answer}, and no why"


def check_ids(all_tables):
    for table in all_tables:
        seen = set()
        for entry in table.entries:
            if entry.id in seen:
                yield f"docs/requirements/rfc{table.rfc}.toml: {entry.id}: twice"
            seen.add(entry.id)


def check_tags(all_tables, found):
    """Each tag names a sentence, is in code and in a test, and stands above one there."""
    by_key = {entry.key: entry for table in all_tables for entry in table.entries}
    index = coverage.Index(found)
    for tag in found:
        where = f"{tag.path}:{tag.line}: [RFC {tag.key}]"
        entry = by_key.get(tag.key)
        if entry is None:
            yield f"{where}: no such sentence in docs/requirements"
        elif entry.same_as:
            yield f"{where}: is answered by RFC {entry.same_as}; tag that"
        elif entry.answer in ("not_applicable", "not_yet"):
            yield f"{where}: tagged, but its answer is {entry.answer}"
        if not tags.is_test(tag.path) and not index.tests[tag.key]:
            yield f"{where}: no test carries this tag"
        if tags.is_test(tag.path) and not index.code[tag.key]:
            yield f"{where}: no code in src/ carries this tag"
        if tags.is_test(tag.path) and not tag.name:
            yield f"{where}: not directly above a test"


def check_met(all_tables, found):
    index = coverage.Index(found)
    for table in all_tables:
        for entry in table.entries:
            if entry.answer != "met":
                continue
            missing = [what for what, known in (("code", index.code), ("test", index.tests))
                       if not known[entry.key]]
            if missing:
                yield f"docs/requirements/rfc{table.rfc}.toml: {entry.id}: met, but no " \
                      f"{' and no '.join(missing)} carries [RFC {entry.key}]"


def check_musts(all_tables):
    """RFC 9293 numbers what a TCP must do: every one of those is met."""
    for table in all_tables:
        for entry in table.entries:
            if table.rfc == 9293 and entry.id.startswith("MUST-") and entry.answer != "met":
                yield f"docs/requirements/rfc9293.toml: {entry.id}: has to be met"


def check_generated(root, all_tables, found):
    path = root / "docs" / "rfc_coverage.md"
    actual = path.read_text(encoding="utf-8") if path.exists() else ""
    if actual != coverage.generate(all_tables, found):
        yield f"docs/rfc_coverage.md: out of date; {REMEDY}"


def check_extraction(texts, folder):
    if not Path(texts).is_dir():
        return
    for path, text in extract.extracted(texts, folder):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield f"docs/requirements/{path.name}: is not what extract.py makes of the text of the RFC"


def problems(root, texts, *, write):
    folder = root / "docs" / "requirements"
    all_tables = tables.load_all(folder)
    if not all_tables:
        return ["docs/requirements: no tables"]
    files = list(tags.sources(root))
    found = [tag for path, text in files for tag in tags.of_file(path, text)]
    if write:
        (root / "docs" / "rfc_coverage.md").write_text(coverage.generate(all_tables, found),
                                                       encoding="utf-8")
    result = [problem for path, text in files for problem in tags.misspelt(path, text)]
    result += check_answers(all_tables)
    result += check_ids(all_tables)
    result += check_tags(all_tables, found)
    result += check_met(all_tables, found)
    result += check_musts(all_tables)
    result += check_extraction(texts, folder)
    result += check_generated(root, all_tables, found)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root", nargs="?", type=Path, default=extract.ROOT)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    texts = arguments.texts or root.parent / "shared" / "rfc"
    found = problems(root, texts, write=arguments.write)
    for problem in found:
        print(problem)
    if found:
        print(f"{len(found)} problems", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
