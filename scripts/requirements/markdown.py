"""A draft in the Markdown of kramdown-rfc, as the plain text of an RFC.

Only what sentences.py looks at: the body, its headings numbered as the RFC's are, and paragraphs without marks. What
stands between two paragraphs as a formula or a figure is left out.
"""
import re

_MARKS = (
    (re.compile(r"\{\{\{(.+?)\}\{\}\}\}"), r"\1"),           # {{{x}{}}}: a letter beyond ASCII
    (re.compile(r"\{\{[!?]?([^}]+)\}\}"), r"[\1]"),          # {{!RFC5681}}: a reference
    (re.compile(r"\*([^*\n]*)\*"), r"\1"),                   # *cwnd*
    (re.compile(r"<sub>(.*?)</sub>"), r"_\1"),               # W<sub>max</sub>
    (re.compile(r"^\{:.*\}$|^: ", re.MULTILINE), ""),        # attributes; the text of a definition
)
_FENCED = re.compile(r"^~~~.*?^~~~[^\n]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"(#+)\s+(.*?)\s*(?:\{#.*\})?$")


def _body(text):
    """What stands between the abstract and the appendices."""
    match = re.search(r"^--- middle$(.*?)(?=^--- back$|\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1] if match else text


def _numbered(lines):
    counts = []
    for line in lines:
        match = _HEADING.match(line)
        if not match:
            yield "   " + line if line else ""
            continue
        depth = len(match[1])
        counts = counts[:depth] + [0] * (depth - len(counts))
        counts[-1] += 1
        number = ".".join(map(str, counts))
        yield f"{number}.  {match[2]}"


def plain(text):
    """The text as sentences.extract() takes it."""
    text = _FENCED.sub("", _body(text))
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    return "\n".join(_numbered(text.split("\n"))) + "\n"
