#!/usr/bin/env python3
"""Checks the source tree against STYLE.md.

    check_style.py [ROOT]

Prints one line for each violation, as FILE:LINE: what is wrong, and ends with 1 if there was one. The
rules are the functions at the end named check_*; STYLE.md says why they are there, and its table
"Exceptions" is read from here.
"""
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from cpp_source import CppSource

FUNCTION_LINES = 70
FILE_LINES = 600

CPP_FOLDERS = ("include", "src", "tests", "fuzz", "bench", "examples")
TEXT_FOLDERS = CPP_FOLDERS + ("cmake", "scripts", "docs", ".ci")
TEXT_SUFFIXES = {".h", ".cpp", ".md", ".txt", ".cmake", ".in", ".sh", ".py", ".json", ""}

# What the sources of each folder of src/ may include, besides themselves and include/estab.
CORE_LAYERS = {
    "base": set(),
    "wire": {"base"},
    "ip": {"base", "wire"},
    "udp": {"base", "wire", "ip"},
    "tcp": {"base", "wire", "ip"},
    "stack": {"base", "wire", "ip", "udp", "tcp"},
}
LAYERS = CORE_LAYERS | {
    "trace": set(CORE_LAYERS),
    "device": set(CORE_LAYERS) | {"trace"},
    "host": set(CORE_LAYERS) | {"trace", "device"},
    "sim": set(CORE_LAYERS) | {"trace", "device", "host"},
    "gateway": set(CORE_LAYERS) | {"device", "host"},
    "posix": set(CORE_LAYERS),
    "oracle": set(CORE_LAYERS) | {"posix", "device", "drill", "trace"},
    "packetdrill": set(CORE_LAYERS) | {"posix"},
    "drill": set(CORE_LAYERS) | {"trace", "posix"},
    "tools": set(CORE_LAYERS) | {"trace", "device", "host", "sim", "posix", "drill", "oracle",
                                  "gateway"},
}
OUR_FOLDERS = {"estab", "tests"} | set(LAYERS)


@dataclass(frozen=True)
class Violation:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


class File:
    """A text file of the tree; `cpp` is its CppSource, if it is C++."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.parts = path.split("/")
        self.is_header = path.endswith(".h")
        self.cpp = CppSource(text) if path.endswith((".h", ".cpp")) else None
        # x_test.cpp, and what only tests include: x_test_support.h, x_for_test.h, testing/x.h.
        self.is_test = self.parts[0] == "tests" or "testing" in self.parts or \
            re.search(r"_test(_\w+)?\.(cpp|h)$", path) is not None
        self.layer = self.parts[1] if self.parts[0] == "src" and len(self.parts) > 2 else None

    @property
    def is_core(self):
        return self.layer in CORE_LAYERS and not self.is_test

    @property
    def is_library(self):
        """Linked into somebody else's program."""
        return self.parts[0] == "include" or \
            self.layer is not None and self.layer not in ("tools", "packetdrill") and \
            not self.is_test

    def violation(self, line, text):
        return Violation(self.path, line, text)


class Tree:
    def __init__(self, files):
        self.files = {file.path: file for file in files}
        self.cpp_files = [file for file in files if file.cpp]

    @classmethod
    def read(cls, root):
        files = []
        for path in sorted(root.iterdir()):
            if path.is_file() and path.suffix in TEXT_SUFFIXES and path.name != ".git":
                files.append(path)
            elif path.name in TEXT_FOLDERS:
                files += sorted(file for file in path.rglob("*") if file.is_file()
                                and file.suffix in TEXT_SUFFIXES and "corpus" not in file.parts)
        return cls([File(str(path.relative_to(root)), path.read_text(encoding="utf-8"))
                    for path in files])

    def text(self, path):
        return self.files[path].text if path in self.files else ""


# ---- the table of exceptions -----------------------------------------------------------------------


@dataclass(frozen=True)
class Exception_:
    line: int
    path: str
    what: str  # `file`, or the name of a function
    limit: int
    reason: str


def exceptions_of(tree):
    """The rows of the table below `## Exceptions` in STYLE.md: | file | what | lines | why |."""
    inside = False
    for number, line in enumerate(tree.text("STYLE.md").splitlines(), 1):
        if line.startswith("## "):
            inside = line == "## Exceptions"
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if inside and line.startswith("|") and len(cells) == 4 and cells[2].isdigit():
            yield Exception_(number, cells[0], cells[1], int(cells[2]), cells[3])


def check_sizes(tree):
    """Functions and files have a limit, and an exception may shrink but not grow."""
    exceptions = {(row.path, row.what): row for row in exceptions_of(tree)}
    for file in tree.cpp_files:
        sizes = [(f.name, f.first_line, f.length, FUNCTION_LINES) for f in file.cpp.functions]
        sizes.append(("file", 1, len(file.cpp.lines), FILE_LINES))
        for what, line, length, limit in sizes:
            row = exceptions.get((file.path, what)) if length > limit else None
            if row:
                del exceptions[file.path, what]
                if length != row.limit:
                    yield Violation("STYLE.md", row.line, f"{file.path}, {what}: {length} lines, and "
                                    f"{row.limit} are written here; an exception may only shrink, "
                                    "and the figure with it")
                if not row.reason:
                    yield Violation("STYLE.md", row.line, "an exception needs a reason")
            elif length > limit:
                yield file.violation(line, f"{what} has {length} lines; {limit} is the limit")
    for row in exceptions.values():
        yield Violation("STYLE.md", row.line, f"{row.path}, {row.what}: no exception is needed "
                        "any more; take the line out")


# ---- banned words ----------------------------------------------------------------------------------

_OS_HEADERS = (r"(iostream|fstream|ostream|istream|iomanip|cstdio|stdio\.h|thread|mutex|shared_mutex"
               r"|future|condition_variable|random|filesystem|ctime|time\.h|csignal|cassert|assert\.h"
               r"|unistd\.h|fcntl\.h|poll\.h|pthread\.h|sys/.*|net/.*|netinet/.*|arpa/.*|linux/.*)")
# (which files, pattern over the code, what is wrong)
BANNED = [
    (lambda file: file.is_core, r"#\s*include\s*<" + _OS_HEADERS + ">",
     "the core does not name the operating system"),
    (lambda file: file.is_core,
     r"\bstd::(jthread|thread|(shared_|recursive_|timed_)?mutex|lock_guard|async|future"
     r"|condition_variable|random_device|mt19937|filesystem|time|rand|clock"
     r"|chrono::(steady|system|high_resolution)_clock)\b",
     "no clocks, threads, files or randomness in the core"),
    (lambda file: file.is_core, r"\b(s?rand|random|clock_gettime|gettimeofday)\s*\(",
     "no clocks or randomness in the core"),
    (lambda file: file.is_core, r"\bthrow\b(?!\s*(;|std::bad_alloc\b))",
     "errors of the core are values; only std::bad_alloc passes through"),
    (lambda file: file.is_core, r"\bthread_local\b", "the state of the core is in its Stack"),
    (lambda file: file.is_library, r"\bstd::(cout|cerr|clog|cin)\b|\b(f|v|vf)?printf\s*\(|\bputs\s*\(",
     "the library never prints"),
    (lambda file: file.layer == "tools" and not file.is_test
     and file.path != "src/tools/console.cpp",
     r"\bstd::(cout|cerr|clog|ofstream|FILE)\b|\bfmt::print\s*\(|\b(f|v|vf)?printf\s*\(|\bf?puts\s*\("
     r"|\b(fopen|fwrite)\s*\(|\b(stdout|stderr)\b|\bSTDERR_FILENO\b",
     "the program writes through tools/console.h or tools/output.h, which see what fails"),
    (lambda file: file.is_library, r"\b(std::)?(exit|quick_exit|_exit)\s*\(",
     "the library never ends the program"),
    (lambda file: file.parts[0] in ("src", "include"), r"\bassert\s*\(",
     "assert() is gone from a release build; use base::ensure"),
    (lambda file: True, r"\bgoto\b", "no goto"),
    (lambda file: True, r"\busing\s+namespace\s+std\s*;", "no using namespace std"),
    (lambda file: file.is_header, r"\busing\s+namespace\b", "no using namespace in a header"),
    (lambda file: file.parts[0] == "include", r"#\s*include\s*<(fmt|CLI|nlohmann|boost|asio)\b",
     "no other library in a public header"),
    (lambda file: file.parts[0] in ("src", "include"), r"#\s*define\s+(?!ESTAB_)\w+",
     "a macro is named ESTAB_..., where there must be one"),
    (lambda file: file.is_header, r"#\s*ifndef\s+\w+_H_?\b", "#pragma once, no include guard"),
]


def check_banned_words(tree):
    for file in tree.cpp_files:
        for applies, pattern, text in BANNED:
            if applies(file):
                for match in re.finditer(pattern, file.cpp.code):
                    yield file.violation(file.cpp.line_at(match.start()),
                                         f"`{' '.join(match[0].split())}`: {text}")


def check_nothing_is_left_undone(tree):
    """Nor does a file name a place on somebody's machine; the Makefile may look for public scripts
    beside the repository, where they need not be."""
    undone = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    place = re.compile(r"(?<![\w.])(/wo" r"rk/|/ho" r"me/\w|\.\./sha" r"red\b)")
    for file in tree.files.values():
        for number, line in enumerate(file.text.splitlines(), 1):
            if match := undone.search(line):
                yield file.violation(number, f"{match[0]}: do it, or file an issue")
            optional = file.path == "Makefile" and line.startswith("PUBLIC_SCRIPTS ?= ")
            if (match := place.search(line)) and not optional:
                yield file.violation(number, f"{match[0]}: a path of one machine")


def check_conditional_compilation(tree):
    """An #if may choose between functions, not inside one."""
    for file in tree.cpp_files:
        for line, name in file.cpp.directives:
            if name.startswith(("if", "el")):
                inside = [f.name for f in file.cpp.functions if f.first_line < line < f.last_line]
                if inside:
                    yield file.violation(line, f"#{name} inside {inside[0]}")


def check_bool_parameters(tree):
    """`f(true)` says nothing. A switch (`set_x(bool on)`) does, and so does ensure(condition)."""
    parameter = re.compile(r"(\w+)\s*\(([^(){};]*?)\bbool\s+(\w+)\s*(?=[,)=])")
    for file in tree.cpp_files:
        if file.parts[0] not in ("src", "include") or file.is_test:
            continue
        for match in parameter.finditer(file.cpp.code):
            function, _, name = match.groups()
            if function not in ("ensure", "for", "if", "while", "switch") and \
                    not (function.startswith("set_") and name == "on"):
                yield file.violation(file.cpp.line_at(match.start(3)),
                                     f"{function}: bool parameter `{name}`; an enum class says which")


# ---- files -----------------------------------------------------------------------------------------


def check_beginnings(tree):
    """A file says first what it owns; a source with a header of its own has said it there."""
    for file in tree.cpp_files:
        if file.is_header and "#pragma once" not in file.cpp.lines:
            yield file.violation(1, "#pragma once is missing")
        header = re.sub(r"\.cpp$", ".h", file.path)
        own = {header, header.partition("/")[2], "estab/" + header.split("/")[-1]}
        speaks = file.text.startswith("//") or file.path.endswith(".cpp") and any(
            f'#include "{name}"' in file.cpp.lines for name in own)
        if not speaks and not file.path.endswith("_test.cpp"):
            yield file.violation(1, "the file does not begin with a comment that says what it owns")


def check_whitespace(tree):
    for file in tree.files.values():
        if file.text and not file.text.endswith("\n"):
            yield file.violation(file.text.count("\n") + 1, "no line end at the end of the file")
        for number, line in enumerate(file.text.splitlines(), 1):
            if line != line.rstrip():
                yield file.violation(number, "space at the end of the line")
            if "\t" in line and file.cpp:
                yield file.violation(number, "a tab")


def check_includes(tree):
    """Full names only, and only downwards."""
    include = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
    for file in tree.cpp_files:
        for match in include.finditer(file.text):
            kind, name = match.groups()
            text = _wrong_include(file, kind, name)
            if text:
                yield file.violation(file.cpp.line_at(match.start(2)), f"#include {name}: {text}")


def _wrong_include(file, kind, name):
    folder = name.split("/")[0]
    if ".." in name.split("/"):
        return "from the root of the sources, without .."
    if file.parts[0] in ("src", "include") and (kind == "<") == (folder in OUR_FOLDERS):
        return "our own in quotes, others in angle brackets"
    if file.parts[0] == "include" and kind == '"' and folder != "estab":
        return "a public header includes public headers"
    if file.layer and not file.is_test and folder in OUR_FOLDERS - {"estab", file.layer} \
            and folder not in LAYERS[file.layer]:
        return f"src/{file.layer} does not know {folder}/"
    return None


def check_test_names(tree):
    """TEST(Ring, GivesBackWhatWasPushedInOrder): a sentence about its subject."""
    test = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
    sentence = re.compile(r"(?:[A-Z0-9][a-z0-9]*){2,}$")
    for file in tree.cpp_files:
        for match in test.finditer(file.cpp.code):
            if not sentence.match(match[2]):
                yield file.violation(file.cpp.line_at(match.start()), f"{match[1]}.{match[2]}: "
                                     "the name of a test is a sentence, InWordsLikeThese")


# ---- snippets of the documents ---------------------------------------------------------------------


BINDING = re.compile(r"^( *)const auto& \[([^\]]+)\] =", re.MULTILINE)


def check_fields(tree):
    """What a value is made of is said once (base/fields.h): a member that is named is not forgotten."""
    for file in tree.cpp_files:
        if file.is_test or not file.path.startswith("src/"):
            continue
        for match in BINDING.finditer(file.text):
            # To the end of the block that the binding stands in.
            rest = file.text[match.end():]
            end = re.search(rf"^ {{0,{max(len(match[1]) - 2, 0)}}}\}}", rest, re.MULTILINE)
            block = rest[:end.start()] if end else rest
            for name in re.findall(r"\w+", match[2]):
                if not re.search(rf"\b{name}\b", block):
                    line = file.text.count("\n", 0, match.start()) + 1
                    yield file.violation(line, f"{name} is named and forgotten; base::derived() "
                                               "says that it does not count")


def check_snippets(tree):
    """Every ```cpp and ```cmake block of README.md is code of a file that the tests build; so is one of
    docs/ that says where it is from."""
    block = re.compile(r"(?:^<!-- (\S+) -->\n+)?^```(cpp|cmake)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    for path, file in tree.files.items():
        if path != "README.md" and not (path.startswith("docs/") and path.endswith(".md")):
            continue
        for match in block.finditer(file.text):
            origin, _, snippet = match.groups()
            line = file.text.count("\n", 0, match.start(2)) + 1
            if not origin:
                if path == "README.md":
                    yield Violation(path, line, "no line <!-- path --> or <!-- path#region --> says "
                                    "which file this is from")
            elif (wanted := _region(tree, origin)) is None:
                yield Violation(path, line, f"{origin}: there is no such file or region")
            elif snippet != wanted:
                yield Violation(path, line, f"this is not what stands in {origin}")


def _region(tree, origin):
    """A file without its leading comment, or what stands between its two lines `[name]`."""
    path, _, name = origin.partition("#")
    if path not in tree.files:
        return None
    lines = tree.text(path).splitlines(keepends=True)
    if not name:
        while lines and lines[0].startswith("//"):
            lines.pop(0)
        return "".join(lines).lstrip("\n")
    marks = [index for index, line in enumerate(lines)
             if line.strip() in (f"// [{name}]", f"# [{name}]")]
    if len(marks) != 2:
        return None
    inside = lines[marks[0] + 1:marks[1]]
    indent = min((len(line) - len(line.lstrip()) for line in inside if line.strip()), default=0)
    return "".join(line[indent:] if line.strip() else line for line in inside)


CHECKS = [check_sizes, check_banned_words, check_nothing_is_left_undone,
          check_conditional_compilation, check_bool_parameters, check_beginnings, check_whitespace,
          check_includes, check_test_names, check_fields, check_snippets]


def violations_of(tree):
    return sorted({violation for check in CHECKS for violation in check(tree)},
                  key=lambda violation: (violation.path, violation.line, violation.text))


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    tree = Tree.read(root if root.is_dir() else root.parents[2])
    if not tree.cpp_files:
        sys.exit("check_style.py: there is no C++ to look at")
    violations = violations_of(tree)
    for violation in violations:
        print(violation)
    print(f"{len(tree.files)} files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
