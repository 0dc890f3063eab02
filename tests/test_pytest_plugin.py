# SPDX-License-Identifier: GPL-2.0-only
"""The plugin as its users have it: each option and fixture in a pytest run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]


def test_five_lines_check_a_helper(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_an_atomic_caller_stays_atomic(gfp):
            assert gfp.gfp_nested_mask(gfp.GFP_ATOMIC) & gfp.GFP_ATOMIC == gfp.GFP_ATOMIC
        """
    )
    pytester.runpytest("--gfp-source=bundled").assert_outcomes(passed=1)
