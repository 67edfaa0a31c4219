"""The tables of docs/requirements: one TOML file an RFC, sentences by extraction, answers by hand."""
import difflib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ANSWERS = ("met", "deliberate", "not_applicable", "not_yet")
HEAD = """\
# The normative sentences of RFC {rfc}. id, section, level and text are written by
# scripts/requirements/extract.py from the text of the RFC; answer, why and same_as by hand, and kept.
# answer: met | deliberate | not_applicable | not_yet; all but met say why.
# same_as = "9293 MUST-2" (or several, with commas): asks for the same, and is answered there.
rfc = {rfc}
title = "{title}"
"""


@dataclass
class Entry:
    rfc: int
    id: str
    section: str
    level: str
    text: str
    answer: str = ""
    why: str = ""
    same_as: str = ""

    @property
    def key(self):
        return f"{self.rfc} {self.id}"

    @property
    def others(self):
        """The keys that same_as names."""
        return [key.strip() for key in self.same_as.split(",") if key.strip()]


@dataclass
class Table:
    rfc: int
    title: str
    entries: list = field(default_factory=list)


def path_of(folder, rfc):
    return Path(folder) / f"rfc{rfc}.toml"


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write(table):
    """The text of the file."""
    parts = [HEAD.format(rfc=table.rfc, title=table.title)]
    for entry in table.entries:
        lines = ["[[sentence]]"]
        for name in ("id", "section", "level", "text", "answer", "why", "same_as"):
            value = getattr(entry, name)
            if value or name == "text":
                lines.append(f"{name} = {_quoted(value)}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def parse(text):
    data = tomllib.loads(text)
    entries = [Entry(data["rfc"], **sentence) for sentence in data.get("sentence", [])]
    return Table(data["rfc"], data["title"], entries)


def load_all(folder):
    return [parse(path.read_text(encoding="utf-8"))
            for path in sorted(Path(folder).glob("rfc*.toml"), key=lambda p: int(p.stem[3:]))]


def _old_entry(old, sentence):
    """The answered entry this sentence had: the same text, else the same id and much the same text."""
    same_text = [entry for entry in old if entry.text == sentence.text]
    for entry in same_text:
        if entry.id == sentence.id:
            return entry
    if same_text:
        return same_text[0]
    for entry in old:
        likeness = difflib.SequenceMatcher(None, entry.text, sentence.text).ratio
        if entry.id == sentence.id and likeness() > 0.7:
            return entry
    return None


def fresh(source, sentences, old=None):
    """The table of these sentences, with the answers of the old one."""
    table = Table(source.number, source.title)
    for sentence in sentences:
        entry = Entry(source.number, sentence.id, sentence.section, sentence.level, sentence.text)
        known = _old_entry(old.entries, sentence) if old else None
        if known:
            entry.answer, entry.why, entry.same_as = known.answer, known.why, known.same_as
        table.entries.append(entry)
    return table
