# SPDX-License-Identifier: GPL-2.0-only
"""Composites that my code relies on, pinned flag by flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pygfp


@pytest.mark.parametrize(
    ("composite", "flags"),
    [
        ("GFP_ATOMIC", "__GFP_HIGH|__GFP_KSWAPD_RECLAIM"),
        ("GFP_NOWAIT", "__GFP_KSWAPD_RECLAIM|__GFP_NOWARN"),
        ("GFP_KERNEL", "__GFP_RECLAIM|__GFP_IO|__GFP_FS"),
        ("GFP_KERNEL_ACCOUNT", "GFP_KERNEL|__GFP_ACCOUNT"),
    ],
)
def test_composite_is_what_my_code_relies_on(gfp: pygfp.Kernel, composite: str, flags: str) -> None:
    assert gfp[composite] == gfp.parse(flags)
