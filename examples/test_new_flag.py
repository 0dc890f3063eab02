# SPDX-License-Identifier: GPL-2.0-only
"""A flag that a patch adds: what does nesting do with it? Say it once, for every input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from trees import vendor_kernel

if TYPE_CHECKING:
    import pygfp


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> pygfp.Kernel:
    return vendor_kernel(tmp_path_factory.mktemp("vendor"))


def test_a_nested_allocation_drops_the_new_flag(vendor: pygfp.Kernel) -> None:
    cma = vendor.flags["__GFP_CMA"]
    vendor.assert_equal_everywhere(lambda mask: vendor.gfp_nested_mask(mask) & cma, lambda _: 0)


def test_the_new_flag_changes_nothing_else(vendor: pygfp.Kernel) -> None:
    cma = vendor.flags["__GFP_CMA"]
    for helper in vendor.helpers.values():
        vendor.assert_equal_everywhere(helper, lambda mask, helper=helper: helper(mask & ~cma))
