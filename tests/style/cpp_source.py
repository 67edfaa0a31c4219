"""A C++ source file, read far enough to know its code from its comments, and where its functions are.

No compiler is asked: the file is split into tokens, and every brace at namespace or class scope is
judged by the tokens before it. What is inside a function is not looked into, so a lambda counts as
part of the function it is written in.
"""
import bisect
import re
from dataclasses import dataclass

_LITERAL = re.compile(
    r"""//[^\n]*(?:\\\n[^\n]*)*        # comments
      | /\*.*?\*/
      | (?:u8|[uUL])?R"(?P<fence>[^()\s\\]{0,16})\(.*?\)(?P=fence)"   # raw strings
      | "(?:[^"\\\n]|\\.)*"
      | (?<![0-9A-Fa-f])'(?:[^'\\\n]|\\.)+'     # characters, and not the ' of 1'000
    """, re.VERBOSE | re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_TOKEN = re.compile(r"[A-Za-z_]\w*|::|->|\d[\w.']*|\S")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*$")
_NOT_A_NAME = {"decltype", "noexcept", "requires", "explicit", "__attribute__", "sizeof"}


@dataclass(frozen=True)
class Function:
    name: str
    first_line: int  # of the signature
    last_line: int   # of the closing brace

    @property
    def length(self):
        return self.last_line - self.first_line + 1


def _blank(text):
    """As long as `text` and with its line ends; a string keeps its quotes."""
    spaces = re.sub(r"[^\n]", " ", text)
    if text[0] in "/'":
        return spaces
    first = text.index('"')
    return spaces[:first] + '"' + spaces[first + 1:-1] + '"'


class CppSource:
    def __init__(self, text):
        self.text = text
        self.lines = text.split("\n")
        if self.lines[-1] == "":
            self.lines.pop()
        self._starts = [0] + [match.end() for match in re.finditer("\n", text)]
        #: The text without comments and without what stands in strings.
        self.code = _LITERAL.sub(lambda match: _blank(match[0]), text)
        #: (line, name) of each preprocessor directive.
        self.directives = [(self.line_at(match.start(1)), match[1])
                           for match in _DIRECTIVE.finditer(self.code)]
        self.functions = list(_Scanner(self).functions())

    def line_at(self, offset):
        return bisect.bisect_right(self._starts, offset)


class _Scanner:
    """Finds the functions: a walk over the tokens outside of functions."""

    def __init__(self, source):
        self.source = source
        plain = _DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source.code)
        self.tokens = [(match[0], match.start()) for match in _TOKEN.finditer(plain)]
        self.closing = self._match_braces()

    def _match_braces(self):
        """Index of each `{` -> index of its `}`; an unclosed one reaches to the end."""
        closing, open_braces = {}, []
        for index, (token, _) in enumerate(self.tokens):
            if token == "{":
                open_braces.append(index)
            elif token == "}" and open_braces:
                closing[open_braces.pop()] = index
        closing.update((index, len(self.tokens) - 1) for index in open_braces)
        return closing

    def functions(self):
        head, head_start, depth, index = [], 0, 0, 0
        while index < len(self.tokens):
            token, _ = self.tokens[index]
            if not head:
                head_start = index
            depth += (token == "(") - (token == ")")
            if token == "{":
                kind = "value" if depth > 0 and not _is_lambda(head) else _kind_of_brace(head)
                if kind == "scope":
                    head = []
                else:
                    last = self.closing[index]
                    if kind == "function":
                        yield self._function(head, head_start, last)
                    # A value, and a lambda, stand in a declaration that goes on.
                    ends = kind == "function" and depth == 0 and not _is_lambda(head)
                    head = [] if ends else head + ["{}"]
                    index = last
            elif depth == 0 and (token in ";}" or token == ":" and _is_access(head)):
                head = []
            else:
                head.append(token)
            index += 1

    def _function(self, head, first, last):
        line_at = self.source.line_at
        return Function(_name_of(head), line_at(self.tokens[first][1]),
                        line_at(self.tokens[last][1]))


def _is_access(head):
    return head in (["public"], ["protected"], ["private"])


def _without_groups(head):
    """The head without template<...>, [[...]] and alignas(...) in front of what it declares."""
    result, index = [], 0
    while index < len(head):
        following = head[index + 1:index + 2]
        if head[index] == "template" and following == ["<"]:
            index = _after_group(head, index + 1, "<", ">")
        elif head[index] == "[" and following == ["["]:
            index = _after_group(head, index, "[", "]")
        elif head[index] == "alignas":
            index = _after_group(head, index + 1, "(", ")")
        else:
            result.append(head[index])
            index += 1
    return result


def _after_group(head, index, opening, closing):
    depth = 0
    while index < len(head):
        depth += (head[index] == opening) - (head[index] == closing)
        index += 1
        if depth == 0:
            break
    return index


def _top_level(head):
    """(index, token) of the head outside of parentheses and square brackets."""
    depth = 0
    for index, token in enumerate(head):
        depth -= token in ")]"
        if depth == 0:
            yield index, token
        depth += token in "(["


def _is_lambda(head):
    """The brace after this head opens the body of a lambda: `[...](...) ... {` or `[...] {`."""
    tail = head[:]
    while tail and (tail[-1] in ("mutable", "noexcept", "constexpr") or _IDENTIFIER.match(tail[-1])
                    or tail[-1] in ("->", "::", "<", ">", "&", "*")):
        if tail[-1] == "operator":
            return False
        tail.pop()
    if tail and tail[-1] == "]":
        return len(tail) == len(head)
    if not tail or tail[-1] != ")":
        return False
    depth = 0
    for index in range(len(tail) - 1, -1, -1):
        depth += (tail[index] == ")") - (tail[index] == "(")
        if depth == 0:
            return index > 0 and tail[index - 1] == "]" and "operator" not in tail
    return False


def _kind_of_brace(full_head):
    """What the brace after this head opens: a scope to look into, a function, or a value."""
    head = _without_groups(full_head)
    if not head or head[-1] in ("=", "return", ","):
        return "value"
    if "namespace" in head or head[0] in ("extern", "export") and "(" not in head:
        return "scope"
    if _is_lambda(head):
        return "function"
    if "(" not in head:
        return "scope" if {"class", "struct", "union"} & set(head) - {"enum"} \
            and "enum" not in head and "=" not in head else "value"
    if head[0] in ("class", "struct", "union") and head[2:3] in ([":"], ["final"]):
        return "scope"
    top = list(_top_level(head))
    if "operator" not in head and any(token == "=" for _, token in top):
        return "value"
    colon = next((index for index, token in top if token == ":"), None)
    if colon is not None and ")" in head[:colon]:
        # A constructor's initialisers: `a_(x), b_{y} {`. Only the body follows a `)` or a `}`.
        return "function" if head[-1] in (")", "{}") else "value"
    return "function"


def _qualifier(head, start):
    """What stands before the name at `start`, as in `estab::Ring<int>::~`, template arguments left out."""
    if start > 0 and head[start - 1] == "~":
        return _qualifier(head, start - 1) + "~"
    if start < 2 or head[start - 1] != "::":
        return ""
    before, depth = start - 2, 0
    while before > 0 and (depth or head[before] == ">"):
        depth += (head[before] == ">") - (head[before] == "<")
        before -= 1
    return _qualifier(head, before) + head[before] + "::" if _IDENTIFIER.match(head[before]) else ""


def _name_of(head):
    head = _without_groups(head)
    if "operator" in head:
        start = head.index("operator")
        end = next((i for i in range(start + 2, len(head)) if head[i] == "("), len(head))
    else:
        end = next((index for index, token in enumerate(head)
                    if token == "(" and index and head[index - 1] not in _NOT_A_NAME), 0)
        start = end - 1
    if head[start:end] == ["]"] or end == 0:
        return next((head[i - 1] for i, token in enumerate(head) if token == "=" and i), "lambda")
    name = _qualifier(head, start) + "".join(head[start:end])
    if name.startswith("TEST") or name.endswith("TEST"):
        name += "".join(head[end:]).replace(",", ", ")
    return name
