#!/usr/bin/env python3
"""Writes docs/requirements/rfcNNNN.toml from the texts of the RFCs; what was answered by hand stays.

    scripts/requirements/extract.py [--texts FOLDER] [--tables FOLDER]

The texts (rfc9293.txt, ..., or a draft's Markdown) are no part of the repository; without them nothing is written. The
table of an RFC whose text cannot be had is written by hand, says so at its head, and is not named in sentences.py.
"""
import argparse
import sys
from pathlib import Path

import markdown
import sentences
import tables

ROOT = Path(__file__).resolve().parents[2]


def extracted(texts, folder):
    """(path, text of the table) of each RFC whose text is there."""
    for source in sentences.SOURCES:
        file = Path(texts) / (source.file or f"rfc{source.number}.txt")
        if not file.exists():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        if file.suffix == ".md":
            text = markdown.plain(text)
        path = tables.path_of(folder, source.number)
        old = tables.parse(path.read_text(encoding="utf-8")) if path.exists() else None
        yield path, tables.write(tables.fresh(source, sentences.extract(text, source), old))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", default=ROOT.parent / "shared" / "rfc")
    parser.add_argument("--tables", default=ROOT / "docs" / "requirements")
    arguments = parser.parse_args()
    if not Path(arguments.texts).is_dir():
        sys.exit(f"{arguments.texts}: no such folder; name the one with rfc9293.txt with --texts")
    Path(arguments.tables).mkdir(parents=True, exist_ok=True)
    for path, text in extracted(arguments.texts, arguments.tables):
        path.write_text(text, encoding="utf-8")
        print(f"{path}: {text.count('[[sentence]]')} sentences")


if __name__ == "__main__":
    main()
