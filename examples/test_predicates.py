# SPDX-License-Identifier: GPL-2.0-only
"""What must hold between predicates, for every mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pygfp


def test_a_mask_that_may_block_may_spin(gfp: pygfp.Kernel) -> None:
    gfp.assert_equal_everywhere(
        lambda mask: gfp.gfpflags_allow_blocking(mask) and not gfp.gfpflags_allow_spinning(mask),
        lambda _: False,
    )


def test_nesting_does_not_change_what_a_caller_may_do(gfp: pygfp.Kernel) -> None:
    for name in ("gfpflags_allow_blocking", "gfpflags_allow_spinning", "gfp_has_io_fs"):
        may = gfp.helpers[name]
        gfp.assert_equal_everywhere(lambda mask, may=may: may(gfp.gfp_nested_mask(mask)), may)
