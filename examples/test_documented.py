# SPDX-License-Identifier: GPL-2.0-only
"""The compiled header against the documented policy: the shortest test that covers the most."""

from __future__ import annotations

import pytest

import pygfp


@pytest.mark.gfp_configs("CONFIG_LOCKDEP", "CONFIG_KASAN_HW_TAGS")
def test_nested_mask_is_what_is_documented(gfp: pygfp.Kernel, gfp_model: pygfp.Model) -> None:
    gfp.assert_equal_everywhere(gfp.gfp_nested_mask, gfp_model.gfp_nested_mask)


def test_the_whole_check_passes() -> None:
    report = pygfp.check("bundled")
    assert report.exit_status() == 0, [check.message for check in report.checks if check.status == "fail"]
