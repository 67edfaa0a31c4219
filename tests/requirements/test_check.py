"""Each rule of scripts/requirements/check.py, broken once in a small tree."""
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "requirements"))
import check  # noqa: E402
import coverage  # noqa: E402
import tables  # noqa: E402
import tags  # noqa: E402

RFC = """
1.  Rules

   A thing MUST be counted (MUST-1).  A thing SHOULD be told.  A thing MAY
   be coloured (MAY-2).  The same MUST be counted again.
"""
CODE = "// [RFC 9293 MUST-1]\nvoid count() {\n  // [RFC 9293 1-1]\n  tell();\n}\n"
TEST = "// [RFC 9293 MUST-1, 1-1]\nTEST(Thing, IsCountedAndTold) {}\n"
ANSWERS = {"MUST-1": {"answer": "met"}, "1-1": {"answer": "met"},
           "MAY-2": {"answer": "not_applicable", "why": "there is no colour"},
           "1-2": {"same_as": "9293 MUST-1"}}


class Tree(unittest.TestCase):
    """A tree in order, in which each test breaks one thing."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name) / "project"
        self.texts = Path(folder.name) / "texts"
        self.put("src/tcp/thing.cpp", CODE)
        self.put("src/tcp/thing_test.cpp", TEST)
        self.texts.mkdir()
        (self.texts / "rfc9293.txt").write_text(RFC)
        self.answer()

    def put(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def answer(self, **changes):
        """Extracts anew and answers; `changes`, by id with _ for - and ., replace answers."""
        folder = self.root / "docs" / "requirements"
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in check.extract.extracted(self.texts, folder):
            table = tables.parse(text)
            for entry in table.entries:
                answers = changes.get(entry.id.replace("-", "_"), ANSWERS[entry.id])
                entry.answer = entry.why = entry.same_as = ""
                for name, value in answers.items():
                    setattr(entry, name, value)
            path.write_text(tables.write(table), encoding="utf-8")

    def problems(self, write=True):
        return check.problems(self.root, self.texts, write=write)

    def finds(self, *texts):
        found = self.problems()
        for text in texts:
            self.assertTrue(any(text in problem for problem in found), (text, found))
        self.assertEqual(len(found), len(texts), found)


class Rules(Tree):
    def test_a_tree_in_order_is_let_be(self):
        self.assertEqual(self.problems(), [])

    def test_a_tag_without_a_test_is_found(self):
        self.put("src/tcp/thing_test.cpp", TEST.replace(", 1-1", ""))
        self.finds("src/tcp/thing.cpp:3: [RFC 9293 1-1]: no test carries this tag",
                   "1-1: met, but no test")

    def test_a_test_without_its_tag_in_code_is_found(self):
        self.put("src/tcp/thing.cpp", CODE.replace("  // [RFC 9293 1-1]\n", ""))
        self.finds("src/tcp/thing_test.cpp:1: [RFC 9293 1-1]: no code in src/ carries this tag",
                   "1-1: met, but no code")

    def test_a_tag_of_no_sentence_is_found(self):
        self.put("src/tcp/other.cpp", "// [RFC 9293 MUST-99]\nvoid f() {}\n")
        self.put("src/tcp/other_test.cpp", "// [RFC 9293 MUST-99]\nTEST(A, B) {}\n")
        self.finds("other.cpp:1: [RFC 9293 MUST-99]: no such sentence",
                   "other_test.cpp:1: [RFC 9293 MUST-99]: no such sentence")

    def test_a_sentence_without_an_answer_is_found(self):
        self.answer(MAY_2={})
        self.finds("rfc9293.toml: MAY-2: no answer")

    def test_an_answer_that_is_none_is_found(self):
        self.answer(MAY_2={"answer": "perhaps", "why": "who knows"})
        self.finds("rfc9293.toml: MAY-2: no answer")

    def test_an_answer_without_its_reason_is_found(self):
        for answer in ("deliberate", "not_applicable", "not_yet"):
            self.answer(MAY_2={"answer": answer})
            self.finds(f"MAY-2: {answer}, and no why")

    def test_met_without_tags_is_found(self):
        self.answer(MAY_2={"answer": "met"})
        self.finds("MAY-2: met, but no code and no test carries [RFC 9293 MAY-2]")

    def test_a_must_of_rfc_9293_that_is_not_met_is_found(self):
        self.answer(MUST_1={"answer": "deliberate", "why": "we would rather not"})
        self.finds("rfc9293.toml: MUST-1: has to be met")

    def test_a_reference_to_nothing_or_to_a_reference_is_found(self):
        self.answer(**{"1_2": {"same_as": "9293 MUST-7"}})
        self.finds("1-2: same_as names no sentence: 9293 MUST-7")
        self.answer(MAY_2={"same_as": "9293 1-2"})
        self.finds("MAY-2: same_as leads to another same_as: 9293 1-2")

    def test_a_reference_to_several_is_let_be(self):
        self.answer(**{"1_2": {"same_as": "9293 MUST-1, 9293 MAY-2"}})
        self.assertEqual(self.problems(), [])

    def test_two_answers_are_found(self):
        self.answer(**{"1_2": {"same_as": "9293 MUST-1", "answer": "met"}})
        self.finds("1-2: both answer and same_as", "1-2: met, but no code")

    def test_a_tag_of_a_sentence_answered_elsewhere_is_found(self):
        self.put("src/tcp/thing.cpp", CODE + "// [RFC 9293 1-2]\nvoid f() {}\n")
        self.put("src/tcp/thing_test.cpp", TEST + "// [RFC 9293 1-2]\nTEST(A, B) {}\n")
        self.finds("thing.cpp:6: [RFC 9293 1-2]: is answered by RFC 9293 MUST-1",
                   "thing_test.cpp:3: [RFC 9293 1-2]: is answered by RFC 9293 MUST-1")

    def test_a_tag_of_a_sentence_not_met_yet_is_found(self):
        self.answer(**{"1_1": {"answer": "not_yet", "why": "later"}})
        self.finds("thing.cpp:3: [RFC 9293 1-1]: tagged, but its answer is not_yet",
                   "thing_test.cpp:1: [RFC 9293 1-1]: tagged, but its answer is not_yet")

    def test_a_test_tag_that_stands_above_no_test_is_found(self):
        self.put("src/tcp/thing_test.cpp", TEST + "// [RFC 9293 1-1]\n\nint helper;\n")
        self.finds("thing_test.cpp:3: [RFC 9293 1-1]: not directly above a test")

    def test_something_like_a_tag_is_found(self):
        self.put("src/tcp/other.cpp", "// [RFC 9293 MUST13]\nvoid f() {}\n")
        self.finds("src/tcp/other.cpp:1: // [RFC 9293 MUST13]: not a tag")

    def test_a_page_out_of_date_is_found(self):
        self.problems(write=True)
        self.put("src/tcp/thing.cpp", CODE.replace("count", "number"))
        found = self.problems(write=False)
        self.assertEqual(len(found), 1, found)
        self.assertIn("docs/rfc_coverage.md: out of date", found[0])

    def test_a_table_that_differs_from_the_text_is_found(self):
        path = self.root / "docs/requirements/rfc9293.toml"
        path.write_text(path.read_text().replace("be told", "be sold"))
        self.finds("rfc9293.toml: is not what extract.py makes")

    def test_without_the_texts_the_tables_are_believed(self):
        path = self.root / "docs/requirements/rfc9293.toml"
        path.write_text(path.read_text().replace("be told", "be sold"))
        (self.texts / "rfc9293.txt").unlink()
        self.texts.rmdir()
        self.assertEqual(self.problems(), [])

    def test_no_tables_at_all_are_found(self):
        (self.root / "docs/requirements/rfc9293.toml").unlink()
        self.assertEqual(self.problems(), ["docs/requirements: no tables"])


class Tags(unittest.TestCase):
    def of(self, path, text):
        return [(tag.key, tag.line, tag.name) for tag in tags.of_file(path, text)]

    def test_name_the_function_around_or_below_them(self):
        text = "void T::f() {\n  // [RFC 1 2-3]\n  g();\n}\n\n// Why [RFC 1 2-4].\nint h(int a) {\n}\n"
        self.assertEqual(self.of("src/a.cpp", text), [("1 2-3", 2, "T::f"), ("1 2-4", 6, "h")])

    def test_name_what_is_declared_where_there_is_no_function(self):
        text = "struct S {\n  int wide = 3;  // [RFC 1 2-3]\n  // [RFC 1 2-4]\n  void f(int);\n};\n"
        self.assertEqual(self.of("src/a.h", text), [("1 2-3", 2, "wide"), ("1 2-4", 3, "f")])

    def test_hold_several_sentences_and_may_be_broken_over_lines(self):
        text = "// why [RFC 9293 MUST-1, SHLD-2,\n// 3.10.7.4-2] and so on\nTEST_F(A, B) {}\n"
        self.assertEqual(self.of("src/a_test.cpp", text),
                         [("9293 MUST-1", 1, "A.B"), ("9293 SHLD-2", 1, "A.B"),
                          ("9293 3.10.7.4-2", 1, "A.B")])

    def test_are_not_sections(self):
        self.assertEqual(self.of("src/a.cpp", "// [RFC 9293 §3.5] [RFC 9293 section 3.5]\n"), [])

    def test_stand_in_python_tests_and_in_scripts(self):
        self.assertEqual(self.of("tests/a.py", "    # [RFC 1 2-3]\n    def test_x(self):\n"),
                         [("1 2-3", 1, "test_x")])
        self.assertEqual(self.of("tests/a.pkt", "0 socket(...)\n// [RFC 1 2-3]\n"),
                         [("1 2-3", 2, "tests/a.pkt")])


class Page(unittest.TestCase):
    def test_says_where_and_by_which_test(self):
        entries = [tables.Entry(1, "2-3", "2", "MUST", "A | MUST hold.", "met"),
                   tables.Entry(1, "2-4", "2", "MAY", "B MAY hold.", "deliberate", "it is not needed"),
                   tables.Entry(1, "2-5", "2", "MUST", "A MUST hold.", same_as="1 2-3")]
        found = [tags.Tag("1 2-3", "src/a.cpp", 1, "f"), tags.Tag("1 2-3", "src/a_test.cpp", 1, "A.B")]
        page = coverage.generate([tables.Table(1, "One", entries)], found)
        self.assertIn("| 2-3 | 2 | MUST | A \\| MUST hold. | met | `src/a.cpp`: `f` | `A.B` |", page)
        self.assertIn("| 2-4 | 2 | MAY | B MAY hold. | deliberately not: it is not needed |  |  |", page)
        self.assertIn("met, as RFC 1 2-3 | `src/a.cpp`: `f` | `A.B` |", page)
        self.assertIn("| all | 3 | 2 | 1 | 0 | 0 |", page)


if __name__ == "__main__":
    unittest.main()
