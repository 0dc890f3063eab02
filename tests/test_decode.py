# SPDX-License-Identifier: GPL-2.0-only
"""Masks to names on a release, with no tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]


class TestRelease:
    """``--release X.Y`` needs no tree and no compiler."""

    @pytest.mark.parametrize(
        ("release", "mask", "names"),
        [
            ("4.19", "0x6000c0", "GFP_KERNEL"),
            ("6.1", "0xcc0", "GFP_KERNEL"),
            ("6.1", "0xdc0", "GFP_KERNEL|__GFP_ZERO"),
            ("6.12", "0x140cca", "GFP_HIGHUSER_MOVABLE|__GFP_COMP"),
        ],
    )
    def test_names_are_those_of_the_release(self, run: Run, release: str, mask: str, names: str) -> None:
        status, out, _ = run("decode", "-q", "--release", release, mask)
        assert status == 0
        assert out.splitlines()[0].split()[:2] == [mask, names]
