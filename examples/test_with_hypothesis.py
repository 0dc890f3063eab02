# SPDX-License-Identifier: GPL-2.0-only
"""Properties of two masks at once, where the pairs are too many for a sweep: hypothesis picks some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    import pygfp

masks = st.integers(0, 2**32 - 1)


@given(a=masks, b=masks)
def test_nesting_a_union_is_the_union_of_the_nested(gfp: pygfp.Kernel, a: int, b: int) -> None:
    nested = gfp.gfp_nested_mask
    assert nested(a | b) == nested(a) | nested(b)


@given(a=masks, b=masks)
def test_more_flags_never_make_a_mask_less_able_to_block(gfp: pygfp.Kernel, a: int, b: int) -> None:
    assert gfp.gfpflags_allow_blocking(a | b) >= gfp.gfpflags_allow_blocking(a)
