# SPDX-License-Identifier: GPL-2.0-only
"""
The filters of nested allocations against the laws: eras, real trees, and trees that are broken by hand.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from pygfp.nesting import history as module
from pygfp.sources import WATCHED, csrc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

CONTEXT = {"__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM", "__GFP_HIGH"}
MANNERS = {"__GFP_NORETRY", "__GFP_NOMEMALLOC", "__GFP_NOWARN"}
LOCKDEP = {"__GFP_NOLOCKDEP"}
ATOMIC = {"__GFP_ATOMIC"}
OLD = ["keeps-nolockdep", "fails-fast", "spares-reserves"]

#: From the history of the three places, worked out by hand: keep, force, broken laws.
ERAS: dict[str, tuple[set[str], set[str], list[str]]] = {
    "kmemleak, up to 5.2": (CONTEXT | ATOMIC, MANNERS | {"__GFP_NOFAIL"}, ["keeps-nolockdep", "fails-fast"]),
    "kmemleak, 5.3 to 5.14": (CONTEXT | ATOMIC, MANNERS, ["keeps-nolockdep"]),
    "kmemleak, 5.15 to 6.9": (CONTEXT | ATOMIC | LOCKDEP, MANNERS, []),
    "stack depot, 4.19 to 6.8": (CONTEXT | ATOMIC, {"__GFP_NOWARN"}, OLD),
    "stack depot, 6.9": (CONTEXT | LOCKDEP, {"__GFP_NOWARN"}, OLD[1:]),
    "page owner, early 6.9": (CONTEXT, {"__GFP_NOWARN"}, OLD),
    "page owner, 6.9.0": (CONTEXT | LOCKDEP, {"__GFP_NOWARN"}, OLD[1:]),
    "all three, 6.10 on": (CONTEXT | LOCKDEP, MANNERS, []),
}


REPORTS: dict[tuple[object, ...], dict[str, Any]] = {}


@pytest.fixture
def nested_json(run: Run) -> Callable[..., dict[str, Any]]:
    def call(*arguments: object, altered: bool = True) -> dict[str, Any]:
        """The report; what is not *altered* is judged once for all tests."""
        if not altered and arguments in REPORTS:
            return REPORTS[arguments]
        status, out, err = run("nested", "--format", "json", *arguments)
        assert out, err
        report: dict[str, Any] = json.loads(out)
        assert report["exit"] == status
        if not altered:
            REPORTS[arguments] = report
        return report

    return call


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    """Return a function that copies what a verdict may depend on, to be broken by hand."""

    def copy(tree: Path) -> Path:
        target = tmp_path / "tree"
        for path in WATCHED:
            if (tree / path).is_file():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(tree / path, target / path)
        return target

    return copy


def change(tree: Path, file: str, old: str, new: str) -> None:
    text = (tree / file).read_text()
    assert old in text
    (tree / file).write_text(text.replace(old, new))


def named(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(f for f in report["filters"] if f["name"].startswith(name))


class TestHistory:
    def test_every_era_is_the_filter_of_its_time(self, nested_json: Callable[..., dict[str, Any]]) -> None:
        report = nested_json("--history", altered=False)
        seen = {f["name"]: (set(f["keep"]), set(f["force"]), f["breaks"]) for f in report["filters"]}
        assert seen == ERAS
        assert report["exit"] == 0

    def test_every_flag_has_a_fate(self, nested_json: Callable[..., dict[str, Any]]) -> None:
        for one in nested_json("--history", altered=False)["filters"]:
            every = [*one["keep"], *one["drop"], *one["force"]]
            assert len(every) == len(set(every))
            assert len(every) in {26, 27}  # the flags of 7.3, and ATOMIC where that was one

    def test_clearing_the_zone_first_is_redundant(self, nested_json: Callable[..., dict[str, Any]]) -> None:
        claims = [c for c in nested_json("--history", altered=False)["claims"] if c["id"] == "zone-clear-redundant"]
        assert len(claims) == len(ERAS)
        assert all(c["holds"] for c in claims)

    def test_a_broken_law_has_its_smallest_input(self, nested_json: Callable[..., dict[str, Any]]) -> None:
        one = named(nested_json("--history", altered=False), "kmemleak, 5.3")
        smallest = one["laws"]["keeps-nolockdep"]["smallest"]
        assert (smallest["input_names"], smallest["actual"]) == ("__GFP_NOLOCKDEP", "0x92000")
        assert one["laws"]["fails-fast"] == {"holds": True, "smallest": None}

    def test_an_era_that_breaks_other_laws_than_known_is_a_finding(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(csrc(), tmp_path / "csrc")
        change(tmp_path / "csrc", "history/filters.h", "__GFP_NORETRY | __GFP_NOWARN)", "__GFP_NOWARN)")
        monkeypatch.setattr(module.sources, "csrc", lambda: tmp_path / "csrc")
        status, out, _ = run("nested", "--history")
        assert status == 1
        assert "NOT AS KNOWN" in out

    def test_a_source_beside_it_is_wrong_usage(self, run: Run, tmp_path: Path) -> None:
        status, _, err = run("nested", "--history", tmp_path)
        assert status == 2
        assert "--history" in err


class TestBundled:
    def test_the_filter_of_the_bundled_subset_holds(self, nested_json: Callable[..., dict[str, Any]]) -> None:
        report = nested_json("bundled")
        (one,) = report["filters"]
        assert (set(one["keep"]), set(one["force"])) == (CONTEXT | LOCKDEP, MANNERS)
        assert report["exit"] == 0
        assert any("lib/stackdepot.c is not in this source" in note for note in report["notes"])

    def test_a_filter_that_keeps_a_zone_breaks_the_law_and_the_claim(
        self, nested_json: Callable[..., dict[str, Any]], bundled_tree: Path
    ) -> None:
        change(bundled_tree, "include/linux/gfp.h", "__GFP_HIGH | __GFP_NOLOCKDEP;", "__GFP_HIGH | __GFP_DMA;")
        report = nested_json(bundled_tree)
        assert report["exit"] == 1
        assert named(report, "gfp_nested_mask")["breaks"] == ["keeps-nolockdep", "no-zone"]
        claim = next(c for c in report["claims"] if c["id"] == "zone-clear-redundant")
        assert claim["holds"] is False
        assert claim["witness"] == "0x1 GFP_DMA"

    def test_a_law_that_breaks_in_some_configurations_says_so(self, run: Run, bundled_tree: Path) -> None:
        change(bundled_tree, "include/linux/gfp.h", "__GFP_HIGH | __GFP_NOLOCKDEP;", "__GFP_HIGH;")
        status, out, _ = run("nested", bundled_tree)
        assert status == 1
        assert "keeps-nolockdep (in 2 of 4 configurations)" in out

    def test_a_source_without_any_filter_could_not_be_checked(self, run: Run, bundled_tree: Path) -> None:
        change(bundled_tree, "include/linux/gfp.h", "gfp_nested_mask(", "gfp_other_mask(")
        status, out, _ = run("nested", bundled_tree)
        assert status == 3
        assert "there is no filter to judge" in out


class TestPlaces:
    """Places of our own in a tree of our own."""

    def place(self, tree: Path, body: str, file: str = "lib/stackdepot.c") -> None:
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        (tree / file).write_text(f"void *stack_depot_save_flags(gfp_t alloc_flags, int how)\n{{\n{body}\n}}\n")

    def test_a_mask_that_reaches_the_allocator_as_it_is_breaks_laws(
        self, nested_json: Callable[..., dict[str, Any]], bundled_tree: Path
    ) -> None:
        self.place(bundled_tree, "\treturn alloc_pages(alloc_flags, 2);")
        one = named(nested_json(bundled_tree), "stack depot")
        assert {"no-zone", "fails-fast", "spares-reserves"} <= set(one["breaks"])
        assert one["line"] == 3

    def test_a_filter_that_depends_on_more_than_the_mask_is_not_passed(self, run: Run, bundled_tree: Path) -> None:
        self.place(bundled_tree, "\treturn alloc_pages(gfp_nested_mask(alloc_flags) & how, 2);")
        status, out, _ = run("nested", bundled_tree)
        assert status == 3
        assert "depends on alloc_flags and on how" in out

    def test_a_filter_that_is_no_keep_drop_and_force_is_judged_all_the_same(
        self, nested_json: Callable[..., dict[str, Any]], bundled_tree: Path
    ) -> None:
        self.place(
            bundled_tree,
            "\treturn alloc_pages(gfp_nested_mask(alloc_flags & __GFP_IO ? alloc_flags : alloc_flags | __GFP_FS), 2);",
        )
        report = nested_json(bundled_tree, "--set", "CONFIG_LOCKDEP=y", "--set", "CONFIG_KASAN_HW_TAGS=n")
        one = named(report, "stack depot")
        assert one["breaks"] == ["no-new-context"]
        assert one["laws"]["no-new-context"]["smallest"]["input"] == "0x0"
        assert one["keep"] == one["force"] == []

    def test_a_header_that_crashes_the_filter_is_no_pass(self, run: Run, bundled_tree: Path) -> None:
        self.place(bundled_tree, "\treturn alloc_pages(alloc_flags / (alloc_flags & __GFP_DMA), 2);")
        status, out, _ = run("nested", bundled_tree)
        assert status == 3
        assert "SIG" in out


@pytest.mark.kernels
class TestSeries61:
    def test_stack_depot_breaks_its_laws_and_kmemleak_none(
        self, nested_json: Callable[..., dict[str, Any]], source_6_1: Path
    ) -> None:
        """The distribution's 6.1 has the NOLOCKDEP fix of 6.9 as a stable patch."""
        report = nested_json(source_6_1, altered=False)
        depot = named(report, "stack depot")
        fixed = "__GFP_NOLOCKDEP" in depot["keep"]
        assert depot["breaks"] == (OLD[1:] if fixed else OLD)
        assert set(depot["keep"]) - LOCKDEP == CONTEXT | ATOMIC
        assert depot["force"] == ["__GFP_NOWARN"]
        kmemleak = [f for f in report["filters"] if f["name"].startswith(("kmemleak", "gfp_kmemleak_mask"))]
        assert [f["breaks"] for f in kmemleak] == [[], [], []]
        assert report["exit"] == 1

    def test_as_it_was_released_stack_depot_breaks_three(
        self, nested_json: Callable[..., dict[str, Any]], source_6_1: Path, copied: Callable[[Path], Path]
    ) -> None:
        tree = copied(source_6_1)
        text = (tree / "lib/stackdepot.c").read_text()
        (tree / "lib/stackdepot.c").write_text(text.replace(" | __GFP_NOLOCKDEP", ""))
        depot = named(nested_json(tree), "stack depot")
        assert depot["breaks"] == OLD
        assert depot["era"] == "4.19 to 6.8"

    def test_page_owner_has_no_filter_of_its_own(
        self, nested_json: Callable[..., dict[str, Any]], source_6_1: Path
    ) -> None:
        report = nested_json(source_6_1, altered=False)
        owners = [f for f in report["filters"] if f["name"].startswith("page owner")]
        assert [f["forwards"] for f in owners] == [True]
        assert any(note.startswith("page owner has no filter of its own") for note in report["notes"])


@pytest.mark.kernels
class TestSeries612:
    def test_everything_holds(self, nested_json: Callable[..., dict[str, Any]], source_6_12: Path) -> None:
        report = nested_json(source_6_12, altered=False)
        own = [f for f in report["filters"] if not f["forwards"]]
        assert len(own) == 5
        for one in own:
            assert (set(one["keep"]), set(one["force"]), one["breaks"]) == (CONTEXT | LOCKDEP, MANNERS, [])
        assert report["exit"] == 0

    def test_a_chain_is_the_composition_of_its_steps(
        self, nested_json: Callable[..., dict[str, Any]], source_6_12: Path
    ) -> None:
        report = nested_json(source_6_12, altered=False)
        kasan = next(c for c in report["chains"] if c["name"].startswith("caller -> KASAN"))
        assert kasan["breaks"] == []
        # GFP_NOFS is RECLAIM and IO; the manners come in at stack depot.
        flags = [set(s["names"].partition(" ")[0].split("|")) for s in kasan["steps"]]
        assert flags[0] == flags[1]
        assert flags[2] - flags[0] == MANNERS
        assert len([c for c in report["chains"] if "kmemleak" in c["name"]]) == 1

    def test_the_laws_between_helpers_hold(self, nested_json: Callable[..., dict[str, Any]], source_6_12: Path) -> None:
        claims = {c["id"]: c["holds"] for c in nested_json(source_6_12, altered=False)["claims"]}
        assert claims == {
            "zone-clear-redundant": True,
            "inside-reclaim-mask": True,
            "commutes-with-noio": True,
            "commutes-with-nofs": True,
        }

    def test_a_scope_that_widens_a_mask_is_noticed(
        self, nested_json: Callable[..., dict[str, Any]], source_6_12: Path, copied: Callable[[Path], Path]
    ) -> None:
        tree = copied(source_6_12)
        change(tree, "include/linux/sched/mm.h", "flags &= ~__GFP_FS;", "flags ^= __GFP_NOWARN;")
        claims = {c["id"]: c["holds"] for c in nested_json(tree)["claims"]}
        assert claims["commutes-with-nofs"] is False
        assert claims["commutes-with-noio"] is True

    def test_page_owner_with_a_filter_of_its_own_again_is_named(
        self, nested_json: Callable[..., dict[str, Any]], source_6_12: Path, copied: Callable[[Path], Path]
    ) -> None:
        tree = copied(source_6_12)
        change(tree, "mm/page_owner.c", "gfp_nested_mask(gfp_mask)", "gfp_mask & GFP_KERNEL")
        owner = named(nested_json(tree), "page owner: add_stack_record_to_list")
        assert owner["breaks"] == [
            "keeps-context",
            "keeps-nolockdep",
            "fails-fast",
            "fails-silently",
            "spares-reserves",
        ]
        assert owner["era"] is None
