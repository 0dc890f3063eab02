# SPDX-License-Identifier: GPL-2.0-only
"""
What must hold of the GFP headers of any kernel: a test for each rule, in each configuration that it depends on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..model.helpers import HELPERS
from ..model.laws import LAWS
from ..model.masks import MASKS
from ..releases import rows, version_key

if TYPE_CHECKING:
    from ..api.kernel import Kernel
    from ..api.modelled import Model

pytestmark = pytest.mark.gfp_conformance

_FLAG_SYMBOLS = ("CONFIG_LOCKDEP", "CONFIG_KASAN_HW_TAGS", "CONFIG_SLAB_OBJ_EXT")
_ZONE_SYMBOLS = ("CONFIG_ZONE_DMA", "CONFIG_ZONE_DMA32", "CONFIG_ZONE_DEVICE")
_FILTERS = [m.name for m in HELPERS if m.is_filter]
_ZONED = [m.name for m in HELPERS if "zone_type" in m.result]
_SWITCHED = [m.name for m in HELPERS if m.name not in {*_FILTERS, *_ZONED}]
_COMPOSITES = sorted({name for row in rows() for name in row.composites if name not in MASKS})
_MOST_BITS = 29


def _agrees(gfp: Kernel, gfp_model: Model, helper: str) -> None:
    __tracebackhide__ = True
    gfp.assert_equal_everywhere(gfp[helper], gfp_model.helpers[helper])


class TestHelpers:
    """Every helper is there, and means what is documented, on every input."""

    @pytest.mark.parametrize("helper", [m.name for m in HELPERS])
    def test_helper_of_the_release_is_there(self, gfp: Kernel, helper: str) -> None:
        """No helper of the reference release is gone from the files in which that has it."""
        homes = [file for file in gfp.row.helper_files.get(helper, []) if file in gfp.source.files]
        if not homes:
            pytest.skip(f"{gfp.row.name} has no {helper}() in a file that {gfp.source.label} has")
        assert helper in gfp.helpers

    @pytest.mark.gfp_configs(*_FLAG_SYMBOLS)
    @pytest.mark.parametrize("helper", _FILTERS)
    def test_filter_means_what_is_documented(self, gfp: Kernel, gfp_model: Model, helper: str) -> None:
        """A filter keeps, drops and forces what the policy says."""
        _agrees(gfp, gfp_model, helper)

    @pytest.mark.gfp_configs(*_ZONE_SYMBOLS)
    @pytest.mark.parametrize("helper", _ZONED)
    def test_zone_means_what_is_documented(self, gfp: Kernel, gfp_model: Model, helper: str) -> None:
        """The zone is the one that is asked for, and BUG fires for two at once."""
        _agrees(gfp, gfp_model, helper)

    @pytest.mark.gfp_configs("CONFIG_NUMA", "CONFIG_COMPACTION")
    @pytest.mark.parametrize("helper", _SWITCHED)
    def test_helper_means_what_is_documented(self, gfp: Kernel, gfp_model: Model, helper: str) -> None:
        """Predicates and tables answer as documented."""
        _agrees(gfp, gfp_model, helper)


@pytest.mark.gfp_configs(*_FLAG_SYMBOLS)
@pytest.mark.parametrize("law", [law.id for law in LAWS])
def test_nested_mask_obeys_the_law(gfp: Kernel, law: str) -> None:
    """Each law of nested allocation holds for every input of gfp_nested_mask()."""
    gfp.assert_law(gfp.gfp_nested_mask, law)


@pytest.mark.gfp_configs(*_FLAG_SYMBOLS)
def test_every_flag_has_a_verdict_for_nested_allocation(gfp: Kernel, gfp_model: Model) -> None:
    """No flag is new to the policy; one that is cannot be judged, and is named."""
    assert gfp["gfp_nested_mask"]
    if gfp_model.undecided:
        does = ", ".join(f"{flag} (the header: {fate.value})" for flag, fate in gfp_model.undecided.items())
        pytest.skip(f"undecided: {does}; 'pygfp check --policy FILE' judges by a decision of yours")


@pytest.mark.gfp_configs("CONFIG_KASAN_HW_TAGS")
@pytest.mark.parametrize("name", _COMPOSITES)
def test_composite_has_the_flags_of_its_release(gfp: Kernel, name: str) -> None:
    """GFP_KERNEL and kin are what the reference release has."""
    if name not in gfp.row.composites:
        pytest.skip(f"{gfp.row.name} has no {name}")
    expected = gfp.table.mask(gfp.row.composites[name])
    assert gfp[name] == gfp.mask(expected)


@pytest.mark.gfp_configs("CONFIG_LOCKDEP", "CONFIG_KASAN_HW_TAGS")
@pytest.mark.parametrize("name", MASKS)
def test_mask_follows_its_rule(gfp: Kernel, name: str) -> None:
    """A mask that is no caller's composite has the flags that what it is for asks for."""
    if name not in gfp:
        pytest.skip(f"{gfp.source.label} has no {name}: its file is not part of this tree")
    assert gfp[name] == gfp.mask(MASKS[name](gfp.table, version_key(gfp.row.version)[:2]))


@pytest.mark.gfp_configs(*_FLAG_SYMBOLS)
class TestLayout:
    """Flags are bits of their own, inside the mask that the header says."""

    def test_flags_are_distinct_bits(self, gfp: Kernel) -> None:
        """No two flags stand on one bit."""
        assert len(set(gfp.flags.values())) == len(gfp.flags)

    def test_flags_are_inside_the_mask(self, gfp: Kernel) -> None:
        """No flag is lost when a mask is cut to __GFP_BITS_MASK."""
        outside = [name for name, mask in gfp.flags.items() if mask & ~gfp["__GFP_BITS_MASK"]]
        assert outside == []

    def test_shift_leaves_room_for_marks(self, gfp: Kernel) -> None:
        """An xarray keeps three marks beside a mask in 32 bits."""
        assert gfp["__GFP_BITS_SHIFT"] <= _MOST_BITS

    def test_no_flag_of_the_release_is_gone(self, gfp: Kernel) -> None:
        """Every flag of the reference release is defined; it is 0 where its symbol is off."""
        assert [name for name in gfp.row.flags if name not in gfp] == []

    def test_a_flag_is_there_exactly_when_its_symbol_is_on(self, gfp: Kernel) -> None:
        """A flag whose symbol is off is 0."""
        gates = {name: gfp.row.gate(name) for name in gfp.row.flags}
        expected = {name for name, gate in gates.items() if gate is None or gate in gfp.config}
        defined = [name for name in gates if name in gfp]
        assert {name for name in defined if gfp[name] != 0} == expected
