# SPDX-License-Identifier: GPL-2.0-only
"""Which zone does a mask lead to? The table of one configuration, and the rule for all."""

from __future__ import annotations

import pytest

import pygfp


@pytest.mark.gfp_configs("CONFIG_ZONE_DMA", "CONFIG_ZONE_DMA32")
def test_a_selector_leads_to_its_zone_or_to_normal_where_that_is_not_built(gfp: pygfp.Kernel) -> None:
    for name in ("DMA", "DMA32"):
        zone = gfp.constants.get(f"ZONE_{name}", gfp.ZONE_NORMAL)
        assert gfp.gfp_zone(gfp[f"__GFP_{name}"]) == zone


def test_two_selectors_at_once_are_a_bug(gfp: pygfp.Kernel) -> None:
    with pytest.raises(pygfp.BugFired, match="BUG fires on GFP_DMA"):
        gfp.gfp_zone(gfp["__GFP_DMA"] | gfp["__GFP_DMA32"])


def test_no_other_flag_matters(gfp: pygfp.Kernel) -> None:
    gfp.assert_equal_everywhere(gfp.gfp_zone, lambda mask: gfp.gfp_zone(mask & gfp.GFP_ZONEMASK))
