# SPDX-License-Identifier: GPL-2.0-only
"""A vendor tree with a bit of its own: upstream code reads its masks as it does."""

from __future__ import annotations

import pytest
from trees import vendor_kernel

import pygfp


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> pygfp.Kernel:
    return vendor_kernel(tmp_path_factory.mktemp("vendor"))


def test_the_bit_is_one_that_upstream_leaves_free(vendor: pygfp.Kernel) -> None:
    upstream = pygfp.load("bundled")
    assert vendor.flags["__GFP_CMA"] not in upstream.flags.values()
    assert repr(upstream.mask(vendor.flags["__GFP_CMA"])) == "0x200"


def test_every_other_flag_is_where_upstream_has_it(vendor: pygfp.Kernel) -> None:
    upstream = pygfp.load("bundled")
    assert {n: m for n, m in vendor.flags.items() if n != "__GFP_CMA"} == dict(upstream.flags)


def test_helpers_answer_as_upstream_does_on_every_mask(vendor: pygfp.Kernel) -> None:
    upstream = pygfp.load("bundled")
    for name, helper in vendor.helpers.items():
        pygfp.assert_equal_everywhere(helper, upstream.helpers[name])
