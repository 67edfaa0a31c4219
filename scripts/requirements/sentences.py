"""The normative sentences of an RFC's plain text.

The text is taken apart in steps: page breaks out, lines to paragraphs, paragraphs to sentences, and of
those the ones that hold a word of requirement. What no implementation can meet is left out: the
paragraph that explains the words, tables of contents, requirement summaries, references.
"""
import re
from dataclasses import dataclass

UPPER = ("MUST NOT", "MUST", "SHALL NOT", "SHALL", "SHOULD NOT", "SHOULD", "NOT RECOMMENDED",
         "RECOMMENDED", "REQUIRED", "MAY NOT", "MAY", "OPTIONAL")
# RFC 1191, 1337, 6582 and 8201 ask in lower case. A "may" among theirs allows or supposes as often as not,
# so it is no word of requirement there.
LOWER = ("must not", "must never", "must", "should not", "should never", "should", "required to",
         "recommended")


@dataclass(frozen=True)
class Source:
    """An RFC and which of its sections count; `skip` takes away from `take`."""
    number: int
    title: str
    take: tuple = ("",)
    skip: tuple = ()
    lower_case: bool = False
    file: str = ""  # of its text, if that is not rfcNNNN.txt; .md: see markdown.py


SOURCES = (
    Source(9293, "Transmission Control Protocol (TCP)", skip=("2", "6", "7", "B", "Appendix B")),
    Source(1122, "Requirements for Internet Hosts -- Communication Layers",
           take=("3", "4"), skip=("3.5", "4.1.5", "4.2.5")),
    Source(1191, "Path MTU Discovery", lower_case=True),
    Source(1337, "TIME-WAIT Assassination Hazards in TCP", lower_case=True),
    Source(2018, "TCP Selective Acknowledgment Options"),
    Source(2883, "An Extension to the Selective Acknowledgement (SACK) Option for TCP"),
    Source(3042, "Enhancing TCP's Loss Recovery Using Limited Transmit"),
    Source(3168, "The Addition of Explicit Congestion Notification (ECN) to IP"),
    Source(5681, "TCP Congestion Control"),
    Source(5682, "Forward RTO-Recovery (F-RTO): An Algorithm for Detecting Spurious Retransmission Timeouts with TCP"),
    Source(5961, "Improving TCP's Robustness to Blind In-Window Attacks"),
    Source(6093, "On the Implementation of the TCP Urgent Mechanism"),
    Source(6191, "Reducing the TIME-WAIT State Using TCP Timestamps"),
    Source(6298, "Computing TCP's Retransmission Timer"),
    Source(6528, "Defending against Sequence Number Attacks"),
    Source(6582, "The NewReno Modification to TCP's Fast Recovery Algorithm", lower_case=True),
    Source(6675, "A Conservative Loss Recovery Algorithm Based on Selective Acknowledgment (SACK) for TCP"),
    Source(6928, "Increasing TCP's Initial Window"),
    Source(7323, "TCP Extensions for High Performance"),
    Source(7413, "TCP Fast Open"),
    Source(7661, "Updating TCP to Support Rate-Limited Traffic"),
    Source(8201, "Path MTU Discovery for IP version 6", lower_case=True),
    Source(8257, "Data Center TCP (DCTCP): TCP Congestion Control for Data Centers"),
    Source(8985, "The RACK-TLP Loss Detection Algorithm for TCP"),
    Source(9438, "CUBIC for Fast and Long-Distance Networks", file="rfc9438-draft.md"),
    Source(9768, "More Accurate Explicit Congestion Notification (AccECN) Feedback in TCP"),
)

# RFC 9293 numbers this sentence in its appendix B only.
UNLABELLED = {(9293, "SYN retransmissions MUST be handled in the general way"): "MUST-22"}

LABEL = re.compile(r"\(((?:MUST|SHLD|MAY|REC)-\d+)\b")
_FOOTER = re.compile(r"^\S.*\[page \d+\]\s*$|^\s+\[page \d+\]\s*$", re.IGNORECASE)
_HEADER = re.compile(r"^(RFC ?\d+ .*|.*RFC ?\d+\s+\S.*\b(19|20)\d\d\s*)$")
_HEADING = re.compile(r"^(?:Appendix )?((?:\d+|[A-Z])(?:\.\d+)*)(?:\.\s|\s\s|\.?\s+(?=[A-Z]))\s*\S")
# RFC 1122 sets its headings in, by their depth.
_INDENTED_HEADING = re.compile(r"^ {1,12}(\d\.\d(?:\.\d+)*)\s+[A-Z(]")
_FOOTNOTE = re.compile(r"^\s*_{5,}\s*$")
_CONTENTS = re.compile(r"\.\s?\.\s?\.|\s{3,}\d+\s*$")
_END = re.compile(r"^([\d.]+\s+)?(normative |informative )?(references|acknowledge?ments|author'?s'? address(es)?)\b",
                  re.IGNORECASE)
_KEY_WORDS = re.compile(r"\bkey ?words?\b|are to be interpreted as|\bThe words\b|"
                        r"labell?ed (as|with|the same)", re.IGNORECASE)
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Fig|Sec|al|No|resp|approx|viz)|\b[A-Z])\.$")
_SENTENCE_END = re.compile(r"""[.!?]["')\]]*\s+(?=["'(\[<*]?[A-Z<"])|[.!?]["')\]]*\s+(?=\([a-z0-9]\)\s)""")


def without_pages(text):
    """The lines without footers, headers and form feeds; a break leaves one None where it was."""
    lines, result = text.replace("\r", "").split("\n"), []
    index = 0
    while index < len(lines):
        line = lines[index].replace("\f", "").rstrip()
        if not _FOOTER.match(line):
            result.append(line)
            index += 1
            continue
        rule = next((i for i in range(max(len(result) - 8, 0), len(result))
                     if _FOOTNOTE.match(result[i] or "")), len(result))
        del result[rule:]
        while result and result[-1] == "":
            result.pop()
        index += 1
        while index < len(lines) and lines[index].replace("\f", "").strip() == "":
            index += 1
        if index < len(lines) and _HEADER.match(lines[index].replace("\f", "").rstrip()):
            index += 1
        while index < len(lines) and lines[index].strip() == "":
            index += 1
        result.append(None)
    return result


def join_lines(lines):
    """One line of text; a word broken at a hyphen is put together, its hyphen kept."""
    text = ""
    for line in lines:
        line = line.strip().lstrip("|").strip()
        if re.search(r"[A-Za-z0-9]-$", text):
            text += line
        elif text:
            text += " " + line
        else:
            text = line
    return re.sub(r"\s+", " ", text)


def _heading_of(line, indented):
    match = _HEADING.match(line) or (indented and _INDENTED_HEADING.match(line))
    return match[1] if match and not _CONTENTS.search(line) else None


def paragraphs(text, indented_headings=False):
    """(section, text) of each paragraph, headings left out."""
    section, collected, started = "", [], False

    def taken():
        joined = join_lines(collected)
        collected.clear()
        return [(section, joined)] if joined and started else []

    for line in without_pages(text):
        if line is None:  # a page break: the paragraph goes on unless its last sentence ended
            if collected and re.search(r"[.:!?]\W*$", collected[-1]):
                yield from taken()
            continue
        if line == "":
            yield from taken()
            continue
        if _END.match(line):
            yield from taken()
            section = "end"
            continue
        heading = _heading_of(line, indented_headings)
        if heading:
            yield from taken()
            section, started = heading, True
            continue
        if collected and re.match(r"\s*([o*+-]|\(?[a-z0-9]{1,3}[.)])\s+\S", line) \
                and re.search(r"[.:;,!?]$|\b(and|or)$", collected[-1]):
            yield from taken()  # the next item of a list
        collected.append(line)
    yield from taken()


def split(text):
    """The sentences of a paragraph."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        end = match.end()
        if _ABBREVIATION.search(text[start:match.start() + 1]):
            continue
        if LABEL.match(text[end:]):  # a label behind the full stop belongs to what it labels
            continue
        yield text[start:end].strip()
        start = end
    if text[start:].strip():
        yield text[start:].strip()


def keywords(sentence, words):
    """(position, word) of each word of requirement."""
    pattern = re.compile(r"(?<![-\w\"])(" + "|".join(re.sub(" ", r"\\s+", w) for w in words) +
                         r")(?![-\w]*[\w\"])")
    return [(match.start(), re.sub(r"\s+", " ", match[1])) for match in pattern.finditer(sentence)]


def _level_before(position, found):
    before = [word for at, word in found if at < position]
    return (before or [word for _, word in found])[-1]


@dataclass
class Sentence:
    id: str
    section: str
    level: str
    text: str


def _is_under(section, prefixes):
    return any(prefix == "" or section == prefix or section.startswith(prefix + ".")
               for prefix in prefixes)


def _label_of_unlabelled(sentence, source):
    return next((label for (number, start), label in UNLABELLED.items()
                 if number == source.number and sentence.startswith(start)), None)


def _asks(sentence):
    return re.search(r"\b(must|should|may|recommended)\b", LABEL.sub("", sentence), re.IGNORECASE)


class _Collector:
    def __init__(self, source):
        self.source = source
        self.words = UPPER + LOWER if source.lower_case else UPPER
        self.result, self.labelled, self.running = [], set(), {}

    def add(self, section, sentence, earlier):
        labels = [(match[1], match.start()) for match in LABEL.finditer(sentence)
                  if match[1] not in self.labelled]
        found = self.found(sentence)
        if labels and not found:  # the word of requirement stands before a formula
            begin = next((i for i in range(len(earlier) - 1, -1, -1) if _asks(earlier[i])), None)
            if begin is not None:
                sentence = " ".join(earlier[begin:] + [sentence])
                labels = [(label, len(sentence)) for label, _ in labels]
                found = self.found(sentence) or keywords(sentence, LOWER)
        unlabelled = _label_of_unlabelled(sentence, self.source)
        if unlabelled:
            labels = [(unlabelled, len(sentence))]
        for label, position in labels:
            self.labelled.add(label)
            level = _level_before(position, found).upper()
            self.result.append(Sentence(label, section, level, sentence))
        if found and not LABEL.search(sentence) and not unlabelled:
            self.running[section] = self.running.get(section, 0) + 1
            levels = list(dict.fromkeys(word.upper() for _, word in found))
            self.result.append(Sentence(f"{section}-{self.running[section]}", section,
                                        ", ".join(levels), sentence))

    def found(self, sentence):
        return keywords(LABEL.sub(lambda m: " " * len(m[0]), sentence), self.words)


def extract(text, source):
    """The normative sentences in the order of the text."""
    collector, earlier, last_section = _Collector(source), [], ""
    for section, paragraph in paragraphs(text, indented_headings=source.number == 1122):
        if section == "end" or not _is_under(section, source.take) or _is_under(section, source.skip):
            continue
        if _KEY_WORDS.search(paragraph):
            continue
        if section != last_section:
            earlier, last_section = [], section
        for sentence in split(paragraph):
            sentence = re.sub(r"^[o*-] +", "", sentence)
            collector.add(section, sentence, earlier[-4:])
            earlier.append(sentence)
    return collector.result
