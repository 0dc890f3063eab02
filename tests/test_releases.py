# SPDX-License-Identifier: GPL-2.0-only
"""The reference rows: which one judges a tree, and that each is well formed."""

from __future__ import annotations

from itertools import combinations

import pytest

from pygfp.releases import Row, newest, reference, rows, version_key

every_row = pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)


def shifts(row: Row) -> list[str]:
    """Every combination of the row's symbols, as bits_shift spells it."""
    symbols = [s.removeprefix("CONFIG_") for s in row.config_symbols]
    return [",".join(on) or "none" for n in range(len(symbols) + 1) for on in combinations(symbols, n)]


def bits(row: Row, config: str) -> dict[str, int]:
    """The bit of every flag that is there in *config*."""
    on = {f"CONFIG_{name}" for name in config.split(",")}
    there = {n: f for n, f in row.flags.items() if f.get("config") is None or f["config"] in on}
    return {n: f.get("bit_by_config", {}).get(config, f["bit"]) for n, f in there.items()}


class TestReference:
    """
    Of the rows of its own series the newest that is not newer than the tree, else the oldest of that series;
    without a row for the series, the newest row of an older one.
    """

    @pytest.mark.parametrize(
        ("release", "version"),
        [
            ("7.3.4", "7.3.4"),
            ("6.12.0", "6.12.0"),
            ("6.12.50", "6.12.0"),
            ("6.12.106", "6.12.0"),
            ("6.12.107", "6.12.107"),
            ("6.12.117", "6.12.107"),
        ],
    )
    def test_own_series_gives_its_newest_that_is_not_newer(self, release: str, version: str) -> None:
        assert reference(release).version == version

    @pytest.mark.parametrize(
        ("release", "version"), [("7.3.0", "7.3.4"), ("6.6.3", "6.6.9"), ("5.4.10", "5.4.59"), ("6.1.9", "6.1.176")]
    )
    def test_older_than_its_series_gives_the_oldest_of_it(self, release: str, version: str) -> None:
        assert reference(release).version == version

    @pytest.mark.parametrize(
        ("release", "version"),
        [
            ("6.13.1", "6.12.107"),
            ("6.11.5", "6.10.0"),
            ("6.15.0", "6.14.0"),
            ("7.0.0", "6.19.0"),
            ("5.11.22", "5.10.223"),
            ("7.10.1", "7.3.4"),
            ("12.0.0", "7.3.4"),
        ],
    )
    def test_a_series_without_a_row_gives_the_newest_older_row(self, release: str, version: str) -> None:
        assert reference(release).version == version

    def test_older_than_every_row_gives_the_oldest(self) -> None:
        assert reference("4.14.336").version == "4.19.0"

    def test_an_unknown_release_gives_the_newest(self) -> None:
        assert reference(None) is newest()

    def test_newest_is_7_3(self) -> None:
        assert newest().name == "v7.3"

    @every_row
    def test_every_row_judges_its_own_release(self, row: Row) -> None:
        assert reference(row.version) is row


class TestVersionKey:
    def test_numbers_compare_as_numbers(self) -> None:
        assert version_key("6.9.0") < version_key("6.12.0") < version_key("6.12.107")

    def test_missing_numbers_are_zero(self) -> None:
        assert version_key("6.12") == (6, 12, 0)


class TestRows:
    def test_they_are_eighteen_and_in_order(self) -> None:
        found = [version_key(row.version) for row in rows()]
        assert len(found) == 18
        assert found == sorted(set(found))

    @every_row
    def test_composites_name_flags_of_the_row_only(self, row: Row) -> None:
        assert {f for members in row.composites.values() for f in members} <= set(row.flags)

    @every_row
    def test_gates_are_symbols_of_the_row(self, row: Row) -> None:
        assert {g for f in row.flags if (g := row.gate(f))} <= set(row.config_symbols)

    @every_row
    def test_bits_shift_knows_every_combination(self, row: Row) -> None:
        assert set(row.bits_shift) == set(shifts(row))

    @every_row
    def test_flags_have_bits_of_their_own_below_the_shift(self, row: Row) -> None:
        for config in shifts(row):
            found = bits(row, config)
            assert len(set(found.values())) == len(found), config
            assert max(found.values()) < row.bits_shift[config], config

    @every_row
    def test_the_shift_ends_right_above_the_highest_flag_where_all_are_on(self, row: Row) -> None:
        config = shifts(row)[-1]
        assert row.bits_shift[config] == max(bits(row, config).values()) + 1

    @every_row
    def test_the_shift_leaves_room_for_the_marks_of_an_xarray(self, row: Row) -> None:
        assert max(row.bits_shift.values()) <= 29

    @every_row
    def test_printing_order_names_each_flag_and_composite_of_the_row_once(self, row: Row) -> None:
        assert len(set(row.trace_names)) == len(row.trace_names)
        assert set(row.trace_names) <= {*row.flags, *row.composites}

    def test_gate_of_an_ungated_or_unknown_flag_is_none(self) -> None:
        assert newest().gate("__GFP_IO") is None
        assert newest().gate("__GFP_NOLOCKDEP") == "CONFIG_LOCKDEP"
        assert newest().gate("__GFP_NEW") is None
