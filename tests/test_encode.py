# SPDX-License-Identifier: GPL-2.0-only
"""Expressions of flags: what they say, what they are worth on a kernel, and what cannot be read."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING

import pytest

from pygfp import sources
from pygfp.config import Selection
from pygfp.decoding.expression import Call, Join, Name, Not, Number, parse
from pygfp.decoding.tables import of_release, row_of
from pygfp.encode import NoHelpers, encode
from pygfp.errors import ExpressionError, UncallableError, UsageError
from pygfp.explaining.calls import CompiledHelpers, ModelHelpers
from pygfp.model.helpers import WANTED
from pygfp.native.session import opened
from pygfp.native.tables import of_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pygfp.encode import Encoded

    Copy = Callable[[Path], Path]
    Run = Callable[..., tuple[int, str, str]]

OFF = Selection(complete=True)


def on_release(text: str, release: str = "6.12", selection: Selection = OFF) -> Encoded:
    tables = of_release(release, selection)
    return encode(text, tables, ModelHelpers(row_of(release)[0], selection, tables))


def value(text: str, release: str = "6.12") -> int | None:
    (only,) = on_release(text, release).values
    return only.answer.value


class TestGrammar:
    """As in C: ~ binds tighter than &, and & tighter than |."""

    def test_precedence(self) -> None:
        node = parse("A|B&~C")
        assert node == Join("|", (Name("A", 0), Join("&", (Name("B", 2), Not(Name("C", 5), 4)), 3)), 1)

    def test_parentheses(self) -> None:
        node = parse("(A|B)&C")
        assert isinstance(node, Join)
        assert node.sign == "&"

    def test_calls_and_numbers(self) -> None:
        assert parse("f( 0x1F )") == Call("f", Number(31, 3), 0)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("GFP_KERNEL", 0xCC0),
            ("GFP_KERNEL|__GFP_ZERO", 0xDC0),
            (" GFP_KERNEL\t&  ~__GFP_FS ", 0xC40),
            ("~0", 0xFFFFFFFF),
            ("~~GFP_KERNEL", 0xCC0),
            ("GFP_KERNEL & (__GFP_IO | __GFP_FS)", 0xC0),
            ("__GFP_IO | __GFP_FS & 0", 0x40),
            ("3264", 0xCC0),
            ("0XCC0", 0xCC0),
            ("0", 0),
            ("none", 0),
            ("__GFP_NOLOCKDEP", 0),
            ("0x100000000|1", 0x100000001),
            ("((((GFP_NOFS))))", 0xC40),
        ],
    )
    def test_values(self, text: str, expected: int) -> None:
        assert value(text) == expected

    @pytest.mark.parametrize(
        ("text", "at", "says"),
        [
            ("", 0, "found the end"),
            ("   ", 0, "found the end"),
            ("GFP_KERNEL|", 11, "found the end"),
            ("|GFP_KERNEL", 0, "expected a name, a number, ~ or ("),
            ("GFP_KERNEL||GFP_NOFS", 11, "found '|'"),
            ("(GFP_KERNEL", 0, "the parenthesis at column 1 is never closed"),
            ("GFP_KERNEL|(1|(2)", 11, "the parenthesis at column 12 is never closed"),
            ("GFP_KERNEL)", 10, "the parenthesis at column 11 closes nothing"),
            ("()", 1, "found ')'"),
            ("f()", 2, "found ')'"),
            ("f(1,2)", 3, "a second argument at column 4"),
            ("GFP_KERNEL GFP_NOFS", 11, "expected | or &"),
            ("GFP_KERNEL+1", 10, "unexpected '+' at column 11"),
            ("-1", 0, "unexpected '-' at column 1"),
            ("12ab", 0, "is no number"),
            ("0x", 0, "is no number"),
            ("GFP_KERNEL|\x1b[2J", 11, "unexpected"),
            ("0x1ffffffffffffffff", 0, "more than 64 bits"),
            ("9" * 5000, 0, "more than 64 bits"),
            ("(" * 5000 + "1" + ")" * 5000, 101, "stand in each other"),
            ("~" * 5000 + "1", 101, "stand in each other"),
        ],
        ids=lambda v: repr(v)[:30],
    )
    def test_what_cannot_be_read_is_shown_where_it_stands(self, text: str, at: int, says: str) -> None:
        with pytest.raises(ExpressionError, match=re.escape(says)) as caught:
            parse(text)
        assert caught.value.at == at
        assert isinstance(caught.value, UsageError)

    def test_random_text_is_read_or_refused(self) -> None:
        seed = random.SystemRandom().randrange(1 << 32)
        draw = random.Random(seed)
        pieces = ["GFP_KERNEL", "0x1f", "12", "|", "&", "~", "(", ")", ",", " ", "gfp_zone", "$", "\u00e9", "__GFP_IO"]
        read = 0
        for _ in range(5000):
            text = "".join(draw.choice(pieces) for _ in range(draw.randrange(8)))
            try:
                parse(text)
                read += 1
            except ExpressionError:
                continue
        assert read > 100, f"seed {seed}"


class TestNames:
    def test_an_unknown_name_shows_its_place_and_near_ones(self, run: Run) -> None:
        status, out, err = run("encode", "--release", "6.12", "GFP_NOFS|__GFP_ZER")
        assert (status, out) == (2, "")
        assert "__GFP_ZER at column 10 is not defined in v6.12; near: __GFP_ZERO" in err
        lines = err.splitlines()
        assert lines[2].index("^") == lines[1].index("__GFP_ZER")

    def test_small_letters_are_near_as_well(self) -> None:
        with pytest.raises(ExpressionError, match="near: GFP_KERNEL"):
            value("gfp_kernel")

    def test_a_name_of_another_release_is_unknown_here(self) -> None:
        assert value("__GFP_ATOMIC", "6.1") == 0x200
        with pytest.raises(ExpressionError, match=r"__GFP_ATOMIC at column 1 is not defined in v6\.12"):
            value("__GFP_ATOMIC", "6.12")

    def test_a_helper_without_its_argument_is_told_apart(self) -> None:
        with pytest.raises(ExpressionError, match=re.escape("write gfp_nested_mask(MASK)")):
            value("gfp_nested_mask")

    def test_a_long_expression_is_shown_in_part(self) -> None:
        with pytest.raises(ExpressionError) as caught:
            value("|".join(["GFP_KERNEL"] * 500) + "|__GFP_NOSUCH")
        _, shown, mark = str(caught.value).split("\n")
        assert len(shown) < 110
        assert shown[mark.index("^") :].startswith("__GFP_NOSUCH")


class TestWidth:
    """A value is never silently truncated."""

    def test_a_complement_needs_a_mask_that_fits(self) -> None:
        with pytest.raises(ExpressionError, match="does not fit in gfp_t, which has 32 bits"):
            value("~0x100000000")

    def test_so_does_a_helper(self) -> None:
        with pytest.raises(ExpressionError, match="does not fit in gfp_t"):
            value("gfp_nested_mask(0x100000000)")

    def test_a_wide_value_is_said_to_be_wide(self, run: Run) -> None:
        status, out, _ = run("encode", "--release", "6.12", "GFP_NOFS|0x100000000")
        assert status == 0
        assert "0x100000c40" in out
        assert "wider than gfp_t" in out


class TestHelpersOfARelease:
    """Pinned by hand from the documentation of nested allocation (facts of 7.3, all symbols off)."""

    @pytest.mark.parametrize(
        ("mask", "nested"),
        [
            ("0", 0x92000),
            ("GFP_ATOMIC", 0x92820),
            ("GFP_KERNEL", 0x92CC0),
            ("GFP_NOWAIT", 0x92800),
            ("GFP_TRANSHUGE_LIGHT", 0x920C0),
            ("~0", 0x92CE0),
            ("GFP_NOFS|__GFP_ZERO", 0x92C40),
        ],
    )
    def test_nested_mask(self, mask: str, nested: int) -> None:
        assert value(f"gfp_nested_mask({mask})", "7.3") == nested

    def test_calls_are_operands(self) -> None:
        assert value("gfp_nested_mask(gfp_nested_mask(0)|GFP_KERNEL) & ~__GFP_NOWARN", "7.3") == 0x90CC0

    def test_it_differs_by_configuration(self) -> None:
        encoded = on_release("gfp_nested_mask(GFP_NOFS|__GFP_NOLOCKDEP)", "6.12", Selection())
        assert {v.answer.value for v in encoded.values} == {0x92C40, 0x1092C40, 0x4092C40}

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("gfpflags_allow_blocking(GFP_NOFS)", 1),
            ("gfpflags_allow_blocking(GFP_ATOMIC)", 0),
            ("gfp_has_io_fs(GFP_KERNEL)", 1),
            ("gfp_has_io_fs(GFP_NOFS)", 0),
            ("gfp_compaction_allowed(GFP_NOFS)", 0),
        ],
    )
    def test_predicates(self, text: str, expected: int) -> None:
        assert value(text) == expected

    def test_symbols_of_the_helper_are_judged_too(self) -> None:
        encoded = on_release("gfp_compaction_allowed(GFP_NOFS)", "6.12", Selection())
        assert {v.answer.value: {c["CONFIG_COMPACTION"] for c in v.configs} for v in encoded.values} == {
            0: {False},
            1: {True},
        }

    def test_a_zone_has_a_name_and_no_number(self) -> None:
        encoded = on_release("gfp_zone(GFP_DMA)", "6.12", Selection({"CONFIG_ZONE_DMA": True}))
        assert {(v.answer.value, v.answer.name) for v in encoded.values} == {(None, "ZONE_DMA")}
        assert any("CONFIG_HIGHMEM is off" in note for note in encoded.notes)

    def test_a_bug_is_no_value(self, run: Run) -> None:
        status, out, _ = run("encode", "-q", "--release", "6.12", "gfp_zone(__GFP_DMA|__GFP_HIGHMEM)")
        assert (status, out) == (0, "BUG fires\n")

    def test_a_warning_is_told(self, run: Run) -> None:
        out = run("encode", "-q", "--release", "6.12", "gfp_migratetype(__GFP_MOVABLE|__GFP_RECLAIMABLE)")[1]
        assert out == "3 and WARN fires\n"

    @pytest.mark.parametrize(
        ("text", "release", "says"),
        [
            ("gfp_nested_mask(0)", "6.1", "no helper of v6.1"),
            ("gfp_nested_msk(0)", "6.12", "near: gfp_nested_mask"),
            ("current_gfp_context(0)", "6.12", "has no model"),
            ("1|foo(0)", "6.12", "no helper of v6.12"),
        ],
    )
    def test_a_helper_that_is_not_there(self, text: str, release: str, says: str) -> None:
        with pytest.raises(UncallableError, match=re.escape(says)) as caught:
            value(text, release)
        assert caught.value.at == text.index(caught.value.helper)

    @pytest.mark.parametrize("text", ["gfp_zone(1)|2", "~gfp_zone(1)", "gfp_nested_mask(gfp_zone(1))", "gfp_zone(3)&1"])
    def test_what_is_no_mask_stands_alone(self, text: str) -> None:
        with pytest.raises(ExpressionError, match="gives no mask"):
            value(text)


@pytest.mark.kernels
class TestHelpersOfASource:
    """On a source the compiled helper answers."""

    @pytest.fixture
    def on_source(self, headers_6_12: Path) -> Callable[[str], Encoded]:
        def call(text: str) -> Encoded:
            source = sources.tree(headers_6_12)
            tables = of_source(source, Selection(), WANTED)
            with opened(source, Selection(), WANTED, jobs=1) as session:
                return encode(text, tables, CompiledHelpers(session, tables))

        return call

    @pytest.mark.parametrize(
        "text",
        [
            "gfp_nested_mask(GFP_NOFS|__GFP_ZERO|__GFP_NOLOCKDEP)",
            "gfp_compaction_allowed(GFP_NOFS)",
            "gfpflags_allow_blocking(GFP_ATOMIC)",
            "gfp_migratetype(__GFP_MOVABLE|__GFP_RECLAIMABLE)",
            "gfp_zone(3)",
            "gfp_nested_mask(~0) & ~__GFP_IO",
        ],
    )
    def test_it_agrees_with_the_model(self, on_source: Callable[[str], Encoded], text: str) -> None:
        compiled, modelled = on_source(text), on_release(text, "6.12", Selection())
        assert [(v.answer.value, v.answer.bug, v.answer.warned, v.flags) for v in compiled.values] == [
            (v.answer.value, v.answer.bug, v.answer.warned, v.flags) for v in modelled.values
        ]

    def test_a_zone_has_the_compiled_number(self, on_source: Callable[[str], Encoded]) -> None:
        encoded = on_source("gfp_zone(0)")
        assert {v.answer.name for v in encoded.values} == {"ZONE_NORMAL"}
        assert {v.answer.value for v in encoded.values} == {0, 1, 2}

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("no_such_helper(0)", "has no helper no_such_helper()"),
            ("gfp_zonelst(0)", "near: gfp_zonelist"),
            ("alloc_pages_node_noprof(0)", "cannot be called"),
        ],
    )
    def test_a_helper_that_cannot_be_called(self, on_source: Callable[[str], Encoded], text: str, says: str) -> None:
        with pytest.raises(UncallableError, match=re.escape(says)):
            on_source(text)

    def test_a_helper_that_crashes_is_said_to(self, run: Run, copy_tree: Copy, headers_6_12: Path) -> None:
        tree = copy_tree(headers_6_12)
        header = tree / "include/linux/gfp.h"
        text = header.read_text()
        head = text.index("gfp_nested_mask(gfp_t flags)")
        body = text.index("{", head) + 1
        header.write_text(text[:body] + "\n\tif (flags == 0x42) __builtin_trap();\n" + text[body:])
        assert run("encode", "-q", "--source", tree, "gfp_nested_mask(1)")[0] == 0
        status, _, err = run("encode", "-q", "--source", tree, "gfp_nested_mask(0x42)")
        assert status == 3
        assert "gfp_nested_mask crashes with" in err


class TestOutput:
    def test_quiet_is_the_value_alone(self, run: Run) -> None:
        assert run("encode", "-q", "--release", "6.12", "GFP_KERNEL")[1] == "0xcc0\n"

    def test_text_has_the_names(self, run: Run) -> None:
        out = run("encode", "--release", "6.12", "GFP_KERNEL|__GFP_ZERO")[1]
        assert out.splitlines()[-1] == "0xdc0  GFP_KERNEL|__GFP_ZERO"

    def test_values_name_their_configurations(self, run: Run) -> None:
        out = run("encode", "--release", "6.12", "__GFP_NOLOCKDEP")[1]
        assert "0x0        none  (without LOCKDEP)" in out
        assert "(with KASAN_HW_TAGS and LOCKDEP)" in out

    def test_json(self, run: Run) -> None:
        status, out, _ = run("encode", "--format", "json", "--release", "6.12", "GFP_NOFS", "gfp_zone(3)")
        found = json.loads(out)
        assert (found["schema"], found["exit"], status) == ("pygfp.encode/1", 0, 0)
        first, second = (e["values"][0] for e in found["expressions"])
        assert (first["value"], first["names"], first["unknown"]) == ("0xc40", "GFP_NOFS", "0x0")
        assert (second["value"], second["bug"]) == (None, True)

    def test_an_output_that_is_a_directory_is_refused(self, run: Run, tmp_path: Path) -> None:
        assert run("encode", "--release", "6.12", "GFP_NOFS", "-o", tmp_path)[0] == 2

    def test_nothing_is_opened_without_a_call(self, bundled_tree: Path) -> None:
        tables = of_source(sources.tree(bundled_tree), OFF, WANTED)
        (only,) = encode("GFP_KERNEL", tables, NoHelpers()).values
        assert only.answer.value == 0xCC0
