"""What CppSource sees in small pieces of C++."""
import unittest

from cpp_source import CppSource


def functions(text):
    return [(function.name, function.length) for function in CppSource(text).functions]


class Code(unittest.TestCase):
    def test_leaves_comments_and_strings_out(self):
        source = CppSource('a; // b {\n/* c\n d */ "e }" \'{\' R"x(f" })x" g\n')
        self.assertNotRegex(source.code, "[bcdef{}]")
        self.assertRegex(source.code, r"^a;[\s\"]+g$")
        self.assertEqual(source.code.count("\n"), 3)

    def test_takes_a_digit_separator_for_no_character(self):
        self.assertEqual(functions("int f() {\n  return 1'000;\n}\nint g() { return 2'0; }\n"),
                         [("f", 3), ("g", 1)])


class Functions(unittest.TestCase):
    def test_counts_from_the_signature_to_the_closing_brace(self):
        self.assertEqual(functions("int f(int a,\n      int b) {\n  if (a) {\n  }\n}\n"), [("f", 5)])

    def test_finds_methods_inside_and_outside_of_classes(self):
        self.assertEqual(functions("""
            namespace estab {
            template <class T, class U = int>
            class alignas(64) Ring final : public Base<T> {
             public:
              Ring() : a_(1), b_{2}, c_{{3, 4}} {
              }
              ~Ring() { reset(); }
              bool operator==(const Ring& other) const { return true; }
              explicit operator bool() const { return true; }
              auto size() const noexcept -> std::size_t { return size_; }
              [[nodiscard]] int f() const { return 1; }
             private:
              int a_ = 0, b_{0};
              std::array<int, 3> c_{{1, 2, 3}};
            };
            std::size_t Ring<int>::longer(std::vector<int> x = {}) {

            }
            }
            """), [("Ring", 2), ("~Ring", 1), ("operator==", 1), ("operatorbool", 1), ("size", 1),
                   ("f", 1), ("Ring::longer", 3)])

    def test_takes_no_value_for_a_function(self):
        self.assertEqual(functions("""
            constexpr std::array<int, 2> kTable = {
              1, 2};
            const Options kOptions{.a = f(1),
                                   .b = 2};
            enum class State : std::uint8_t { closed, listen };
            template <class T> concept Small = requires(T t) { t.size(); };
            struct Point { int x = 0; };
            """), [])

    def test_counts_a_lambda_that_stands_alone(self):
        self.assertEqual(functions("const auto kTwice = [](int a) {\n  return 2 * a;\n};\n"
                                   "int f() {\n  auto g = [] {\n  };\n}\n"),
                         [("kTwice", 3), ("f", 4)])

    def test_names_a_test(self):
        self.assertEqual(functions("TEST(Ring, Wraps) {\n}\n"), [("TEST(Ring, Wraps)", 2)])

    def test_names_a_qualified_function(self):
        self.assertEqual(functions("Result<int> a::B::c(int) const {\n}\nB::~B() {}\n"),
                         [("a::B::c", 2), ("B::~B", 1)])

    def test_looks_past_preprocessor_lines(self):
        source = CppSource("#define X(a) {\n#if A\nint f() {\n#ifdef B\n#endif\n}\n#endif\n")
        self.assertEqual([(f.name, f.length) for f in source.functions], [("f", 4)])
        self.assertIn((4, "ifdef"), source.directives)

    def test_looks_into_linkage_blocks(self):
        self.assertEqual(functions('extern "C" {\nint f() {\n}\n}\nextern "C" int g() {\n}\n'),
                         [("f", 2), ("g", 2)])


if __name__ == "__main__":
    unittest.main()
