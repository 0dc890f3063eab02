# SPDX-License-Identifier: GPL-2.0-only
"""What a C file is found to define, and under which conditions: own snippets."""

from __future__ import annotations

import pytest

from pygfp.config import dependencies
from pygfp.scan import Definition, Scan, scan


def scanned(text: str) -> Scan:
    return scan("include/linux/x.h", text.encode())


def one(text: str, name: str, kind: str | None = None) -> Definition:
    found = [d for d in scanned(text).definitions if d.name == name and kind in {None, d.kind}]
    assert len(found) == 1, found
    return found[0]


def symbols(definition: Definition) -> set[str]:
    return {u for u in definition.uses if u.startswith("CONFIG_")}


def behind(text: str, name: str) -> set[str]:
    """The symbols that the meaning of *name* depends on, through whatever it uses."""
    return set(dependencies(scanned(text).definitions).symbols(name))


class TestKinds:
    @pytest.mark.parametrize(
        ("text", "name", "kind"),
        [
            ("#define A 1\n", "A", "macro"),
            ("#define A(x) (x)\n", "A", "macro"),
            ("#define A\n", "A", "macro"),
            ("#define A \\\n\t1\n", "A", "macro"),
            ("#undef A\n", "A", "undef"),
            ("int f(int x) { return x; }\n", "f", "function"),
            ("static inline struct page *f(gfp_t g)\n{\n\treturn 0;\n}\n", "f", "function"),
            ("int f(int x);\n", "f", "declaration"),
            ("extern int v;\n", "v", "declaration"),
            ("typedef unsigned int gfp_t;\n", "gfp_t", "typedef"),
            ("typedef unsigned int __bitwise gfp_t;\n", "gfp_t", "typedef"),
            ("enum e { A, B };\n", "e", "tag"),
            ("enum { A, B };\n", "B", "enumerator"),
            ("typedef enum { A, B } t;\n", "A", "enumerator"),
            ("struct s { int x; };\n", "s", "tag"),
        ],
    )
    def test_each_is_known_for_what_it_is(self, text: str, name: str, kind: str) -> None:
        assert one(text, name).kind == kind

    @pytest.mark.parametrize(
        ("head", "count"), [("int f(void)", 0), ("int f()", 0), ("int f(gfp_t g)", 1), ("int f(int a, gfp_t g)", 2)]
    )
    def test_functions_know_their_parameters(self, head: str, count: int) -> None:
        assert one(f"{head} {{ return 0; }}\n", "f").parameters == count

    @pytest.mark.parametrize(("head", "count"), [("A", None), ("A()", 0), ("A(x)", 1), ("A(x, y)", 2)])
    def test_macros_know_their_parameters(self, head: str, count: int | None) -> None:
        assert one(f"#define {head} 1\n", "A").parameters == count

    def test_lines_are_counted_from_one(self) -> None:
        text = "\n#define A \\\n\t1\nint f(int x)\n{\n\treturn x;\n}\n"
        assert (one(text, "A").line, one(text, "A").end_line) == (2, 3)
        assert (one(text, "f").line, one(text, "f").end_line) == (4, 7)

    def test_a_span_holds_exactly_the_definition(self) -> None:
        text = "int a;\nint f(int x)\n{\n\treturn x;\n}\nint b;\n"
        found = one(text, "f")
        assert text[found.start : found.end] == "int f(int x)\n{\n\treturn x;\n}"
        assert text[found.head_end] == "{"


class TestConditions:
    @pytest.mark.parametrize(
        "opening", ["#ifdef CONFIG_X", "#ifndef CONFIG_X", "#if defined(CONFIG_X)", "#if IS_ENABLED(CONFIG_X) && 1"]
    )
    def test_a_definition_uses_the_condition_around_it(self, opening: str) -> None:
        assert symbols(one(f"{opening}\n#define A 1\n#endif\n", "A")) == {"CONFIG_X"}

    def test_conditions_nest(self) -> None:
        text = "#ifdef CONFIG_X\n#if CONFIG_Y > 2\nint f(int x) { return x; }\n#endif\n#endif\n"
        assert symbols(one(text, "f")) == {"CONFIG_X", "CONFIG_Y"}

    def test_what_stands_after_the_end_does_not_depend_on_it(self) -> None:
        assert symbols(one("#ifdef CONFIG_X\nint a;\n#endif\n#define A 1\n", "A")) == set()

    def test_else_depends_on_the_condition_before_it(self) -> None:
        assert symbols(one("#ifdef CONFIG_X\nint a;\n#else\n#define A 1\n#endif\n", "A")) == {"CONFIG_X"}

    def test_elif_depends_on_its_own_condition_and_those_before(self) -> None:
        text = "#if defined(CONFIG_X)\n#define A 1\n#elif defined(CONFIG_Y)\n#define B 2\n#else\n#define C 3\n#endif\n"
        assert symbols(one(text, "A")) == {"CONFIG_X"}
        assert symbols(one(text, "B")) == {"CONFIG_X", "CONFIG_Y"}
        assert symbols(one(text, "C")) == {"CONFIG_X", "CONFIG_Y"}

    def test_a_condition_may_go_over_several_lines(self) -> None:
        text = "#if defined(CONFIG_X) || \\\n\tdefined(CONFIG_Y)\n#define A 1\n#endif\n"
        assert symbols(one(text, "A")) == {"CONFIG_X", "CONFIG_Y"}

    def test_both_branches_are_found(self) -> None:
        text = "#ifdef CONFIG_X\n#define A 1\n#else\n#define A 0\n#endif\n"
        assert [d.line for d in scanned(text).definitions if d.name == "A"] == [2, 4]

    def test_a_condition_inside_a_body_is_used(self) -> None:
        text = "int f(int x)\n{\n#ifdef CONFIG_X\n\treturn 1;\n#endif\n\treturn x;\n}\n"
        assert symbols(one(text, "f")) == {"CONFIG_X"}

    def test_a_comment_in_a_condition_is_none(self) -> None:
        text = "#ifdef CONFIG_X /* not CONFIG_Y */\n#define A 1\n#endif /* CONFIG_Z */\n"
        assert symbols(one(text, "A")) == {"CONFIG_X"}

    def test_an_include_guard_counts_as_a_condition_and_everything_in_it_is_found(self) -> None:
        text = "#ifndef __X_H\n#define __X_H\n#define A 1\nint f(int x) { return x; }\n#endif\n"
        assert {d.name for d in scanned(text).definitions} == {"__X_H", "A", "f"}
        assert "__X_H" in one(text, "A").uses

    def test_directives_are_the_lines_around_it_and_no_more(self) -> None:
        text = "#ifdef CONFIG_X\nint a;\n#elif B\n#define A 1\n#else\nint c;\n#endif\n"
        lines = {text[start:end].strip() for start, end in one(text, "A").directives}
        assert lines == {"#ifdef CONFIG_X", "#elif B", "#else", "#endif"}


class TestEnumerators:
    """What stands after an enumerator cannot change its value; what stands before can."""

    TEXT = (
        "enum zone_type {\n#ifdef CONFIG_ZONE_DMA\n\tZONE_DMA,\n#endif\n\tZONE_NORMAL,\n"
        "#ifdef CONFIG_HIGHMEM\n\tZONE_HIGHMEM,\n#endif\n\tZONE_MOVABLE,\n"
        "#ifdef CONFIG_ZONE_DEVICE\n\tZONE_DEVICE,\n#endif\n\t__MAX_NR_ZONES\n};\n"
    )

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("ZONE_DMA", {"CONFIG_ZONE_DMA"}),
            ("ZONE_NORMAL", {"CONFIG_ZONE_DMA"}),
            ("ZONE_HIGHMEM", {"CONFIG_ZONE_DMA", "CONFIG_HIGHMEM"}),
            ("ZONE_MOVABLE", {"CONFIG_ZONE_DMA", "CONFIG_HIGHMEM"}),
            ("ZONE_DEVICE", {"CONFIG_ZONE_DMA", "CONFIG_HIGHMEM", "CONFIG_ZONE_DEVICE"}),
            ("__MAX_NR_ZONES", {"CONFIG_ZONE_DMA", "CONFIG_HIGHMEM", "CONFIG_ZONE_DEVICE"}),
        ],
    )
    def test_one_depends_on_what_stands_before_it(self, name: str, expected: set[str]) -> None:
        assert behind(self.TEXT, name) == expected

    def test_one_depends_on_the_condition_around_the_enum(self) -> None:
        assert symbols(one("#ifdef CONFIG_X\nenum { A, B };\n#endif\n", "A")) == {"CONFIG_X"}

    def test_one_depends_on_its_own_value(self) -> None:
        text = "enum { A, B = CONFIG_X, C };\n"
        assert behind(text, "A") == set()
        assert behind(text, "B") == behind(text, "C") == {"CONFIG_X"}

    def test_else_in_an_enum_counts_too(self) -> None:
        text = "enum {\n#ifdef CONFIG_X\n\tA,\n#else\n\tB,\n#endif\n\tC\n};\n"
        assert behind(text, "A") == behind(text, "B") == behind(text, "C") == {"CONFIG_X"}

    def test_the_whole_statement_is_what_would_be_cut_out(self) -> None:
        text = "int a;\nenum e { A, B } v;\nint b;\n"
        assert {text[d.start : d.end] for d in scanned(text).definitions if d.kind == "enumerator"} <= {
            "enum e { A, B } v;",
            "enum e { A, B }",
        }


class TestDecoys:
    """Comments and strings define nothing and use nothing."""

    @pytest.mark.parametrize(
        "text",
        [
            "/* static inline gfp_t gfp_nested_mask(gfp_t f) { return f; } */\n",
            "// #define gfp_nested_mask(f) (f)\n",
            "/*\n#define gfp_nested_mask(f) (f)\n*/\n",
            "#define OTHER 1 /* gfp_nested_mask */\n",
        ],
    )
    def test_a_comment_defines_nothing(self, text: str) -> None:
        result = scanned(text)
        assert "gfp_nested_mask" not in {d.name for d in result.definitions}
        assert result.line_of("gfp_nested_mask") == 0

    def test_a_comment_uses_nothing(self) -> None:
        assert "CONFIG_X" not in one("#define A 1 /* CONFIG_X */\n", "A").uses

    def test_line_of_finds_the_first_use_in_code_after_any_comment(self) -> None:
        text = "/* gfp_zone() */\n\n#define my_gfp_zone 1\nint x = gfp_zone;\nint y = gfp_zone;\n"
        assert scanned(text).line_of("gfp_zone") == 4

    def test_code_is_as_long_as_the_text_with_the_same_lines(self) -> None:
        result = scanned("/* one\n * two */ int a; // three\ntypedef int __bitwise t;\n")
        assert len(result.code) == len(result.text)
        assert [i for i, c in enumerate(result.code) if c == 10] == [i for i, c in enumerate(result.text) if c == 10]
        assert result.code.split() == b"int a; typedef int t;".split()


class TestAnnotations:
    """Annotation macros that no C grammar knows do not hide what they stand on."""

    @pytest.mark.parametrize(
        "head",
        [
            "static inline gfp_t __must_check f(gfp_t g)",
            "static __always_inline gfp_t f(gfp_t g)",
            "static inline __maybe_unused gfp_t f(gfp_t g)",
            "gfp_t __meminit f(gfp_t g)",
            "static inline __alloc_size(1) gfp_t f(gfp_t g)",
            "static noinline __printf(1, 2) gfp_t f(gfp_t g)",
            "static inline __pure gfp_t f(const gfp_t __user g)",
        ],
    )
    def test_the_function_behind_one_is_found(self, head: str) -> None:
        found = one(f"{head}\n{{\n\treturn (__force gfp_t)g;\n}}\n", "f", "function")
        assert found.parameters == 1

    def test_a_cast_with_force_does_not_swallow_the_next_definition(self) -> None:
        text = "#define A ((__force gfp_t)1u)\nint f(int x) { return (__force int)x; }\nint g(int x) { return x; }\n"
        assert [d.name for d in scanned(text).definitions] == ["A", "f", "g"]

    def test_an_unknown_macro_before_a_function_costs_no_neighbour(self) -> None:
        text = "int a(int x) { return x; }\n__strange(7) int b(int x) { return x; }\nint c(int x) { return x; }\n"
        assert {"a", "c"} <= {d.name for d in scanned(text).definitions if d.kind == "function"}
