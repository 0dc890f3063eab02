# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp diff`` on edits of real headers: nothing where no meaning changes, else the flags that do.

Most edits are compared in one configuration, with all that flags depend on switched on, to save time; what
changes no meaning is then compared once more in every configuration, all of it in one header.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

import breaks
import differ as differ_
import edits
import pytest
from differ import ONE, chooser, shows_in_one, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Report = dict[str, Any]

#: How many edits by rule are made that change a list of flags, and how many deliberate breaks are diffed.
N_CHANGED, N_BREAKS = 18, 60


@pytest.fixture
def differ(tmp_path: Path) -> Callable[..., Report]:
    """Return a function that diffs two sets of texts, or trees, and gives the report."""
    return partial(differ_.report, tmp_path)


def require_unchanged(report: Report) -> None:
    """Proven equal: no change, nothing left out, and something was compared."""
    assert report["changes"] == []
    assert report["problems"] == []
    assert report["broken"] == []
    assert not report["identical"]
    assert "gfp_nested_mask" in report["compared"] or "gfp_zone" in report["compared"]
    assert report["exit"] == 0


class TestNoChangeInMeaning:
    """Equal means proven equal: reformatting, reordering and rewriting give exit 0 and no change at all."""

    @pytest.mark.parametrize("edit", edits.PRESERVING, ids=[e.id for e in edits.PRESERVING])
    def test_edit(self, edit: edits.Edit, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        texts = edit.apply(texts_of(headers_6_12), chooser(edit.name))
        require_unchanged(differ(headers_6_12, texts, *ONE))

    def test_many_edits_at_once_in_every_configuration(self, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        rng, texts = chooser("together"), texts_of(headers_6_12)
        by_name = {e.name: e for e in edits.PRESERVING}
        done = []
        for name in edits.TOGETHER:
            # One may leave another nothing to edit.
            with contextlib.suppress(edits.EditError):
                texts = by_name[name].apply(texts, rng)
                done.append(name)
        assert len(done) >= len(edits.TOGETHER) - 2, done
        report = differ(headers_6_12, texts)
        require_unchanged(report)
        assert report["configs"] == [8, 8]

    @pytest.mark.parametrize("name", ["blanks", "comments", "blank lines", "operands", "broken lines", "CRLF"])
    def test_edit_of_6_1(self, name: str, headers_6_1: Path, differ: Callable[..., Report]) -> None:
        by_name = {e.name: e for e in edits.PRESERVING}
        texts = by_name[name].apply(texts_of(headers_6_1), chooser(name, "6.1"))
        require_unchanged(differ(headers_6_1, texts, *ONE))

    @pytest.mark.parametrize("name", ["blanks", "comments", "blank lines", "operands", "parentheses", "CRLF"])
    def test_edit_of_the_bundled_subset(self, name: str, differ: Callable[..., Report]) -> None:
        by_name = {e.name: e for e in edits.PRESERVING}
        texts = by_name[name].apply(texts_of(breaks.ROOT / "csrc"), chooser(name, "bundled"))
        require_unchanged(differ(breaks.ROOT / "csrc", texts, *ONE))

    def test_there_are_enough(self) -> None:
        assert len(edits.PRESERVING) >= 40
        assert len({e.id for e in edits.PRESERVING}) == len(edits.PRESERVING)


def values(report: Report) -> dict[str, dict[str, str]]:
    """What the report says of composites and of values, by subject."""
    return {c["subject"]: c["flags"] for c in report["changes"] if c["kind"] in {"helper", "composite"}}


class TestChangedLists:
    """A flag more or less in one list: what becomes of it everywhere is worked out from the text, as sets."""

    @pytest.mark.parametrize("n", range(N_CHANGED))
    def test_edit(self, n: int, headers_6_12: Path, differ: Callable[..., Report]) -> None:
        rng, texts = chooser("list", n), texts_of(headers_6_12)
        before = edits.read(texts)
        while True:
            what, edited = edits.changed_list(texts, rng)
            expected = edits.changes(before, edits.read(edited))
            if expected:
                break
        print(what, expected)  # noqa: T201 - pytest shows it where the test fails
        report = differ(headers_6_12, edited, *ONE)
        found = values(report)
        # gfp_zone() looks at GFP_ZONEMASK; what it does then is another test's.
        if "GFP_ZONEMASK" in expected:
            found.pop("gfp_zone", None)
        assert found == expected
        assert report["exit"] == 1
        assert not report["problems"]

    def test_the_expectation_of_the_unedited_header(self, headers_6_12: Path) -> None:
        known = edits.read(texts_of(headers_6_12))
        assert known.keep == {f"__GFP_{f}" for f in breaks.KEPT}
        assert known.force == {f"__GFP_{f}" for f in breaks.FORCES}
        assert known.composites["GFP_NOFS"] == {"__GFP_IO", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"}
        assert "__GFP_DIRECT_RECLAIM" not in known.composites["GFP_TRANSHUGE_LIGHT"]

    def test_a_list_without_a_change_is_seen_as_such(self, headers_6_12: Path) -> None:
        known = edits.read(texts_of(headers_6_12))
        assert edits.changes(known, known) == {}


SAMPLE = chooser("breaks").sample(breaks.BREAKS, N_BREAKS)


def narrowed(edit: breaks.Break) -> tuple[str, ...]:
    """Where to look for a break: in the one configuration, if it shows there."""
    if shows_in_one(edit):
        return ONE
    return edit.arguments if "--set" in edit.arguments else ()


class TestDeliberateBreaks:
    """A sample, another one each run, of the breaks that ``pygfp check`` must catch: in a diff each is a change."""

    @pytest.mark.parametrize("edit", SAMPLE, ids=[b.id for b in SAMPLE])
    def test_break(self, edit: breaks.Break, request: pytest.FixtureRequest, differ: Callable[..., Report]) -> None:
        bundled = edit.tree == breaks.BUNDLED
        origin = breaks.ROOT / "csrc" if bundled else request.getfixturevalue("headers_6_12")
        texts = texts_of(origin)
        texts = {**texts, edit.file: edit.apply(texts[edit.file])}
        report = differ(origin, texts, *narrowed(edit))
        if not report["changes"] and not edit.neutral:
            # It shows in a configuration that was left out to save time.
            report = differ(origin, texts, *edit.arguments)
        changes = {(c["kind"], c["change"]) for c in report["changes"]}
        if edit.neutral in {"", breaks.ROOMIER}:
            assert changes
            assert report["exit"] == 1
        elif edit.neutral == breaks.MOVED:
            assert changes <= {("flag", "moved"), ("layout", "changed")}
        else:
            assert not changes
            assert report["exit"] == 0
