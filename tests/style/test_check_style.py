"""Each rule of check_style finds what is planted, and lets alone what is right."""
import unittest

import check_style
from check_style import File, Tree

BODY = "// What it owns.\n"


def found(rule, **files):
    """The texts of what a rule says about files given as path=text, `__` standing for `/`."""
    tree = Tree([File(path, text) for path, text in files["files"].items()])
    return [f"{v.path}:{v.line}: {v.text}" for v in rule(tree)]


def lines(count):
    return "  f();\n" * count


class Rules(unittest.TestCase):
    def finds(self, rule, path, text, expected, **others):
        texts = found(rule, files={path: text} | others)
        self.assertEqual(len(texts), 1, texts)
        self.assertIn(expected, texts[0])

    def lets_be(self, rule, path, text, **others):
        self.assertEqual(found(rule, files={path: text} | others), [])


class Sizes(Rules):
    LONG = "void T::f() {\n" + lines(69) + "}\n"  # 71 lines
    TABLE = "# Style\n\n## Exceptions\n\n| file | what | lines | why |\n|---|---|---|---|\n"

    def row(self, text):
        return {"STYLE.md": self.TABLE + text + "\n"}

    def test_a_function_of_the_limit_is_let_be(self):
        self.lets_be(check_style.check_sizes, "src/tcp/x.cpp", "void f() {\n" + lines(68) + "}\n")

    def test_a_function_over_the_limit_is_found(self):
        self.finds(check_style.check_sizes, "src/tcp/x.cpp", BODY + self.LONG,
                   "src/tcp/x.cpp:2: T::f has 71 lines")

    def test_a_file_over_the_limit_is_found(self):
        self.finds(check_style.check_sizes, "src/tcp/x.cpp", "// a\n" * 601, "file has 601 lines")
        self.lets_be(check_style.check_sizes, "src/tcp/x.cpp", "// a\n" * 600)

    def test_an_exception_with_its_figure_and_a_reason_is_let_be(self):
        self.lets_be(check_style.check_sizes, "src/tcp/x.cpp", self.LONG,
                     **self.row("| `src/tcp/x.cpp` | `T::f` | 71 | a table |"))

    def test_an_exception_may_not_grow(self):
        self.finds(check_style.check_sizes, "src/tcp/x.cpp", self.LONG.replace("{", "{\n"),
                   "STYLE.md:7: src/tcp/x.cpp, T::f: 72 lines",
                   **self.row("| `src/tcp/x.cpp` | `T::f` | 71 | a table |"))

    def test_the_figure_shrinks_with_the_exception(self):
        self.finds(check_style.check_sizes, "src/tcp/x.cpp", self.LONG, "71 lines, and 80",
                   **self.row("| src/tcp/x.cpp | T::f | 80 | a table |"))

    def test_an_exception_needs_a_reason(self):
        self.finds(check_style.check_sizes, "src/tcp/x.cpp", self.LONG, "needs a reason",
                   **self.row("| src/tcp/x.cpp | T::f | 71 | |"))

    def test_an_exception_nobody_needs_is_found(self):
        self.finds(check_style.check_sizes, "src/tcp/x.cpp", BODY, "no exception is needed",
                   **self.row("| src/tcp/x.cpp | T::f | 71 | a table |"))


class Words(Rules):
    CORE = [
        "#include <sys/socket.h>", "#include <thread>", "#include <iostream>", "#include <cstdio>",
        "std::mutex m;", "auto t = std::chrono::steady_clock::now();", "int i = rand();",
        "throw std::runtime_error(name);", "thread_local int x;", "std::cout << 1;",
        "printf(text);", "std::exit(1);", "assert(x);", "goto done;", "using namespace std;",
        "#define MAX(a, b) a",
    ]

    def test_each_banned_construct_is_found_in_the_core(self):
        for construct in self.CORE:
            with self.subTest(construct):
                self.finds(check_style.check_banned_words, "src/tcp/x.cpp",
                           BODY + construct + "\n", "src/tcp/x.cpp:2")

    def test_comments_and_strings_are_let_be(self):
        self.lets_be(check_style.check_banned_words, "src/tcp/x.cpp",
                     '// goto, printf(x)\nauto x = "std::cout << rand()"; /* throw 1 */\n')

    def test_what_only_looks_alike_is_let_be(self):
        self.lets_be(check_style.check_banned_words, "src/tcp/x.cpp",
                     "static_assert(x);\nstd::chrono::nanoseconds n;\nint brand(); x = brand();\n"
                     "throw std::bad_alloc();\nusing namespace std::literals;\n#define ESTAB_X 1\n")

    def test_the_edges_may_name_the_operating_system(self):
        self.lets_be(check_style.check_banned_words, "src/device/x.cpp",
                     "#include <sys/socket.h>\nthrow Failure();\n")

    def test_a_library_does_not_print(self):
        self.finds(check_style.check_banned_words, "src/host/x.cpp", "std::cout << 1;\n", "prints")

    def test_a_program_prints_in_one_place(self):
        for construct in ("std::cout << 1;", "fmt::print(text);", "puts(text);", "f(stderr);",
                          "std::ofstream file(path);", "write(STDERR_FILENO, text, 1);"):
            self.finds(check_style.check_banned_words, "src/tools/x.cpp", BODY + construct + "\n",
                       "console.h")
            self.lets_be(check_style.check_banned_words, "src/tools/x_test.cpp", construct + "\n")
        self.lets_be(check_style.check_banned_words, "src/tools/console.cpp",
                     "write(STDERR_FILENO, text, 1);\n")
        self.lets_be(check_style.check_banned_words, "src/tools/x.cpp",
                     "print(text);\nlog_line(text);\n")

    def test_headers(self):
        self.finds(check_style.check_banned_words, "src/tcp/x.h", "using namespace estab;\n", "using")
        self.finds(check_style.check_banned_words, "include/estab/x.h", "#include <fmt/core.h>\n",
                   "no other library")
        self.finds(check_style.check_banned_words, "src/tcp/x.h", "#ifndef TCP_X_H\n", "pragma")

    def test_what_is_left_undone_is_found_anywhere(self):
        for path in ("src/tcp/x.cpp", "cmake/x.cmake", "README.md"):
            self.finds(check_style.check_nothing_is_left_undone, path, "a\n# TO" "DO: b\n", ":2:")

    def test_a_path_of_one_machine_is_found(self):
        for place in ("/wo" "rk/x", "/ho" "me/x", "../sha" "red"):
            self.finds(check_style.check_nothing_is_left_undone, "README.md", f"see {place}\n", "machine")
        self.lets_be(check_style.check_nothing_is_left_undone, "README.md", "see src/wo" "rk/x\n")

    def test_an_if_inside_a_function_is_found(self):
        self.finds(check_style.check_conditional_compilation, "src/tcp/x.cpp",
                   "void f() {\n#ifdef A\n}\n#endif\n", "x.cpp:2: #ifdef inside f")
        self.lets_be(check_style.check_conditional_compilation, "src/tcp/x.cpp",
                     "#if A\nvoid f() {\n}\n#else\nvoid f() {\n}\n#endif\n")

    def test_a_bool_parameter_is_found(self):
        for declaration in ("void f(int a, bool quick);", "void f(bool a = true);",
                            "void T::set_x(bool quick) {"):
            self.finds(check_style.check_bool_parameters, "src/tcp/x.h", declaration + "\n", "bool")
        self.lets_be(check_style.check_bool_parameters, "src/tcp/x.h",
                     "void set_nagle(Id id, bool on);\nvoid ensure(bool condition);\nbool f(int a);\n"
                     "for (bool x = true; x;) {}\nfriend bool operator==(A, A);\n")


class Files(Rules):
    def test_a_file_that_does_not_introduce_itself_is_found(self):
        self.finds(check_style.check_beginnings, "src/tcp/x.cpp", '#include "tcp/y.h"\n', "begin")
        self.lets_be(check_style.check_beginnings, "src/tcp/x.cpp", '#include "tcp/x.h"\n')
        self.lets_be(check_style.check_beginnings, "src/stack/x.cpp", '#include "estab/x.h"\n')
        self.lets_be(check_style.check_beginnings, "tests/properties/x.cpp", '#include "tests/properties/x.h"\n')
        self.lets_be(check_style.check_beginnings, "src/tcp/x.cpp", BODY)

    def test_a_header_without_its_guard_is_found(self):
        self.finds(check_style.check_beginnings, "src/tcp/x.h", BODY, "#pragma once")

    def test_whitespace(self):
        self.finds(check_style.check_whitespace, "README.md", "a \n", "space")
        self.finds(check_style.check_whitespace, "README.md", "a", "no line end")
        self.finds(check_style.check_whitespace, "src/x.cpp", "\ta\n", "tab")

    def test_includes(self):
        for path, line in [("src/tcp/x.cpp", '#include "../wire/tcp.h"'),
                           ("src/tcp/x.cpp", "#include <estab/stack.h>"),
                           ("src/tcp/x.cpp", '#include "vector"'),
                           ("src/wire/x.cpp", '#include "tcp/sender.h"'),
                           ("src/tcp/x.cpp", '#include "host/host.h"'),
                           ("src/tcp/x.cpp", '#include "tests/support/x.h"'),
                           ("include/estab/x.h", '#include "wire/tcp.h"')]:
            self.finds(check_style.check_includes, path, line + "\n", "#include")
        self.lets_be(check_style.check_includes, "src/tcp/x.cpp",
                     '#include "wire/tcp.h"\n#include "tcp/y.h"\n#include "estab/octets.h"\n'
                     "#include <vector>\n// #include <estab/x.h>\n")
        for path in ("src/tcp/x_test.cpp", "src/tcp/x_test_support.h", "src/tcp/x_for_test.h",
                     "src/tcp/testing/x.h"):
            self.lets_be(check_style.check_includes, path,
                         '#include "trace/x.h"\n#include "tests/support/x.h"\n')

    def test_a_test_that_is_no_sentence_is_found(self):
        for name in ("Works", "test_1", "wrapsAround", "Wraps_around"):
            self.finds(check_style.check_test_names, "src/tcp/x_test.cpp",
                       f"TEST(Ring, {name}) {{\n", "sentence")
        self.lets_be(check_style.check_test_names, "src/tcp/x_test.cpp",
                     "TEST_F(Ring, GivesBackWhatWasPushed) {\nTEST(A, Takes64KiBAtOnce) {\n")


class Snippets(Rules):
    FENCE = "`" * 3

    def readme(self, origin, code):
        return f"text\n\n{origin}{self.FENCE}cpp\n{code}{self.FENCE}\n"

    def test_a_snippet_of_a_file_that_is_built_is_let_be(self):
        self.lets_be(check_style.check_snippets, "README.md",
                     self.readme("<!-- examples/x.cpp -->\n", "int main() {}\n"),
                     **{"examples/x.cpp": "// Why.\n\nint main() {}\n"})

    def test_a_snippet_of_a_region_is_let_be(self):
        self.lets_be(check_style.check_snippets, "README.md",
                     self.readme("<!-- examples/x.cpp#a -->\n", "f();\n  g();\n"),
                     **{"examples/x.cpp": "{\n  // [a]\n  f();\n    g();\n  // [a]\n}\n"})

    def test_a_snippet_that_differs_is_found(self):
        self.finds(check_style.check_snippets, "README.md",
                   self.readme("<!-- examples/x.cpp -->\n", "int main() { }\n"), "README.md:4",
                   **{"examples/x.cpp": "// Why.\n\nint main() {}\n"})

    def test_a_snippet_from_nowhere_is_found(self):
        self.finds(check_style.check_snippets, "README.md", self.readme("", "f();\n"), "says")
        self.finds(check_style.check_snippets, "README.md",
                   self.readme("<!-- examples/y.cpp -->\n", "f();\n"), "no such file")


class Everything(unittest.TestCase):
    def test_every_rule_is_run(self):
        rules = {rule for name, rule in vars(check_style).items() if name.startswith("check_")}
        self.assertEqual(rules, set(check_style.CHECKS))


class Fields(Rules):
    CODE = ("void T::hash_into(Hasher& h) const {\n"
            "  const auto& [one, two] = *this;\n"
            "  h.add(one);\n%s"
            "}\n"
            "void two();\n")

    def test_a_member_that_is_forgotten_is_found(self):
        self.finds(check_style.check_fields, "src/tcp/x.cpp", self.CODE % "",
                   "src/tcp/x.cpp:2: two is named and forgotten")

    def test_a_member_that_is_used_is_let_be(self):
        self.lets_be(check_style.check_fields, "src/tcp/x.cpp", self.CODE % "  h.add(two);\n")


if __name__ == "__main__":
    unittest.main()
