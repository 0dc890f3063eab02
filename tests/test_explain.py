# SPDX-License-Identifier: GPL-2.0-only
"""What names mean and why: flags, composites, and helpers with the proof of what they do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pygfp.explaining import history
from pygfp.model import glossary
from pygfp.model.helpers import HELPERS
from pygfp.model.policy import NESTED
from pygfp.model.reclaim import reclaim_context
from pygfp.releases import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Copy = Callable[[Path], Path]
    Explain = Callable[..., str]
    Run = Callable[..., tuple[int, str, str]]


def folded(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def explain(run: Run) -> Callable[..., str]:
    """Return a function that gives the text of an explanation, white space folded."""

    def call(*arguments: object) -> str:
        status, out, err = run("explain", *arguments)
        assert status == 0, err
        return folded(out)

    return call


@pytest.fixture
def explain_json(run: Run) -> Callable[..., dict[str, Any]]:
    def call(*arguments: object) -> dict[str, Any]:
        status, out, err = run("explain", "--format", "json", *arguments)
        assert status == 0, err
        found: dict[str, Any] = json.loads(out)
        assert found["schema"] == "pygfp.explain/1"
        return found

    return call


class TestGlossary:
    """Every name of every release has a description."""

    def test_every_flag(self) -> None:
        assert {f for row in rows() for f in row.flags} <= set(glossary.FLAGS)

    def test_every_composite(self) -> None:
        assert {c for row in rows() for c in row.composites} <= set(glossary.COMPOSITES)

    def test_every_helper_of_the_model(self) -> None:
        assert {h.name for h in HELPERS} == set(glossary.HELPERS)

    def test_flags_are_those_that_the_policy_knows(self) -> None:
        assert set(glossary.FLAGS) == set(NESTED)


class TestReclaimContext:
    """Worked out by hand from the documentation of the composites."""

    @pytest.mark.parametrize(
        ("composite", "short"),
        [
            ("GFP_KERNEL", "may sleep, do I/O and enter the file system"),
            ("GFP_NOFS", "may sleep and do I/O, not enter the file system"),
            ("GFP_NOIO", "may sleep, not do I/O nor enter the file system"),
            ("GFP_ATOMIC", "may not sleep"),
            ("GFP_NOWAIT", "may not sleep"),
            ("GFP_DMA", "may not sleep, no reclaim"),
        ],
    )
    def test_reclaim(self, composite: str, short: str) -> None:
        assert reclaim_context(rows()[-1].composites[composite]).short == short

    @pytest.mark.parametrize(
        ("flags", "statement"),
        [
            ({"__GFP_HIGH"}, "may use part of the reserve"),
            ({"__GFP_MEMALLOC"}, "may use every reserve"),
            ({"__GFP_MEMALLOC", "__GFP_NOMEMALLOC"}, "the emergency reserves stay closed"),
            ({"__GFP_HIGH", "__GFP_NOMEMALLOC"}, "the emergency reserves stay closed, part of the reserve is open"),
            ({"__GFP_NOWARN"}, "fails silently"),
            (set(), "a failure is logged"),
            ({"__GFP_DIRECT_RECLAIM", "__GFP_NORETRY"}, "gives up early"),
            ({"__GFP_DIRECT_RECLAIM", "__GFP_NOFAIL"}, "tries for ever"),
            ({"__GFP_DIRECT_RECLAIM", "__GFP_NOFAIL", "__GFP_NORETRY"}, "NOFAIL and NORETRY contradict each other"),
            ({"__GFP_NOFAIL"}, "NOFAIL without DIRECT_RECLAIM cannot be kept"),
            ({"__GFP_DMA32"}, "zone DMA32 or below"),
            ({"__GFP_HIGHMEM", "__GFP_MOVABLE"}, "zone MOVABLE or below"),
            ({"__GFP_MOVABLE"}, "zone NORMAL or below, movable pages"),
            ({"__GFP_DMA", "__GFP_HIGHMEM"}, "no zone: DMA and HIGHMEM exclude each other"),
        ],
        # A set prints in another order in every process, and workers must agree on ids.
        ids=lambda value: value if isinstance(value, str) else "|".join(sorted(value)),
    )
    def test_statements(self, flags: set[str], statement: str) -> None:
        assert statement in reclaim_context(flags).words()

    def test_io_without_sleeping_is_no_io(self) -> None:
        assert not reclaim_context({"__GFP_IO", "__GFP_FS"}).io


class TestHistory:
    @pytest.mark.parametrize(
        ("flag", "eras"),
        [
            ("__GFP_ATOMIC", {"v4.19": "bit 19", "v5.4": "bit 9", "v6.5": ""}),
            ("__GFP_IO", {"v4.19": "bit 6"}),
            (
                "__GFP_NO_OBJ_EXT",
                {
                    "v4.19": "",
                    "v6.10": "bit 24 with SLAB_OBJ_EXT, without KASAN_HW_TAGS and LOCKDEP; "
                    "bit 25 with LOCKDEP and SLAB_OBJ_EXT, without KASAN_HW_TAGS; "
                    "bit 26 with KASAN_HW_TAGS and SLAB_OBJ_EXT, without LOCKDEP; "
                    "bit 27 with KASAN_HW_TAGS, LOCKDEP and SLAB_OBJ_EXT",
                    "v6.19": "bit 24 without KASAN_HW_TAGS and LOCKDEP; bit 25 with LOCKDEP, without KASAN_HW_TAGS; "
                    "bit 26 with KASAN_HW_TAGS, without LOCKDEP; bit 27 with KASAN_HW_TAGS and LOCKDEP",
                    "v7.3": "",
                },
            ),
        ],
    )
    def test_of_a_flag(self, flag: str, eras: dict[str, str]) -> None:
        assert {era.releases[0]: era.text for era in history.flag(flag)} == eras

    def test_eras_cover_every_release_once(self) -> None:
        for find, name in ((history.flag, "__GFP_NOLOCKDEP"), (history.composite, "GFP_NOWAIT")):
            assert [r for era in find(name) for r in era.releases] == [row.name for row in rows()]

    def test_nowait_gained_nowarn(self) -> None:
        texts = [era.text for era in history.composite("GFP_NOWAIT")]
        assert texts == ["KSWAPD_RECLAIM", "KSWAPD_RECLAIM NOWARN"]

    def test_what_was_not_recorded_is_not_called_absent(self) -> None:
        assert {e.text for e in history.helper("gfp_zone")} == {"include/linux/gfp.h", history.NOT_RECORDED}


class TestRelease:
    def test_a_composite(self, explain: Explain) -> None:
        text = explain("GFP_NOFS", "--release", "6.12")
        assert "value 0xc40 GFP_NOFS may sleep and do I/O, not enter the file system" in text
        assert "DIRECT_RECLAIM the caller may reclaim memory itself" in text

    def test_a_composite_and_a_mask(self, explain: Explain) -> None:
        assert "has it no, lacks FS" in explain("GFP_KERNEL", "GFP_NOFS", "--release", "6.12")
        assert "has it yes, besides ZERO" in explain("GFP_KERNEL", "0xdc0", "--release", "6.12")

    def test_a_flag(self, explain: Explain) -> None:
        text = explain("__GFP_NOLOCKDEP", "--release", "6.12")
        assert "0x0 it is off (without LOCKDEP)" in text
        assert "0x4000000 bit 26 (with KASAN_HW_TAGS and LOCKDEP)" in text
        assert "kept in a nested allocation" in text
        assert "v4.19 to v5.10 bit 23 with LOCKDEP" in text

    def test_a_flag_of_other_releases(self, explain: Explain) -> None:
        text = explain("__GFP_ATOMIC", "--release", "6.12")
        assert "this kernel does not have it" in text
        assert "v5.4 to v6.2 bit 9" in text

    def test_masks_of_the_allocator_have_no_context(self, explain: Explain) -> None:
        assert "may sleep" not in explain("GFP_ZONEMASK", "--release", "6.12")

    def test_a_helper_of_the_model_is_not_called_proven(self, explain: Explain) -> None:
        text = explain("gfp_nested_mask", "--release", "6.12")
        assert "proof from the model" in text
        assert "compiled code" not in text

    def test_a_helper_says_what_it_does_not_promise(self, explain: Explain) -> None:
        text = explain("gfp_nested_mask()", "--release", "6.12")
        assert "grants the minimum reserve on HIGH without a look at NOMEMALLOC" in text
        assert "waking kswapd takes locks" in text
        assert "may spin all the same" in text

    @pytest.mark.parametrize(
        ("helper", "answer"),
        [
            ("gfp_has_io_fs", "true with all of IO FS"),
            ("gfpflags_allow_blocking", "true with DIRECT_RECLAIM"),
            ("gfp_compaction_allowed", "always 0 (without COMPACTION) answer true with IO (with COMPACTION)"),
            ("gfp_zone", "DMA ZONE_NORMAL without ZONE_DMA; ZONE_DMA with ZONE_DMA HIGHMEM ZONE_NORMAL"),
            ("gfp_zone", "DMA HIGHMEM BUG fires"),
            ("gfp_migratetype", "MOVABLE RECLAIMABLE 3 and WARN fires"),
            ("gfp_zonelist", "ZONELIST_FALLBACK without NUMA; ZONELIST_NOFALLBACK with NUMA"),
        ],
    )
    def test_predicates_and_tables(self, explain: Explain, helper: str, answer: str) -> None:
        assert answer in explain(helper, "--release", "6.12")

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("__GFP_NOSUCH", "__GFP_NOSUCH is not defined here"),
            ("GFP_KERNAL", "near: GFP_KERNEL"),
            ("gfp_nosuch", "no helper of v6.12"),
            ("", "expected the name"),
            ("gfp_zone(1)|gfp_zone", "expected the name"),
            ("GFP_KERNEL|__GFP_ZERO", "expected the name"),
        ],
    )
    def test_a_name_that_nothing_has(self, run: Run, name: str, says: str) -> None:
        status, out, err = run("explain", name, "--release", "6.12")
        assert (status, out) == (2, "")
        assert says in err

    def test_a_mask_that_cannot_be_read(self, run: Run) -> None:
        assert run("explain", "GFP_KERNEL", "(1", "--release", "6.12")[0] == 2

    def test_an_output_that_is_a_directory_is_refused(self, run: Run, tmp_path: Path) -> None:
        assert run("explain", "GFP_KERNEL", "--release", "6.12", "-o", tmp_path)[0] == 2


def picture(text: str) -> dict[str, str]:
    """Flag to what its row shows: what is there before and after."""
    return dict(re.findall(r"^  (\w+) +(o-----o|o--x|\+-o) ", text, re.MULTILINE))


class TestPicture:
    """Flags as rows, before and after; with a mask, only what it has or gets."""

    def test_kept_dropped_and_forced(self, run: Run) -> None:
        rows_ = picture(run("explain", "gfp_nested_mask", "GFP_NOFS|__GFP_ZERO", "--release", "7.3")[1])
        assert rows_ == {
            **dict.fromkeys(("IO", "DIRECT_RECLAIM", "KSWAPD_RECLAIM"), "o-----o"),
            "ZERO": "o--x",
            **dict.fromkeys(("NOWARN", "NORETRY", "NOMEMALLOC"), "+-o"),
        }

    def test_a_forced_flag_that_was_there_stays(self, run: Run) -> None:
        assert picture(run("explain", "gfp_nested_mask", "__GFP_NOWARN", "--release", "7.3")[1])["NOWARN"] == "o-----o"

    def test_without_a_mask_every_flag_has_a_row(self, run: Run) -> None:
        shown = picture(run("explain", "gfp_nested_mask", "--release", "7.3")[1])
        assert {f"__GFP_{flag}" for flag in shown} == set(rows()[-1].flags)

    def test_before_and_after_are_shown(self, run: Run) -> None:
        text = folded(run("explain", "gfp_nested_mask", "GFP_NOFS|__GFP_ZERO", "--release", "7.3")[1])
        assert "before 0xd40 GFP_NOFS|__GFP_ZERO" in text
        assert "after 0x92c40 GFP_NOFS|__GFP_NOWARN|__GFP_NORETRY|__GFP_NOMEMALLOC" in text


@pytest.mark.kernels
class TestSource:
    """On a source what a helper does is proven on every input."""

    def test_the_form_is_proven(self, explain_json: Callable[..., dict[str, Any]], headers_6_12: Path) -> None:
        found = explain_json("gfp_nested_mask", "--source", headers_6_12)
        assert found["proof"].startswith("the compiled code answers so on every one of 268,435,456 inputs")
        assert found["file"] == "include/linux/gfp.h"
        fates = {t["flag"]: {f["fate"] for f in t["fates"]} for t in found["flags"]}
        assert fates == {flag: {NESTED[flag][0].value} for flag in rows()[12].flags}

    def test_a_changed_filter_is_shown_against_the_policy(
        self, run: Run, explain_json: Callable[..., dict[str, Any]], headers_6_12: Path, copy_tree: Copy
    ) -> None:
        tree = copy_tree(headers_6_12)
        header = tree / "include/linux/gfp.h"
        text = header.read_text()
        assert text.count("| __GFP_NOLOCKDEP)") == 1
        header.write_text(text.replace("| __GFP_NOLOCKDEP)", "| __GFP_NOLOCKDEP | __GFP_ZERO)"))
        (zero,) = [t for t in explain_json("gfp_nested_mask", "--source", tree)["flags"] if t["flag"] == "__GFP_ZERO"]
        assert ([f["fate"] for f in zero["fates"]], zero["expected"]) == (["keep"], "drop")
        out = folded(run("explain", "gfp_nested_mask", "--source", tree)[1])
        assert "kept; the policy wants it dropped" in out

    def test_a_helper_without_a_model_is_mined(self, explain: Explain, headers_6_12: Path, copy_tree: Copy) -> None:
        tree = copy_tree(headers_6_12)
        header = tree / "include/linux/gfp.h"
        added = "static inline bool gfp_is_new(gfp_t x)\n{\n\treturn x & __GFP_ZERO;\n}\n"
        header.write_text(header.read_text().replace("#endif /* __LINUX_GFP_H */", added + "#endif"))
        text = explain("gfp_is_new", "--source", tree)
        assert "pygfp has no description of it" in text
        assert "true with ZERO" in text
        assert "on every one of" in text

    def test_a_helper_that_hangs_or_crashes_is_said_to(self, run: Run, headers_6_12: Path, copy_tree: Copy) -> None:
        tree = copy_tree(headers_6_12)
        header = tree / "include/linux/gfp.h"
        text = header.read_text()
        at = text.index("{", text.index("gfp_has_io_fs(gfp_t")) + 1
        header.write_text(text[:at] + "\n\tif (gfp & __GFP_WRITE) __builtin_trap();\n" + text[at:])
        status, _, err = run("explain", "gfp_has_io_fs", "--source", tree)
        assert status == 3
        assert "gfp_has_io_fs crashes with" in err

    def test_bits_beyond_the_proof_are_not_spoken_of(self, explain: Explain, headers_6_12: Path) -> None:
        text = explain("gfp_nested_mask", "--source", headers_6_12)
        assert "no flag o--x dropped: every bit without a flag, below bit 28" in text

    def test_zones_carry_the_names_of_the_tree(self, explain: Explain, headers_6_12: Path) -> None:
        assert "HIGHMEM MOVABLE ZONE_MOVABLE" in explain("gfp_zone", "--source", headers_6_12)

    def test_a_flag_has_its_place(self, explain: Explain, headers_6_12: Path) -> None:
        assert "__GFP_IO include/linux/gfp_types.h:" in explain("__GFP_IO", "--source", headers_6_12)
