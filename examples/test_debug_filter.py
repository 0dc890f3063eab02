# SPDX-License-Identifier: GPL-2.0-only
"""Debug code that allocates inside the allocator filters its caller's mask. Mine obeys the laws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import pygfp

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def my_filter(gfp: pygfp.Kernel) -> Callable[[pygfp.Mask], pygfp.Mask]:
    """What my recorder does with the mask of the allocation that it records."""
    quiet = gfp.parse("__GFP_NOWARN|__GFP_NORETRY|__GFP_NOMEMALLOC")
    keep: pygfp.Mask = gfp.GFP_KERNEL | gfp.GFP_ATOMIC | gfp["__GFP_NOLOCKDEP"]
    return lambda mask: mask & keep | quiet


@pytest.mark.gfp_configs("CONFIG_LOCKDEP")
@pytest.mark.parametrize("law", pygfp.laws)
def test_my_filter_obeys_the_law(gfp: pygfp.Kernel, my_filter: Callable[[pygfp.Mask], pygfp.Mask], law: str) -> None:
    gfp.assert_law(my_filter, law)


@pytest.mark.gfp_configs("CONFIG_LOCKDEP")
def test_my_filter_is_that_of_the_kernel(gfp: pygfp.Kernel, my_filter: Callable[[pygfp.Mask], pygfp.Mask]) -> None:
    gfp.assert_equal_everywhere(my_filter, gfp.gfp_nested_mask)
