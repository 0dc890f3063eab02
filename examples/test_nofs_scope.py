# SPDX-License-Identifier: GPL-2.0-only
"""A task in a NOFS scope loses __GFP_FS. Whether that happens before nesting or after it must not matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pygfp


@pytest.mark.parametrize("scope", ["__GFP_FS", "__GFP_IO|__GFP_FS"], ids=["NOFS", "NOIO"])
def test_scope_commutes_with_nesting(gfp: pygfp.Kernel, scope: str) -> None:
    lost = gfp.parse(scope)
    gfp.assert_equal_everywhere(
        lambda mask: gfp.gfp_nested_mask(mask & ~lost),
        lambda mask: gfp.gfp_nested_mask(mask) & ~lost,
    )


def test_nesting_twice_is_nesting_once(gfp: pygfp.Kernel) -> None:
    gfp.assert_equal_everywhere(lambda mask: gfp.gfp_nested_mask(gfp.gfp_nested_mask(mask)), gfp.gfp_nested_mask)
