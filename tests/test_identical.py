# SPDX-License-Identifier: GPL-2.0-only
"""Which helpers a diff does not run: those that are the same machine code, and of which every name is the same."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from histories import GFP_H, replace

import pygfp
from pygfp.native.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pygfp.changes import DiffReport
    from pygfp.native.jobs import Job, Tally

    Edit = Callable[..., tuple[DiffReport, set[str]]]

TYPES_H, MMZONE_H = "include/linux/gfp_types.h", "include/linux/mmzone.h"


@pytest.fixture
def edit(bundled_tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Return a function that edits a copy of the subset, and gives the diff and the helpers that were run for it."""
    swept: set[str] = set()
    sweep = Session.sweep

    def counted(self: Session, jobs: list[Job]) -> list[Tally]:
        swept.update(job.helper for job in jobs)
        return sweep(self, jobs)

    monkeypatch.setattr(Session, "sweep", counted)

    def call(*edits: tuple[str, str, str]) -> tuple[DiffReport, set[str]]:
        before = shutil.copytree(bundled_tree, tmp_path / "before")
        for edit in edits:
            replace(bundled_tree, *edit)
        return pygfp.diff(before, bundled_tree), swept

    return call


class TestWhatIsRun:
    """A diff runs what may differ, and says of the rest that it is the same."""

    def test_nothing_where_the_text_does_the_same(self, edit: Edit) -> None:
        report, swept = edit(("__GFP_NOLOCKDEP;", "(__GFP_NOLOCKDEP | 0u);", GFP_H))
        assert (report.exit_status(), report.changes, swept) == (0, (), set())
        assert {"gfp_nested_mask", "gfp_zone", "gfpflags_allow_blocking"} <= set(report.compared)

    def test_the_helper_that_is_edited_alone(self, edit: Edit) -> None:
        report, swept = edit(("__GFP_NOLOCKDEP;", "__GFP_NOLOCKDEP | __GFP_ZERO;", GFP_H))
        assert [c.subject for c in report.changes] == ["gfp_nested_mask"]
        assert swept == {"gfp_nested_mask"}

    def test_what_is_new_is_said_of_the_configuration_with_the_most_flags(self, edit: Edit) -> None:
        calm = "static inline gfp_t gfp_calm(gfp_t gfp)\n{\n\treturn (gfp & __GFP_NOLOCKDEP) | __GFP_NOWARN;\n}\n"
        start = "static inline enum zone_type gfp_zone("
        report, swept = edit((start, f"{calm}\n{start}", GFP_H))
        assert [c.text for c in report.changes] == ["added: keep {NOLOCKDEP}, force {NOWARN}"]
        assert swept == {"gfp_calm"}

    def test_code_that_is_the_same_and_means_another_flag(self, edit: Edit) -> None:
        report, swept = edit(("___GFP_IO_BIT,\n\t___GFP_FS_BIT,", "___GFP_FS_BIT,\n\t___GFP_IO_BIT,", TYPES_H))
        # gfp_has_io_fs() asks for both bits: not an instruction differs, and each bit is another flag.
        assert "gfp_has_io_fs" in swept
        assert {c.subject: c.change for c in report.changes} == {"__GFP_IO": "moved", "__GFP_FS": "moved"}

    def test_code_that_is_the_same_and_returns_another_zonelist(self, edit: Edit) -> None:
        report, swept = edit(
            ("ZONELIST_NOFALLBACK : ZONELIST_FALLBACK", "ZONELIST_FALLBACK : ZONELIST_NOFALLBACK", GFP_H),
            ("\treturn ZONELIST_FALLBACK;", "\treturn ZONELIST_NOFALLBACK;", GFP_H),
            ("\tZONELIST_FALLBACK,", "\tZONELIST_PARKED,", MMZONE_H),
            ("\tZONELIST_NOFALLBACK,", "\tZONELIST_FALLBACK,", MMZONE_H),
            ("\tZONELIST_PARKED,", "\tZONELIST_NOFALLBACK,", MMZONE_H),
        )
        assert swept == {"gfp_zonelist"}
        assert [(c.subject, c.change) for c in report.changes] == [("gfp_zonelist", "changed")]
