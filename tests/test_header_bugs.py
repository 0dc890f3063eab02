# SPDX-License-Identifier: GPL-2.0-only
"""
Header edits that went wrong in the kernel's history, made again: the line that ``pygfp diff`` or ``check`` prints.

Each class is one real case in our own words.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import breaks
import differ
import pytest
from breaks import GFP, TYPES, _span
from edits import sub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

BUNDLED = breaks.ROOT / "csrc"
TRACE = "include/trace/events/mmflags.h"
FLAGS_OFF = tuple(a for s in ("KASAN_HW_TAGS", "SLAB_OBJ_EXT") for a in ("--set", f"CONFIG_{s}=n"))


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Return a function that writes a header and an edit of it to trees, and gives both."""

    def call(
        origin: Path, *pairs: tuple[str, str], file: str = GFP, place: str = "", count: int = 1
    ) -> tuple[Path, Path]:
        texts = differ.texts_of(origin)
        edited = sub("replay", file, place, *pairs, count=count).apply(texts, random.Random(0))
        return differ.written(tmp_path / "old", texts), differ.written(tmp_path / "new", edited)

    return call


def lines(out: str) -> list[str]:
    """What is printed, a statement a line, folded lines joined."""
    joined: list[str] = []
    for line in out.splitlines():
        if joined and line.startswith("      ") and not line.strip().startswith(("smallest", "old ", "new ", "first")):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.strip())
    return joined


class TestShiftCountedFlags:
    """Row 1, mended in 5.18: the shift was a count of flags, so NOLOCKDEP fell out of the mask in one configuration."""

    def test_diff_names_the_one_configuration(
        self, headers_6_1: Path, made: Callable[..., tuple[Path, Path]], run: Run
    ) -> None:
        old, new = made(
            headers_6_1,
            (
                r"(define __GFP_BITS_SHIFT )\(.*\)",
                r"\1(24 + 3 * IS_ENABLED(CONFIG_KASAN_HW_TAGS) + IS_ENABLED(CONFIG_LOCKDEP))",
            ),
            file=TYPES,
        )
        status, out, _ = run("diff", old, new)
        assert status == 1
        said = lines(out)
        assert "- __GFP_NOLOCKDEP when not CONFIG_KASAN_HW_TAGS and CONFIG_LOCKDEP" in said
        assert "28 -> 25 when not CONFIG_KASAN_HW_TAGS and CONFIG_LOCKDEP" in said
        at = said.index("Fails on the new side, and did not on the old one")
        assert any("layout.inside-mask" in line for line in said[at:])


class TestTraceTableGuard:
    """Row 5, 6.19 and 7.2: NO_OBJ_EXT lost its condition in the header, and kept it in the trace table."""

    def test_diff_says_where_the_flag_exists(
        self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run
    ) -> None:
        old, new = made(headers_6_12, (r"#ifdef CONFIG_SLAB_OBJ_EXT", "#if 1"), file=TYPES, count=2)
        status, out, _ = run("diff", old, new)
        assert status == 1
        assert "exists when CONFIG_SLAB_OBJ_EXT -> exists always" in lines(out)

    def test_the_trace_table_does_not_count_as_a_meaning(
        self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run
    ) -> None:
        """The table is compared with the header by ``pygfp coherence``."""
        old, new = made(headers_6_12, (r"\A", "\n"), file=TRACE)
        assert run("diff", old, new)[0] == 0


class TestMissingInclude:
    """Row 7: gfp_types.h used BIT() and did not include what defines it."""

    def test_diff(self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run) -> None:
        old, new = made(headers_6_12, (r"#include <linux/bits.h>\n", ""), file=TYPES)
        status, out, _ = run("diff", old, new, *differ.ONE)
        assert status == 1
        said = [line for line in lines(out) if line.startswith("gfp_types.h does not compile by itself")]
        assert said
        assert "'BIT'" in said[0]


class TestMaskForTruth:
    """Row 9: a predicate returned the masked flags and not a truth value."""

    def test_diff(self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run) -> None:
        old, new = made(
            headers_6_12,
            (r"static inline bool (gfpflags_allow_blocking)", r"static inline int \1"),
            (r"!!\((gfp_flags & __GFP_DIRECT_RECLAIM)\)", r"(\1)"),
        )
        status, out, _ = run("diff", old, new, *differ.ONE)
        assert status == 1
        said = lines(out)
        assert "__GFP_DIRECT_RECLAIM 1 -> 1024" in said
        assert "signature bool gfpflags_allow_blocking(gfp_t) -> int gfpflags_allow_blocking(gfp_t)" in said
        assert "a result is not one of 0, 1" in said

    def test_returned_as_bool_it_is_no_change(
        self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run
    ) -> None:
        old, new = made(headers_6_12, ("!!", ""), place="gfpflags_allow_blocking()")
        assert run("diff", old, new, *differ.ONE)[0] == 0


class TestZoneTableWidened:
    """Row 10: a zone without a flag of its own made the entries wider, and the table ran out of the word."""

    def test_the_kernels_own_check_stops_the_build(
        self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run
    ) -> None:
        old, new = made(headers_6_12, (r"define GFP_ZONES_SHIFT 2", "define GFP_ZONES_SHIFT 5"))
        status, out, _ = run("diff", old, new, *FLAGS_OFF)
        assert status == 1
        said = lines(out)
        assert any(
            line.startswith("cannot be built any more") and "GFP_ZONES_SHIFT too large" in line for line in said
        ), said

    def test_without_that_check_the_zones_differ(
        self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run
    ) -> None:
        old, new = made(
            headers_6_12,
            (r"#if 16 \* GFP_ZONES_SHIFT > BITS_PER_LONG", "#if 0"),
            (r"define GFP_ZONES_SHIFT ZONES_SHIFT", "define GFP_ZONES_SHIFT 5"),
        )
        status, out, _ = run("diff", old, new, *differ.ONE)
        assert status == 1
        said = lines(out)
        # Entry 15 of 16 would be past the word; the last one in use, for MOVABLE and DMA32, is the twelfth.
        assert any(line.startswith("changed  include/linux/gfp.h:") and line.endswith("gfp_zone") for line in said), out


class TestReclaimMask:
    """Row 11: a list of flags in mm/internal.h lacked NOLOCKDEP for years."""

    def test_diff(self, source_6_12: Path, tmp_path: Path, run: Run) -> None:
        texts = differ.texts_of(source_6_12) | {
            "mm/internal.h": (source_6_12 / "mm/internal.h").read_text(encoding="utf-8")
        }
        edit = sub("replay", "mm/internal.h", "GFP_RECLAIM_MASK", (r"\|(\s*(?:\\\n)?\s*)__GFP_NOLOCKDEP", r"\1"))
        edited = edit.apply(texts, random.Random(0))
        old, new = differ.written(tmp_path / "old", texts), differ.written(tmp_path / "new", edited)
        status, out, _ = run("diff", old, new)
        assert status == 1
        said = lines(out)
        changed = [line for line in said if line.endswith(": GFP_RECLAIM_MASK")]
        assert [line.partition(":")[0] for line in changed] == ["changed  mm/internal.h"]
        assert "- __GFP_NOLOCKDEP when CONFIG_LOCKDEP" in said
        assert said[-1].startswith("CHANGED: 1 changed, 2 checks fail that did not; ")


class TestNolockdepDropped:
    """Row 12: the filters of kmemleak, stack depot and page owner each lacked NOLOCKDEP."""

    def test_diff(self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run) -> None:
        old, new = made(headers_6_12, (r" \| __GFP_NOLOCKDEP", ""), place="gfp_nested_mask()")
        status, out, _ = run("diff", old, new, *FLAGS_OFF)
        assert status == 1
        said = lines(out)
        assert "__GFP_NOLOCKDEP keep -> drop when CONFIG_LOCKDEP" in said
        assert any("law.gfp_nested_mask.keeps-nolockdep" in line for line in said)


class TestNofailForced:
    """Row 13, reverted at once: kmemleak forced NOFAIL together with NORETRY."""

    @pytest.mark.parametrize("tree", ["6.12", "bundled"])
    def test_diff(
        self, tree: str, request: pytest.FixtureRequest, made: Callable[..., tuple[Path, Path]], run: Run
    ) -> None:
        origin = BUNDLED if tree == "bundled" else request.getfixturevalue("headers_6_12")
        old, new = made(origin, (r"__GFP_NORETRY \|", "__GFP_NORETRY | __GFP_NOFAIL |"), place="gfp_nested_mask()")
        status, out, _ = run("diff", old, new, *differ.ONE)
        assert status == 1
        said = lines(out)
        assert "__GFP_NOFAIL drop -> force" in said
        assert any("law.gfp_nested_mask.fails-fast" in line for line in said)


class TestNowaitGainedNowarn:
    """Row 15: GFP_NOWAIT silently gained NOWARN, and documents and users lagged."""

    def test_diff(self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run) -> None:
        new, old = made(headers_6_12, (r" \| __GFP_NOWARN", ""), file=TYPES, place="GFP_NOWAIT")
        status, out, _ = run("diff", old, new, *differ.ONE)
        assert status == 1
        said = lines(out)
        at = next(n for n, line in enumerate(said) if line.endswith(": GFP_NOWAIT"))
        assert said[at + 1] == "+ __GFP_NOWARN"
        assert said[-1].startswith("CHANGED: 1 changed; ")

    def test_as_one_line_for_a_bot(self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run) -> None:
        new, old = made(headers_6_12, (r" \| __GFP_NOWARN", ""), file=TYPES, place="GFP_NOWAIT")
        text = (new / TYPES).read_text(encoding="utf-8")
        line = text[: _span(text, "GFP_NOWAIT")[0]].count("\n") + 1
        assert f"{TYPES}:{line}: WARNING: GFP_NOWAIT: + __GFP_NOWARN\n" in run("diff", "-q", old, new, *differ.ONE)[1]


class TestDrifted:
    """Row 19: a copy of gfp_types.h in tools/ drifts from the header that it was copied from."""

    def test_diff_of_the_two(self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run) -> None:
        header, copy = made(headers_6_12, (r"\t___GFP_UNUSED_BIT,.*\n", ""), (r" \| __GFP_HARDWALL\)", ")"), file=TYPES)
        status, out, _ = run("diff", header, copy, *differ.ONE)
        assert status == 1
        said = lines(out)
        assert "bit 10 -> 9" in said
        assert "- __GFP_HARDWALL" in said
        assert "moved    include/linux/gfp_types.h" in out


class TestResultOutsideItsRange:
    """Row 20: a mask with both mobility flags gives a migrate type outside the documented set."""

    def test_that_it_warns_no_more_is_said(
        self, headers_6_12: Path, made: Callable[..., tuple[Path, Path]], run: Run
    ) -> None:
        old, new = made(headers_6_12, (r"VM_WARN_ON\(.*\);", ""), place="gfp_migratetype()")
        status, out, _ = run("diff", old, new, *differ.ONE)
        assert status == 1
        said = lines(out)
        assert "WARN: __GFP_MOVABLE|__GFP_RECLAIMABLE WARN -> no WARN" in said
        assert "old       MIGRATE_HIGHATOMIC and WARN fires" in said
        assert "new       MIGRATE_HIGHATOMIC" in said
        assert any("range.gfp_migratetype" in line for line in said)
