# SPDX-License-Identifier: GPL-2.0-only
"""Values of constant expressions, read from what the compiler writes."""

from __future__ import annotations

import pytest

from pygfp.errors import BuildError, ExtractionError
from pygfp.native.evaluate import Group, enumerators, evaluate, includes


class TestEvaluate:
    """Values of constant expressions, as the compiler has them."""

    def test_groups_know_nothing_of_each_other(self) -> None:
        told: list[str] = []
        first = [("A", ""), ("B", "B"), ("-1", ""), ("A << 60", "A"), ("-2147483648", "")]
        groups = [
            Group(["#define A 5UL"], first, ["#undef A"]),
            Group(["#define B 7"], [("B", "B"), ("A", "A")], ["#undef B"]),
            Group([], [("B", "B"), ("0x10", "")]),
        ]
        assert evaluate(groups, {}, on_command=told.append) == [
            [5, None, (1 << 64) - 1, 5 << 60, (1 << 64) - (1 << 31)],
            [7, None],
            [None, 16],
        ]
        assert len(told) == 1
        assert told[0].endswith(" values.c")

    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("0", 0),
            ("1UL << 31", 1 << 31),
            ("0x7fffffffu", 0x7FFFFFFF),
            ("1UL << 32", 1 << 32),
            ("0xfedcba9876543210UL", 0xFEDCBA9876543210),
            ("-1", (1 << 64) - 1),
            ("(unsigned int)-1", 0xFFFFFFFF),
        ],
    )
    def test_every_value_of_a_word(self, expression: str, value: int) -> None:
        """A flag may stand on any bit: from bit 31 on gcc refused to print it."""
        assert evaluate([Group([], [(expression, "")])], {}) == [[value]]

    def test_what_is_no_constant_is_an_error(self) -> None:
        with pytest.raises(BuildError, match=r"^the tables do not compile: "):
            evaluate([Group([], [("x", "")])], {})

    def test_files_and_includes_that_stand_empty(self) -> None:
        files = {"include/linux/c.h": b"#include <linux/d.h>\n#define C 3\n", "../outside.h": b"#error outside\n"}
        group = Group(['#include "include/linux/c.h"'], [("C", "")])
        assert evaluate([group], files, stubs=["linux/d.h"]) == [[3]]

    def test_enumerators_behind_a_flag(self) -> None:
        header = (
            b"#include <linux/new.h>\n#ifdef CONFIG_A\n#define ___GFP_A (1 << ___GFP_A_BIT)\n#endif\n"
            b"#define __GFP_A ___GFP_A\n#define __GFP_B (___GFP_B_BIT | 1)\n"
        )
        flags = ["__GFP_A", "__GFP_B", "__GFP_C"]
        assert enumerators(header, "f.h", flags, {"CONFIG_A": True}) == {
            "__GFP_A": {"___GFP_A_BIT"}, "__GFP_B": {"___GFP_B_BIT"}
        }  # fmt: skip
        assert enumerators(header, "f.h", flags, {"CONFIG_A": False})["__GFP_A"] == {"___GFP_A"}

    def test_includes(self) -> None:
        text = b'#include <b.h>\n  #  include <a.h>\n#include "c.h"\n// #include <d.h>\n#include <b.h>\n'
        assert includes(text) == ["a.h", "b.h"]
        assert includes(b"#include <\xff.h>\n") == ["\ufffd.h"]

    def test_files_of_one_directory_stand_side_by_side(self) -> None:
        files = {"include/linux/a.h": b"#define A 3\n", "include/linux/b.h": b"#include <linux/a.h>\n"}
        assert evaluate([Group(['#include "include/linux/b.h"'], [("A", "")])], files) == [[3]]

    def test_what_is_never_compiled_is_refused(self) -> None:
        with pytest.raises(ExtractionError, match=r"^include/linux/a\.h:1: "):
            evaluate([Group([], [("1", "")])], {"include/linux/a.h": b'#include "/etc/passwd"\n'})

    @pytest.mark.parametrize(("on", "bit"), [(True, "___GFP_A_BIT"), (False, "___GFP_B_BIT")])
    def test_a_flag_behind_is_enabled(self, on: bool, bit: str) -> None:  # noqa: FBT001 - a column
        header = (
            b"#if IS_ENABLED(CONFIG_A)\n#define __GFP_A ___GFP_A_BIT\n#else\n#define __GFP_A ___GFP_B_BIT\n#endif\n"
        )
        assert enumerators(header, "f.h", ["__GFP_A"], {"CONFIG_A": on}) == {"__GFP_A": {bit}}

    def test_a_flag_with_text_in_its_definition(self) -> None:
        header = b'#define __GFP_A (sizeof("a \\"___GFP_B\\"") ? ___GFP_A_BIT : 0)\n'
        assert "___GFP_A_BIT" in enumerators(header, "f.h", ["__GFP_A"], {})["__GFP_A"]

    def test_pygfps_own_headers_do_not_stand_empty(self) -> None:
        header = b"#include <linux/bits.h>\n#include <linux/new.h>\n#define __GFP_A BIT(___GFP_A_BIT)\n"
        told: list[str] = []
        found = enumerators(header, "f.h", ["__GFP_A"], {}, told.append)
        assert found == {"__GFP_A": {"___GFP_A_BIT"}}
        assert [command.split()[-1] for command in told] == ["values.c"]

    def test_a_group_cannot_be_changed(self) -> None:
        group = Group([], [])
        assert group.after == ()
        with pytest.raises(AttributeError, match="cannot assign"):
            group.after = [""]  # type: ignore[misc]
