# SPDX-License-Identifier: GPL-2.0-only
"""
Every helper of every header that we have means what is documented, on every input, in every configuration.

The tests are those of ``pygfp.conformance``, which anybody can run on a tree of their own. Here the sources are the
bundled subset and the distribution's real 6.1 and 6.12, as header packages and as source trees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pygfp.conformance.test_conformance import (
    TestHelpers,
    TestLayout,
    test_composite_has_the_flags_of_its_release,
    test_every_flag_has_a_verdict_for_nested_allocation,
    test_mask_follows_its_rule,
    test_nested_mask_obeys_the_law,
)
from pygfp.sources import Source, bundled, tree

if TYPE_CHECKING:
    from pathlib import Path

    import pygfp

__all__ = [
    "TestHelpers",
    "TestLayout",
    "test_composite_has_the_flags_of_its_release",
    "test_every_flag_has_a_verdict_for_nested_allocation",
    "test_mask_follows_its_rule",
    "test_nested_mask_obeys_the_law",
]

SOURCES = ("bundled", "headers_6_1", "headers_6_12", "source_6_1", "source_6_12")

#: Of the helpers in the model, those that each source has, by hand.
BASE = {"gfpflags_allow_blocking", "gfp_zone", "gfp_zonelist", "gfp_migratetype"}
HELPERS = {
    "bundled": {*BASE, "gfp_nested_mask", "gfpflags_allow_spinning", "gfp_has_io_fs", "gfp_compaction_allowed"},
    "headers_6_1": {*BASE, "gfp_compaction_allowed"},
    "headers_6_12": {*BASE, "gfp_nested_mask", "gfp_has_io_fs", "gfp_compaction_allowed"},
    "source_6_1": {*BASE, "gfp_compaction_allowed", "gfp_kmemleak_mask"},
    "source_6_12": {*BASE, "gfp_nested_mask", "gfp_has_io_fs", "gfp_compaction_allowed"},
}
#: Of these, those that its reference row knows in no file that the source has.
NOT_OF_THE_ROW = {"bundled": {"gfp_migratetype"}, "source_6_1": {"gfp_kmemleak_mask"}}
#: Masks of mm/internal.h, which comes with a source tree only.
INTERNAL = {"GFP_RECLAIM_MASK", "GFP_BOOT_MASK", "GFP_CONSTRAINT_MASK", "GFP_SLAB_BUG_MASK"}


def source_has(item: pytest.Function) -> bool:
    """Whether the source of a test has what it is about; what does not apply is no test, and none is skipped."""
    params = item.callspec.params
    source = params["gfp_source"]
    about = {"test_nested_mask_obeys_the_law", "test_every_flag_has_a_verdict_for_nested_allocation"}
    helper = "gfp_nested_mask" if item.originalname in about else params.get("helper")
    if params.get("name") in INTERNAL:
        return bool(source.startswith("source_"))
    if item.originalname == "test_helper_of_the_release_is_there":
        return helper in HELPERS[source] - NOT_OF_THE_ROW.get(source, set())
    return helper is None or helper in HELPERS[source]


@pytest.fixture(scope="session", params=SOURCES)
def gfp_source(request: pytest.FixtureRequest) -> Source:
    name: str = request.param
    if name == "bundled":
        return bundled()
    path: Path = request.getfixturevalue(name)
    return tree(path)


def test_no_helper_is_skipped_that_is_there(
    gfp: pygfp.Kernel, gfp_model: pygfp.Model, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["gfp_source"]
    assert set(gfp.helpers) & set(gfp_model.helpers) == HELPERS[name]
