# SPDX-License-Identifier: GPL-2.0-only
"""Masks to names and back, on a small table written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygfp.errors import PygfpError, UnknownFlagError
from pygfp.flags import FlagTable

ORDER = ("GFP_KERNEL", "GFP_NOFS", "GFP_ATOMIC", "GFP_NOIO", "__GFP_RECLAIM", "__GFP_HIGH", "__GFP_IO", "__GFP_FS")
TABLE = FlagTable(
    {
        "__GFP_DMA": 0x1,
        "__GFP_HIGH": 0x20,
        "__GFP_IO": 0x40,
        "__GFP_FS": 0x80,
        "__GFP_DIRECT_RECLAIM": 0x400,
        "__GFP_KSWAPD_RECLAIM": 0x800,
        "__GFP_NORETRY": 0x10000,
        "__GFP_NOLOCKDEP": 0,
        "__GFP_RECLAIM": 0xC00,
        "GFP_NOIO": 0xC00,
        "GFP_NOFS": 0xC40,
        "GFP_KERNEL": 0xCC0,
        "GFP_ATOMIC": 0x820,
    },
    trace_order=ORDER,
)
MASKS = st.integers(min_value=0, max_value=(1 << 32) - 1)


class TestFormat:
    """Masks print as the kernel's %pGg does: greedy in table order, unknown bits left in hex."""

    @pytest.mark.parametrize(
        ("mask", "text"),
        [
            (0, "none"),
            (0xCC0, "GFP_KERNEL"),
            (0xC40, "GFP_NOFS"),
            (0xC60, "GFP_NOFS|__GFP_HIGH"),
            (0xCE0, "GFP_KERNEL|__GFP_HIGH"),
            (0x8E0, "GFP_ATOMIC|__GFP_IO|__GFP_FS"),
            (0xC00, "GFP_NOIO"),
            (0x100CC0, "GFP_KERNEL|0x100000"),
            (0x300, "0x300"),
        ],
        ids=lambda value: value if isinstance(value, str) else hex(value),
    )
    def test_names_are_taken_greedily(self, mask: int, text: str) -> None:
        assert TABLE.format(mask) == text

    def test_the_first_of_two_names_of_one_value_wins(self) -> None:
        swapped = FlagTable(TABLE.masks, trace_order=("__GFP_RECLAIM", "GFP_NOIO"))
        assert swapped.format(0xC00) == "__GFP_RECLAIM"

    def test_a_flag_that_the_table_lacks_stays_hex(self) -> None:
        assert TABLE.format(0x10000) == "0x10000"

    def test_a_disabled_flag_is_never_printed(self) -> None:
        assert FlagTable({"__GFP_NOLOCKDEP": 0}, trace_order=("__GFP_NOLOCKDEP",)).format(0x4) == "0x4"

    @settings(deadline=None)
    @given(MASKS)
    def test_parse_undoes_it(self, mask: int) -> None:
        assert TABLE.parse(TABLE.format(mask)) == mask


class TestNames:
    """Single-bit flags, lowest bit first, and one hex string for the rest."""

    def test_flags_come_lowest_first_and_composites_never(self) -> None:
        assert TABLE.names(0xCC0) == ["__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"]

    def test_unknown_bits_are_one_hex_string(self) -> None:
        assert TABLE.names(0x80000241) == ["__GFP_DMA", "__GFP_IO", "0x80000200"]

    def test_two_flags_on_one_bit_are_both_named(self) -> None:
        assert FlagTable({"__GFP_B": 4, "__GFP_A": 4}).names(4) == ["__GFP_A", "__GFP_B"]

    def test_nothing_has_no_names(self) -> None:
        assert TABLE.names(0) == []

    @settings(deadline=None)
    @given(MASKS.filter(bool))
    def test_parse_undoes_it(self, mask: int) -> None:
        assert TABLE.parse("|".join(TABLE.names(mask))) == mask


class TestParse:
    @pytest.mark.parametrize(
        ("text", "mask"),
        [
            ("GFP_KERNEL", 0xCC0),
            ("GFP_KERNEL|__GFP_HIGH", 0xCE0),
            (" GFP_NOFS |\t__GFP_DMA ", 0xC41),
            ("__GFP_IO|0x10", 0x50),
            ("0XfF", 0xFF),
            ("64", 64),
            ("none", 0),
            ("__GFP_NOLOCKDEP", 0),
        ],
    )
    def test_names_and_numbers_are_joined(self, text: str, mask: int) -> None:
        assert TABLE.parse(text) == mask

    def test_a_decimal_number_may_open_with_a_zero(self) -> None:
        assert TABLE.parse("010") == 10

    @pytest.mark.parametrize("text", ["", "GFP_KERNEL|", "|", "GFP_KERNEL __GFP_IO", "0x", "-1", "1e3"])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(UnknownFlagError):
            TABLE.parse(text)

    def test_an_unknown_name_lists_near_ones(self) -> None:
        with pytest.raises(UnknownFlagError, match=r"__GFP_NORETY is not defined here; near: __GFP_NORETRY") as caught:
            TABLE.parse("GFP_KERNEL|__GFP_NORETY")
        assert caught.value.name == "__GFP_NORETY"
        assert "__GFP_NORETRY" in caught.value.near

    def test_a_name_near_nothing_lists_nothing(self) -> None:
        with pytest.raises(UnknownFlagError, match=r"xyzzy is not defined here$") as caught:
            TABLE.parse("xyzzy")
        assert caught.value.near == []

    def test_the_error_is_a_value_error_and_one_of_pygfp(self) -> None:
        assert issubclass(UnknownFlagError, ValueError)
        assert issubclass(UnknownFlagError, PygfpError)


class TestMask:
    def test_an_undefined_name_counts_as_nothing(self) -> None:
        assert TABLE.mask(["__GFP_IO", "__GFP_FS", "__GFP_MISSING"]) == 0xC0

    def test_one_name_needs_no_list(self) -> None:
        assert TABLE.mask("GFP_ATOMIC") == 0x820

    def test_flags_are_single_bits_only(self) -> None:
        assert set(TABLE.flags) == {
            "__GFP_DMA",
            "__GFP_HIGH",
            "__GFP_IO",
            "__GFP_FS",
            "__GFP_DIRECT_RECLAIM",
            "__GFP_KSWAPD_RECLAIM",
            "__GFP_NORETRY",
        }
