"""What scripts/requirements makes of an RFC's text."""
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "requirements"))
import markdown  # noqa: E402
import sentences  # noqa: E402
import tables  # noqa: E402

SOURCE = sentences.Source(9293, "A title")
PAGE_BREAK = """



Editor, et al.               Standards Track                  [Page 7]
\f
RFC 9293                 A title                  August 2022


"""


def extracted(text, source=SOURCE):
    return [(s.id, s.level, s.text) for s in sentences.extract(text, source)]


class Extraction(unittest.TestCase):
    def gives(self, text, *expected, source=SOURCE):
        self.assertEqual(extracted(text, source), list(expected))

    def test_numbers_by_section_and_keeps_the_rfcs_own_numbers(self):
        self.gives("1.  One\n\n   It MUST hold.  It SHOULD NOT leak\n   (SHLD-7).  It MAY go.\n",
                   ("1-1", "MUST", "It MUST hold."),
                   ("SHLD-7", "SHOULD NOT", "It SHOULD NOT leak (SHLD-7)."),
                   ("1-2", "MAY", "It MAY go."))

    def test_gives_a_sentence_with_two_numbers_twice(self):
        text = "It MUST hold (MUST-1) and MAY shine (MAY-2)."
        self.gives(f"1.  One\n\n   {text}\n", ("MUST-1", "MUST", text), ("MAY-2", "MAY", text))

    def test_names_every_level_of_a_sentence(self):
        self.gives("1.  One\n\n   It MUST hold, SHOULD shine and MUST stay.\n",
                   ("1-1", "MUST, SHOULD", "It MUST hold, SHOULD shine and MUST stay."))

    def test_goes_on_over_a_page_break(self):
        self.gives("1.  One\n\n   Every segment MUST be" + PAGE_BREAK + "   acknowledged.\n",
                   ("1-1", "MUST", "Every segment MUST be acknowledged."))

    def test_a_sentence_that_ends_at_a_page_break_ends_there(self):
        self.gives("1.  One\n\n   It MUST hold." + PAGE_BREAK + "   It is old.\n",
                   ("1-1", "MUST", "It MUST hold."))

    def test_leaves_out_a_footnote_at_the_end_of_a_page(self):
        self.gives("1.  One\n\n   All MUST\n_______________\n*But not all." + PAGE_BREAK + "   go.\n",
                   ("1-1", "MUST", "All MUST go."))

    def test_puts_words_together_at_the_hyphen(self):
        self.gives("1.  One\n\n   Half-\n   open ones MUST end (MUST-\n   9).\n",
                   ("MUST-9", "MUST", "Half-open ones MUST end (MUST-9)."))

    def test_does_not_end_at_an_abbreviation(self):
        self.gives("1.  One\n\n   Some (e.g. Those of A. Smith) MUST go.\n",
                   ("1-1", "MUST", "Some (e.g. Those of A. Smith) MUST go."))

    def test_gives_each_item_of_a_list_for_itself(self):
        self.gives("1.  One\n\n   Thus:\n   o  it MUST hold;\n   o  it SHOULD shine.\n",
                   ("1-1", "MUST", "it MUST hold;"), ("1-2", "SHOULD", "it SHOULD shine."))

    def test_takes_the_word_from_before_a_formula(self):
        text = "1.  One\n\n   It must be less than\n   or equal to:\n\n      A - 20\n\n   where A is B (MUST-3).\n"
        self.gives(text, ("MUST-3", "MUST", "It must be less than or equal to: A - 20 where A is B (MUST-3)."))

    def test_leaves_out_key_words_contents_and_references(self):
        self.gives("""Table of Contents

   1.  What MUST be . . . . . . 2

1.  One

   The key words "MUST" and "MAY" are to be interpreted as described.

   It MUST hold.

2.  References

   [A]  "What MUST be", 1990.
""", ("1-1", "MUST", "It MUST hold."))

    def test_leaves_out_sections_that_are_not_asked_for(self):
        text = "1.  One\n\n   It MUST hold.\n\n1.1.  Part\n\n   It MUST go.\n\n2.  Two\n\n   It MUST sit.\n"
        source = sentences.Source(1, "", take=("1",), skip=("1.1",))
        self.gives(text, ("1-1", "MUST", "It MUST hold."), source=source)

    def test_asks_in_lower_case_only_where_the_rfc_does(self):
        text = "1.  One\n\n   It must hold and may shine.\n"
        self.gives(text)
        self.gives(text, ("1-1", "MUST", "It must hold and may shine."),
                   source=sentences.Source(1191, "", lower_case=True))

    def test_finds_headings_set_in_by_their_depth(self):
        text = "   3.2  WALK-THROUGH\n\n      3.2.1  Version\n\n         It MUST be 4.\n"
        self.gives(text, ("3.2.1-1", "MUST", "It MUST be 4."), source=sentences.Source(1122, ""))


MARKDOWN = """---
title: It MUST NOT count
--- middle

# One

It *MUST* hold W<sub>max</sub> {{!RFC5681}}.

## Deeper {#deep}

~~~ math
it MUST NOT count
~~~
{: #eq1 }

{{{β}{}}}*<sub>cubic</sub>* SHOULD be
set ({{deep}}).

# Two
## Deep
It MAY go.

--- back
# Acknowledgments
It MUST NOT count.
"""


class Markdown(unittest.TestCase):
    def test_is_numbered_and_read_without_its_marks(self):
        self.assertEqual(extracted(markdown.plain(MARKDOWN)),
                         [("1-1", "MUST", "It MUST hold W_max [RFC5681]."),
                          ("1.1-1", "SHOULD", "β_cubic SHOULD be set ([deep])."),
                          ("2.1-1", "MAY", "It MAY go.")])


class Answers(unittest.TestCase):
    def table(self, text, old=None):
        return tables.fresh(SOURCE, sentences.extract(text, SOURCE), old)

    def test_are_kept_when_a_sentence_moves(self):
        old = self.table("1.  One\n\n   It MUST hold.\n")
        old.entries[0].answer, old.entries[0].why = "deliberate", "no"
        new = self.table("1.  One\n\n   It SHOULD go.  It MUST hold.\n", old)
        self.assertEqual([(e.id, e.answer, e.why) for e in new.entries],
                         [("1-1", "", ""), ("1-2", "deliberate", "no")])

    def test_are_kept_when_the_text_is_read_a_little_better(self):
        old = self.table("1.  One\n\n   It MUST hold the line.\n")
        old.entries[0].answer = "met"
        new = self.table("1.  One\n\n   It MUST hold the lines.\n", old)
        self.assertEqual([e.answer for e in new.entries], ["met"])

    def test_are_not_given_to_another_sentence(self):
        old = self.table("1.  One\n\n   It MUST hold the line.\n")
        old.entries[0].answer = "met"
        new = self.table("1.  One\n\n   Nobody SHOULD ever go there.\n", old)
        self.assertEqual([e.answer for e in new.entries], [""])

    def test_survive_writing_and_reading(self):
        table = self.table('1.  One\n\n   It MUST hold "this" \\ that.\n')
        table.entries[0].answer, table.entries[0].why = "deliberate", 'so "it" is'
        self.assertEqual(tables.parse(tables.write(table)), table)


if __name__ == "__main__":
    unittest.main()
