# SPDX-License-Identifier: GPL-2.0-only
"""Header A against header B: what an edit changes, and on which inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trees import edited

import pygfp

if TYPE_CHECKING:
    from pathlib import Path

KEPT = "__GFP_HIGH | __GFP_NOLOCKDEP;"


def test_a_cleanup_changes_no_helper(tmp_path: Path) -> None:
    before = pygfp.load("bundled")
    after = pygfp.load(
        edited(tmp_path, "gfp.h", "return manners | (context & flags);", "return (flags & context) | manners;")
    )
    assert before.helpers.keys() == after.helpers.keys()
    for name, helper in before.helpers.items():
        pygfp.assert_equal_everywhere(helper, after.helpers[name])


def test_an_edit_changes_half_of_the_inputs_and_no_other(tmp_path: Path) -> None:
    before = pygfp.load("bundled")
    after = pygfp.load(edited(tmp_path, "gfp.h", KEPT, "__GFP_NOLOCKDEP;"))
    found = pygfp.sweep(before.gfp_nested_mask, after.gfp_nested_mask)
    assert found.mismatches == found.inputs // 2
    assert found.smallest is not None
    assert found.smallest.input == before["__GFP_HIGH"]
