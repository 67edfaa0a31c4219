"""The tags of the sources: comments such as `[RFC 9293 MUST-13]` or `[RFC 7323 3.2-4, 3.2-6]`.

In src/ a tag says that the code there meets the sentence. In a test it stands in a comment directly above
`TEST(`, or above `def test_`, or anywhere in a packetdrill script, and says that this test proves it.
"""
import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "style"))
from cpp_source import CppSource  # noqa: E402

_ID = r"(?:(?:MUST|SHLD|MAY|REC)-\d+|[\dA-Z][\dA-Z.]*-\d+)"
_GAP = r"(?:\s|//+|\#)"
TAG = re.compile(rf"\[RFC{_GAP}+(\d+){_GAP}+({_ID}(?:{_GAP}*[,\s]{_GAP}*{_ID})*)\]")
_LIKE_A_TAG = re.compile(r"(?://|#).*\[RFC \d+ (?!§|section)[^\]\n]*\]?")
_CPP_TEST = re.compile(r"(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P|RC_GTEST_PROP)"
                       r"\(\s*(\w+)\s*,\s*(\w+)\s*[,)]")
_PYTHON_TEST = re.compile(r"(?:@\S.*\n\s*)*def (test_\w+)")


@dataclass(frozen=True)
class Tag:
    key: str    # "9293 MUST-13"
    path: str
    line: int
    name: str   # function, or test; empty: a tag in a test file that stands above no test


def is_test(path):
    return path.endswith("_test.cpp") or path.startswith("tests/")


def _line(text, offset):
    return text.count("\n", 0, offset) + 1


def found_tags(text):
    """(offset, key) of each sentence named."""
    for match in TAG.finditer(text):
        for identifier in re.findall(_ID, match[2]):
            yield match.start(), f"{match[1]} {identifier}"


def _after_comments(text, offset, mark):
    """What stands behind the comment the offset is in."""
    rest = text[offset:]
    rest = rest[rest.find("\n") + 1:] if "\n" in rest else ""
    while True:
        match = re.match(rf"[ \t]*{mark}[^\n]*\n", rest)
        if not match:
            return rest.lstrip(" \t")
        rest = rest[match.end():]


def _test_name(path, text, offset):
    if path.endswith(".pkt"):
        return path
    if path.endswith(".py"):
        match = _PYTHON_TEST.match(_after_comments(text, offset, "#"))
        return match[1] if match else ""
    match = _CPP_TEST.match(_after_comments(text, offset, "//"))
    return f"{match[1]}.{match[2]}" if match else ""


def _declared(text, offset):
    """The name declared on the line of the comment, or behind it."""
    start = text.rfind("\n", 0, offset) + 1
    code = text[start:text.find("//", start)].strip()
    if not code:
        code = _after_comments(text, offset, "//").split("\n")[0]
    names = re.findall(r"[A-Za-z_]\w*(?=\s*(?:[;=({\[]|$|,))", code)
    return names[0] if names else ""


def _code_name(source, text, offset):
    line = _line(text, offset)
    inside = [f for f in source.functions if f.first_line <= line <= f.last_line]
    if inside:
        return inside[0].name
    code_line = _line(text, len(text) - len(_after_comments(text, offset, "//")))
    begins = [f for f in source.functions if f.first_line == code_line]
    return begins[0].name if begins else _declared(text, offset)


def of_file(path, text):
    source = None
    for offset, key in found_tags(text):
        if is_test(path):
            name = _test_name(path, text, offset)
        else:
            source = source or CppSource(text)
            name = _code_name(source, text, offset)
        yield Tag(key, path, _line(text, offset), name)


def misspelt(path, text):
    """Lines with something like a tag that is none."""
    for number, line in enumerate(text.split("\n"), 1):
        if _LIKE_A_TAG.search(line) and not TAG.search("\n".join(text.split("\n")[number - 1:number + 2])):
            yield f"{path}:{number}: {line.strip()}: not a tag; write [RFC 9293 MUST-13] or " \
                  "[RFC 7323 3.2-4, 3.2-6]"


def sources(root):
    """(path, text) of every file that may carry tags, in order."""
    root = Path(root)
    files = [path for pattern in ("src/**/*.h", "src/**/*.cpp", "tests/**/*.cpp", "tests/**/*.pkt",
                                  "tests/**/*.py")
             for path in root.glob(pattern)]
    for path in sorted(files):
        relative = path.relative_to(root).as_posix()
        if not relative.startswith("tests/requirements/"):  # what is planted there are no tags
            yield relative, path.read_text(encoding="utf-8", errors="replace")
