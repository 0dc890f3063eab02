# SPDX-License-Identifier: GPL-2.0-only
"""Guesses of forms from few calls, and forms themselves, on functions whose meaning is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pygfp.forms import MaskFilter, MaskTable, Outcome
from pygfp.mine import MAX_TABLE_BITS, mine, mine_filter, mine_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def calling(function: Callable[[int], Outcome]) -> Callable[[Sequence[int]], list[Outcome]]:
    return lambda inputs: [function(x) for x in inputs]


class TestFilter:
    @pytest.mark.parametrize(("keep", "force"), [(0, 0), (0b1010, 0), (0b1010, 0b0101), (0b1111, 0), (0, 0b1000)])
    def test_it_is_found(self, keep: int, force: int) -> None:
        found = mine_filter(calling(lambda x: Outcome((x & keep) | force)), 4)
        assert found == MaskFilter(keep, force)

    def test_a_flag_that_is_kept_and_forced_is_forced(self) -> None:
        assert mine_filter(calling(lambda x: Outcome((x & 0b11) | 0b10)), 4) == MaskFilter(0b01, 0b10)

    def test_a_bit_above_the_domain_can_be_forced(self) -> None:
        assert mine_filter(calling(lambda x: Outcome(x | 0x100)), 4) == MaskFilter(0xF, 0x100)

    @pytest.mark.parametrize(
        "function",
        [
            lambda x: Outcome(x ^ 1),
            lambda x: Outcome(x, warned=True),
            lambda x: Outcome(x, bug=x == 0),
            lambda x: Outcome(0 if x == 0b0100 else x),
            lambda x: Outcome(0 if x == 0b1000 else x),
            lambda x: Outcome(0 if x == 0b1011 else x),
            lambda x: Outcome(0 if x == 0b0111 else x),
            lambda x: Outcome(x << 1),
        ],
    )
    def test_what_is_none_is_refused(self, function: Callable[[int], Outcome]) -> None:
        assert mine_filter(calling(function), 4) is None

    def test_few_calls_are_made(self) -> None:
        asked: list[int] = []

        def call(inputs: Sequence[int]) -> list[Outcome]:
            asked.extend(inputs)
            return [Outcome(x) for x in inputs]

        mine_filter(call, 5)
        assert sorted(asked) == sorted([0, 31, 1, 2, 4, 8, 16, 30, 29, 27, 23, 15])


class TestTable:
    def test_it_looks_at_the_bits_that_matter(self) -> None:
        found = mine_table(calling(lambda x: Outcome(7 if x & 0b10010 == 0b10010 else 0)), 5)
        assert found == MaskTable((1, 4), (Outcome(0), Outcome(0), Outcome(0), Outcome(7)))

    def test_rows_are_numbered_with_the_lowest_bit_first(self) -> None:
        found = mine_table(calling(lambda x: Outcome((x >> 1 & 1) + 2 * (x >> 3 & 1))), 5)
        assert found == MaskTable((1, 3), (Outcome(0), Outcome(1), Outcome(2), Outcome(3)))

    def test_an_event_matters(self) -> None:
        found = mine_table(calling(lambda x: Outcome(0, bug=bool(x & 1), warned=bool(x & 2))), 3)
        assert found is not None
        assert found.bits == (0, 1)
        assert [r.agrees(Outcome(0, bug=n & 1 == 1, warned=n & 2 == 2)) for n, r in enumerate(found.rows)] == [True] * 4

    def test_one_that_never_changes_has_one_row(self) -> None:
        assert mine_table(calling(lambda _: Outcome(5)), 4) == MaskTable((), (Outcome(5),))

    @pytest.mark.parametrize(
        "special",
        [0b0000, 0b1111, 0b0100, 0b1011, 0b0110, 0b0011, 0b1100],
        ids=["none", "all", "one", "gap", "two", "lowest", "highest"],
    )
    def test_where_a_bit_matters_only_around_one_input(self, special: int) -> None:
        """Around zero, all ones, every single bit and every single gap; two bits are next to one."""
        found = mine_table(calling(lambda x: Outcome(int(x == special))), 4)
        assert found is not None
        assert found.bits == (0, 1, 2, 3)
        assert [n for n, r in enumerate(found.rows) if r.value] == [special]

    def test_every_input_is_below_the_end(self) -> None:
        asked: list[int] = []

        def call(inputs: Sequence[int]) -> list[Outcome]:
            asked.extend(inputs)
            return [Outcome(x & 1) for x in inputs]

        mine_table(call, 3)
        # Zero, all ones, three bits and three gaps, each with three inputs around it; then two rows.
        assert {*asked} == {*range(8)}
        assert len(asked) == 8 * 4 + 2

    def test_as_many_bits_as_are_allowed(self) -> None:
        assert MAX_TABLE_BITS == 10
        found = mine_table(calling(lambda x: Outcome((x & 0x3FF).bit_count())), 11)
        assert found is not None
        assert len(found.rows) == 1024
        assert mine_table(calling(lambda x: Outcome((x & 0x7FF).bit_count())), 12) is None


def test_a_filter_is_mined_as_such() -> None:
    same = calling(lambda x: Outcome(x & 1))
    assert mine(same, 2, is_filter=True) == MaskFilter(1, 0)
    assert mine(same, 2, is_filter=False) == MaskTable((0,), (Outcome(0), Outcome(1)))


class TestOutcome:
    """After BUG a value means nothing, and neither does a warning."""

    @pytest.mark.parametrize(
        ("one", "other", "agree"),
        [
            (Outcome(1), Outcome(1), True),
            (Outcome(1), Outcome(2), False),
            (Outcome(1), Outcome(1, warned=True), False),
            (Outcome(1, warned=True), Outcome(1, warned=True), True),
            (Outcome(1, warned=True), Outcome(2, warned=True), False),
            (Outcome(1, bug=True), Outcome(2, bug=True), True),
            (Outcome(1, bug=True), Outcome(1, bug=True, warned=True), True),
            (Outcome(1, bug=True), Outcome(1), False),
            (Outcome(1), Outcome(1, bug=True), False),
        ],
    )
    def test_agrees(self, one: Outcome, other: Outcome, agree: bool) -> None:  # noqa: FBT001 - a column
        assert one.agrees(other) is agree

    def test_nothing_fires_unless_it_is_said(self) -> None:
        assert Outcome(3) == (3, False, False)


class TestMaskTable:
    TABLE = MaskTable((1, 3), (Outcome(10), Outcome(11), Outcome(12), Outcome(13)))

    @pytest.mark.parametrize(
        ("x", "row"), [(0, 0), (0b0010, 1), (0b1000, 2), (0b1010, 3), (0b0101, 0), (0b1101, 2), (0xFFFFFFFF, 3)]
    )
    def test_an_input_selects_a_row(self, x: int, row: int) -> None:
        assert self.TABLE.index(x) == row
        assert self.TABLE.outcome(x) == Outcome(10 + row)

    def test_the_smallest_input_of_a_row(self) -> None:
        assert [self.TABLE.input(n) for n in range(4)] == [0, 0b0010, 0b1000, 0b1010]

    @pytest.mark.parametrize(
        ("rows", "mask"),
        [
            ((0, 1, 1, 1), 0b1010),
            ((0, 1, 1, 0), None),
            ((1, 1, 1, 1), None),
            ((0, 2, 2, 2), None),
            ((0, 0, 1, 1), None),
        ],
    )
    def test_any_of(self, rows: tuple[int, ...], mask: int | None) -> None:
        assert MaskTable((1, 3), tuple(Outcome(v) for v in rows)).any_of() == mask

    @pytest.mark.parametrize("event", ["bug", "warned"])
    def test_a_row_that_fires_is_no_any_of(self, event: str) -> None:
        rows = (Outcome(0), Outcome(1), Outcome(1), Outcome(1, **{event: True}))
        assert MaskTable((1, 3), rows).any_of() is None


def test_a_filter_answers_keep_and_force() -> None:
    assert MaskFilter(0xF0, 0x01).outcome(0x3C) == Outcome(0x31)


@pytest.mark.parametrize("form", [MaskFilter(1, 2), MaskTable((0,), (Outcome(0), Outcome(1)))])
def test_a_form_cannot_be_changed_and_is_a_key(form: MaskFilter | MaskTable) -> None:
    assert {form: "known"}[type(form)(**vars(form))] == "known"
    with pytest.raises(AttributeError, match="cannot assign"):
        form.keep = 3  # type: ignore[misc, union-attr]
