# SPDX-License-Identifier: GPL-2.0-only
"""
What both sides of a diff have in common, and how two forms differ: worked out by hand. See also ``test_differing.py``.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from judged import GFP_H, TYPES_H, helper, row
from sided import OFF, ON, against, failing, one, two

from pygfp.differing.deltas import Delta, compare, compare_filters, spell
from pygfp.differing.matching import Correspondence, correspond, merged, numbers, numbers_of, when
from pygfp.differing.sides import Side, Sides, home, meaning_in
from pygfp.flags import FlagTable
from pygfp.forms import MaskFilter, MaskTable, Outcome
from pygfp.native.plan import Constant, HelperPlan, Meaning

if TYPE_CHECKING:
    from collections.abc import Mapping

A, B, C, D = "__GFP_A", "__GFP_B", "__GFP_C", "__GFP_D"


def table(width: int = 8, **bits: int | None) -> FlagTable:
    """Flags at bits, None for one that is off."""
    return FlagTable({f"__GFP_{n}": 0 if bit is None else 1 << bit for n, bit in bits.items()}, width)


def matched(old: Mapping[str, int | None], new: Mapping[str, int | None], n_bits: int = 4) -> Correspondence:
    return correspond(table(**old), table(**new), n_bits)


class TestBits:
    """Flags are matched by name, holes by position; where names do not map one to one everything is by position."""

    MOVED = matched({"A": 0, "B": 1}, {"A": 3, "B": 1})

    def test_a_flag_that_moved(self) -> None:
        assert self.MOVED.pairs == ((1, 1), (2, 2), (0, 3))
        assert self.MOVED.labels == (B, "0x4", A)
        assert (self.MOVED.only_old, self.MOVED.only_new, self.MOVED.shared) == ({}, {}, ())

    def test_inputs_are_numbered_by_the_pairs(self) -> None:
        assert [self.MOVED.before(n) for n in range(8)] == [0, 2, 4, 6, 1, 3, 5, 7]
        assert [self.MOVED.after(n) for n in range(8)] == [0, 2, 4, 6, 8, 10, 12, 14]

    def test_flags_of_one_side(self) -> None:
        found = matched({"A": 0, "B": 1, "C": None}, {"B": 1, "C": 2, "D": 3})
        assert found.pairs == ((1, 1),)
        assert (found.only_old, found.only_new) == ({A: 0}, {C: 2, D: 3})

    def test_a_flag_that_lies_where_another_was(self) -> None:
        found = matched({"A": 0, "B": 1}, {"A": 1, "C": 0})
        assert found.pairs == ((0, 1), (2, 2), (3, 3))
        assert (found.only_old, found.only_new) == ({B: 1}, {C: 0})

    @pytest.mark.parametrize("mirrored", [False, True])
    def test_flags_that_share_a_bit_on_one_side(self, *, mirrored: bool) -> None:
        sides = ({"A": 0, "B": 0, "D": 3}, {"B": 2, "A": 0, "C": 1, "D": 3})
        found = matched(*(sides[::-1] if mirrored else sides))
        assert set(found.shared) == {A, B}
        assert found.pairs == ((0, 0), (1, 1), (2, 2), (3, 3))
        # A name that stands elsewhere on the other side does not name the bit.
        assert found.labels == (A, "0x2", "0x4", D)

    def test_what_shares_is_named_once_and_only_where_both_have_it(self) -> None:
        found = matched({"A": 0, "B": 0, "C": 0, "D": 1}, {"A": 0, "B": 2, "D": 2, "X": 2})
        assert found.shared == (A, B, D)

    def test_flags_that_share_a_bit_on_both_sides(self) -> None:
        found = matched({"A": 0, "B": 0}, {"B": 2, "A": 2}, 3)
        assert (found.shared, found.pairs) == ((), ((1, 1), (0, 2)))
        assert found.labels == ("0x2", B)

    @pytest.mark.parametrize(("widths", "bits"), [((8, 6), (4, 5)), ((6, 8), (4, 5)), ((4, 8), ())])
    def test_bits_that_no_input_has(self, widths: tuple[int, int], bits: tuple[int, ...]) -> None:
        found = correspond(table(widths[0], A=0), table(widths[1], A=0), 4)
        assert found.above() == tuple((b, b) for b in bits)

    def test_names_of_bits(self) -> None:
        found = matched({"A": 0, "B": 0}, {"C": 0, "B": 1})
        assert [found.named(side, bit) for side in (0, 1) for bit in (0, 1, 2)] == [A, "0x2", "0x4", C, B, "0x4"]


class TestNumbers:
    """Results are matched by enumerator; one that has no name stands for itself."""

    @pytest.mark.parametrize(
        ("old", "new", "same"),
        [
            ({}, {}, {0: 0, 1: 1, 2: 2, 3: 3}),
            ({"ZONE_A": 0, "ZONE_B": 1}, {"ZONE_B": 0, "ZONE_A": 1}, {0: 1, 1: 0, 2: 2, 3: 3}),
            # One that is gone is nothing, and so is a number that has become one.
            ({"ZONE_A": 0, "ZONE_B": 1}, {"ZONE_A": 0}, {0: 0, 2: 2, 3: 3}),
            ({"ZONE_A": 0}, {"ZONE_A": 0, "ZONE_B": 1}, {0: 0, 2: 2, 3: 3}),
            ({"ZONE_A": 0}, {"ZONE_A": 0, "ZONE_B": 2}, {0: 0, 1: 1, 3: 3}),
            ({"ZONE_A": 2}, {"ZONE_A": 0}, {1: 1, 2: 0, 3: 3}),
            ({"ZONE_A": 2}, {"ZONE_A": 2, "ZONE_B": 1}, {0: 0, 2: 2, 3: 3}),
            # Two of one value that part: the number stands for itself where it is one of them.
            ({"ZONE_A": 1, "ZONE_B": 1}, {"ZONE_A": 1, "ZONE_B": 2}, {0: 0, 1: 1, 3: 3}),
            ({"ZONE_A": 1, "ZONE_B": 1}, {"ZONE_A": 0, "ZONE_B": 2}, {3: 3}),
            ({"ZONE_A": 1, "ZONE_B": 1}, {"ZONE_A": 3}, {0: 0, 1: 3, 2: 2}),
        ],
    )
    def test_which_are_the_same(self, old: dict[str, int], new: dict[str, int], same: dict[int, int]) -> None:
        names = numbers(old, new)
        found = {pair for pair in product(range(4), repeat=2) if names.same(*pair)}
        assert found == set(same.items())

    def test_how_they_are_renamed(self) -> None:
        assert numbers({}, {}).renamed == ()
        assert numbers({"ZONE_A": 0, "ZONE_B": 1}, {"ZONE_B": 0, "ZONE_A": 1}).renamed == (1, 0)
        # What is nothing on the new side is beyond every number of a helper.
        gone = numbers({"ZONE_A": 0, "ZONE_B": 1}, {}).renamed
        assert len(set(gone)) == 2
        assert min(gone) > 1 << 60
        assert max(gone) < 1 << 63
        added = numbers({}, {"ZONE_A": 1}).renamed
        assert added[0] == 0
        assert len(added) == 2
        assert 1 << 60 < added[1] < 1 << 63

    def test_names(self) -> None:
        names = numbers({"ZONE_A": 0, "ZONE_B": 1}, {"ZONE_B": 0, "ZONE_A": 1, "ZONE_LAST": 1})
        assert [names.before(n) for n in range(3)] == ["ZONE_A", "ZONE_B", "2"]
        assert [names.after(n) for n in range(3)] == ["ZONE_B", "ZONE_A", "2"]

    def test_truth(self) -> None:
        names = numbers({}, {}, is_truth=True)
        assert [names.before(n) for n in range(3)] == ["false", "true", "2"]
        assert [names.after(n) for n in range(3)] == ["false", "true", "2"]

    @pytest.mark.parametrize(
        ("name", "result", "shown"),
        [
            ("gfp_new", "enum zone_type", "ZONE_X"),
            ("gfp_new", "enum migratetype", "MIGRATE_X"),
            ("gfp_zone", "int", "ZONE_X"),
            ("gfp_zonelist", "int", "ZONELIST_X"),
            ("gfp_migratetype", "int", "MIGRATE_X"),
            ("gfpflags_to_migratetype", "int", "MIGRATE_X"),
            ("gfp_new", "int", "1"),
            ("gfp_new", "bool", "true"),
            ("gfp_new", "_Bool", "true"),
            # What it returns says more than what it is called.
            ("gfp_zone", "enum migratetype", "MIGRATE_X"),
        ],
    )
    def test_which_enumerators_a_helper_returns(self, name: str, result: str, shown: str) -> None:
        named = {f"{n}_X": Constant(1, 4, is_gfp_t=False) for n in ("ZONE", "MIGRATE", "ZONELIST", "OTHER")}
        found = numbers_of(helper(name, result), named, {})
        assert (found.before(1), found.after(1)) == (shown, "true" if shown == "true" else "1")
        found = numbers_of(helper(name, result), {}, named)
        assert found.after(1) == shown


SYMBOLS = ("CONFIG_A", "CONFIG_B")
EVERY = [dict(zip(SYMBOLS, values, strict=True)) for values in product((False, True), repeat=2)]
NEITHER, ONLY_B, ONLY_A, BOTH = EVERY


class TestWords:
    """Configurations in words, and what changes in them."""

    @pytest.mark.parametrize(
        ("some", "words"),
        [
            (EVERY, ""),
            ([ONLY_A, BOTH], "when CONFIG_A"),
            ([NEITHER, ONLY_A], "when not CONFIG_B"),
            ([ONLY_A], "when CONFIG_A and not CONFIG_B"),
            ([NEITHER, BOTH], "when CONFIG_A and CONFIG_B, or when not CONFIG_A and not CONFIG_B"),
            ([ONLY_A, ONLY_B, BOTH], "when CONFIG_A, or when CONFIG_B"),
        ],
    )
    def test_which_configurations(self, some: list[dict[str, bool]], words: str) -> None:
        assert when(some, EVERY) == words

    def test_what_is_the_same_everywhere_is_not_said(self) -> None:
        every = [{**c, "CONFIG_Z": True} for c in (NEITHER, ONLY_B)]
        assert when(every[1:], every) == "when CONFIG_B"

    def test_combinations_that_are_not_judged(self) -> None:
        assert when([BOTH], [NEITHER, ONLY_A, BOTH]) == "when CONFIG_B"

    def test_changes_over_all_configurations(self) -> None:
        found = [
            (NEITHER, {A: "keep -> drop", B: "keep -> drop", C: "drop -> keep"}),
            (ONLY_B, {A: "keep -> drop", B: "keep -> drop"}),
            (ONLY_A, {A: "keep -> drop", B: "keep -> drop", C: "keep -> force"}),
            (BOTH, {A: "keep -> drop", B: "keep -> drop", D: "keep -> drop"}),
        ]
        assert merged(found, EVERY) == (
            {
                A: "keep -> drop",
                B: "keep -> drop",
                C: "drop -> keep when not CONFIG_A and not CONFIG_B; keep -> force when CONFIG_A and not CONFIG_B",
                D: "keep -> drop",
            },
            [
                f"{A}, {B} keep -> drop",
                f"{C} drop -> keep when not CONFIG_A and not CONFIG_B",
                f"{C} keep -> force when CONFIG_A and not CONFIG_B",
                f"{D} keep -> drop when CONFIG_A and CONFIG_B",
            ],
        )


NO_NUMBERS = numbers({}, {})
DROP, KEEP, FORCE = MaskFilter(0, 0), MaskFilter(1, 0), MaskFilter(0, 1)


class TestFilters:
    """``(x & keep) | force`` before and after."""

    ONE = matched({"A": 0}, {"A": 0}, 1)
    TWO = matched({"A": 0, "B": 1, "C": 2}, {"A": 0, "B": 1, "C": 2}, 3)

    @pytest.mark.parametrize(
        ("old", "new", "differing", "smallest", "change"),
        [
            (DROP, KEEP, 1, 1, "drop -> keep"),
            (KEEP, DROP, 1, 1, "keep -> drop"),
            (KEEP, FORCE, 1, 0, "keep -> force"),
            (FORCE, KEEP, 1, 0, "force -> keep"),
            (DROP, FORCE, 2, 0, "drop -> force"),
            (FORCE, DROP, 2, 0, "force -> drop"),
        ],
    )
    def test_one_flag(self, old: MaskFilter, new: MaskFilter, differing: int, smallest: int, change: str) -> None:
        assert compare_filters(old, new, self.ONE) == Delta(2, differing, smallest, {A: change})

    @pytest.mark.parametrize("form", [DROP, KEEP, FORCE, MaskFilter(1, 1)])
    def test_no_difference(self, form: MaskFilter) -> None:
        assert compare_filters(form, form, self.ONE) == Delta(2, 0)
        assert compare(form, form, self.ONE, NO_NUMBERS) == {"value": Delta(2, 0)}

    def test_what_is_forced_is_not_kept(self) -> None:
        assert compare_filters(MaskFilter(1, 1), FORCE, self.ONE) == Delta(2, 0)

    def test_several_flags(self) -> None:
        # Kept against dropped twice: one input in four agrees, and the third flag is the same.
        delta = compare_filters(MaskFilter(0b110, 0), MaskFilter(0, 0), self.TWO)
        assert delta == Delta(8, 6, 0b010, {B: "keep -> drop", C: "keep -> drop"})
        delta = compare_filters(MaskFilter(0b110, 0), MaskFilter(0b010, 0b001), self.TWO)
        assert delta == Delta(8, 8, 0, {A: "drop -> force", C: "keep -> drop"})

    @pytest.mark.parametrize("is_new", [True, False])
    def test_one_that_a_side_alone_has_and_forces(self, *, is_new: bool) -> None:
        sides = [{"A": 0}, {"A": 0, "B": 1}]
        forms = [MaskFilter(1, 0), MaskFilter(1, 2)]
        match = matched(*(sides if is_new else sides[::-1]), 2)
        change = "absent -> force" if is_new else "force -> absent"
        assert compare_filters(*(forms if is_new else forms[::-1]), match) == Delta(2, 2, 0, {B: change})
        kept = [MaskFilter(1, 0), MaskFilter(3, 0)]
        assert compare_filters(*(kept if is_new else kept[::-1]), match) == Delta(2, 0)

    @pytest.mark.parametrize(
        ("old", "new", "change"),
        [
            (MaskFilter(1, 0), MaskFilter(1, 4), "drop -> force"),
            (MaskFilter(1, 4), MaskFilter(1, 0), "force -> drop"),
            # No input has the bit: kept is as good as dropped.
            (MaskFilter(5, 0), MaskFilter(1, 4), "drop -> force"),
            (MaskFilter(1, 4), MaskFilter(5, 0), "force -> drop"),
        ],
    )
    def test_a_bit_that_no_input_has(self, old: MaskFilter, new: MaskFilter, change: str) -> None:
        assert compare_filters(old, new, self.ONE) == Delta(2, 2, 0, {"0x4": change})

    def test_a_bit_that_no_input_has_and_both_treat_alike(self) -> None:
        assert compare_filters(MaskFilter(5, 0), MaskFilter(1, 0), self.ONE) == Delta(2, 0)
        assert compare_filters(MaskFilter(1, 4), MaskFilter(1, 4), self.ONE) == Delta(2, 0)

    def test_the_highest_and_the_lowest_of_such_bits(self) -> None:
        delta = compare_filters(MaskFilter(0, 0), MaskFilter(0, 0b1010), self.ONE)
        assert delta.flags == {"0x2": "drop -> force", "0x8": "drop -> force"}


def truth(*bits: int) -> MaskTable:
    """True where all of *bits* are set."""
    return MaskTable(bits, (*(Outcome(0),) * ((1 << len(bits)) - 1), Outcome(1)))


class TestTables:
    """A table over a few bits before and after."""

    MATCH = matched({"A": 0, "B": 1, "C": 2}, {"A": 0, "B": 1, "C": 2})
    NAMES = numbers({"ZONE_X": 1, "ZONE_Y": 2}, {"ZONE_X": 2, "ZONE_Y": 1})

    def test_each_aspect_is_there(self) -> None:
        same = Delta(16, 0)
        found = compare(truth(0), truth(0), self.MATCH, NO_NUMBERS)
        assert found == {"value": same, "bug": same, "warning": same}
        assert list(found) == ["value", "bug", "warning"]

    def test_another_bit(self) -> None:
        delta = compare(truth(0), truth(1), self.MATCH, NO_NUMBERS)["value"]
        assert delta == Delta(16, 8, 0b01, {A: "1 -> 0", B: "0 -> 1"})

    def test_a_combination(self) -> None:
        delta = compare(truth(0, 1), truth(0, 1, 2), self.MATCH, NO_NUMBERS)["value"]
        assert delta == Delta(16, 2, 0b011, {f"{A}|{B}": "1 -> 0"})

    def test_what_changes_as_a_part_of_it_does_is_not_told_again(self) -> None:
        new = MaskTable((0, 1), tuple(map(Outcome, (0, 5, 6, 5))))
        delta = compare(MaskTable((), (Outcome(0),)), new, self.MATCH, NO_NUMBERS)["value"]
        assert delta == Delta(16, 12, 0b01, {A: "0 -> 5", B: "0 -> 6"})
        new = MaskTable((0, 1), tuple(map(Outcome, (0, 5, 6, 7))))
        delta = compare(MaskTable((), (Outcome(0),)), new, self.MATCH, NO_NUMBERS)["value"]
        assert delta.flags == {A: "0 -> 5", B: "0 -> 6", f"{A}|{B}": "0 -> 7"}

    def test_the_lowest_of_as_many_bits_comes_first(self) -> None:
        new = MaskTable((0, 1), tuple(map(Outcome, (0, 6, 5, 7))))
        delta = compare(MaskTable((), (Outcome(0),)), new, self.MATCH, NO_NUMBERS)["value"]
        assert list(delta.flags.items()) == [(A, "0 -> 6"), (B, "0 -> 5"), (f"{A}|{B}", "0 -> 7")]

    def test_the_smallest_has_the_fewest_bits(self) -> None:
        new = MaskTable((0, 1, 2), tuple(Outcome(int(n in {3, 4})) for n in range(8)))
        delta = compare(MaskTable((), (Outcome(0),)), new, self.MATCH, NO_NUMBERS)["value"]
        assert (delta.smallest, list(delta.flags)) == (4, [C, f"{A}|{B}"])

    def test_a_flag_that_moved(self) -> None:
        match = matched({"A": 0, "B": 1}, {"A": 3, "B": 1})
        assert compare(truth(0), truth(3), match, NO_NUMBERS)["value"] == Delta(8, 0)
        # The old bit of A is nobody's: it is held 0, and so the answer is no.
        delta = compare(truth(0), truth(0), match, NO_NUMBERS)["value"]
        assert delta == Delta(8, 4, 0b100, {A: "1 -> 0"})

    def test_numbers_by_name(self) -> None:
        delta = compare(
            MaskTable((0,), (Outcome(1), Outcome(2))), MaskTable((0,), (Outcome(2), Outcome(2))), self.MATCH, self.NAMES
        )["value"]
        assert delta == Delta(16, 8, 1, {A: "ZONE_Y -> ZONE_X"})

    @pytest.mark.parametrize(
        ("old", "new", "aspect", "change"),
        [
            (Outcome(1), Outcome(9, bug=True), "bug", "ZONE_X -> BUG"),
            (Outcome(9, bug=True), Outcome(1), "bug", "BUG -> ZONE_Y"),
            (Outcome(9, bug=True), Outcome(8, bug=True, warned=True), None, None),
            (Outcome(1, warned=True), Outcome(9, bug=True), "bug", "ZONE_X -> BUG"),
            (Outcome(1), Outcome(2, warned=True), "warning", "no WARN -> WARN"),
            (Outcome(1, warned=True), Outcome(2), "warning", "WARN -> no WARN"),
            (Outcome(1, warned=True), Outcome(2, warned=True), None, None),
            (Outcome(1, warned=True), Outcome(1, warned=True), "value", "ZONE_X -> ZONE_Y"),
        ],
    )
    def test_one_input_in_two(self, old: Outcome, new: Outcome, aspect: str | None, change: str | None) -> None:
        before, after = (MaskTable((1,), (Outcome(0), row)) for row in (old, new))
        found = compare(before, after, self.MATCH, self.NAMES)
        assert {a for a, delta in found.items() if delta.differing} == ({aspect} - {None})
        if aspect and change:
            assert found[aspect] == Delta(16, 8, 0b10, {B: change})

    def test_the_words_for_an_input(self) -> None:
        match = matched({"A": 0, "B": 1}, {"A": 3, "B": 1})
        assert [spell(n, match) for n in (0, 1, 2, 5)] == ["no flag", B, "0x4", f"{B}|{A}"]

    def test_a_filter_and_a_table_are_refused(self) -> None:
        for forms in ((DROP, truth()), (truth(), DROP)):
            with pytest.raises(TypeError, match=r"^a filter and a table cannot be compared: Mask"):
                compare(*forms, self.MATCH, NO_NUMBERS)


class TestSides:
    """What both sides have in common: inputs, configurations, flags."""

    @pytest.mark.parametrize(
        ("old", "new", "n_bits"),
        [
            (one(), one(), 11),
            (one(__GFP_BITS_SHIFT=None), one(), 11),
            (one(__GFP_BITS_SHIFT=3), one(__GFP_BITS_SHIFT=3), 11),
            (one(__GFP_BITS_SHIFT=13), one(), 13),
            (one(), one(__GFP_NEW=1 << 13), 14),
            (one(__GFP_NEW=1 << 13), one(__GFP_BITS_SHIFT=12), 14),
            (one(__GFP_NEW=1 << 20), {**one(), "gfp_t_bits": 16}, 16),
            ({**one(__GFP_NEW=1 << 40), "gfp_t_bits": 64}, {**one(), "gfp_t_bits": 64}, 32),
        ],
    )
    def test_how_many_bits_inputs_have(self, old: dict[str, Any], new: dict[str, Any], n_bits: int) -> None:
        assert against(old, new).n_bits == n_bits

    def test_the_bits_of_every_configuration_count(self) -> None:
        assert against(two({"__GFP_NEW": 1 << 14}, {}), one()).n_bits == 15

    @pytest.mark.parametrize(("old", "new", "n_bits"), [(32, 64, 32), (64, 64, 32), (16, 32, 16)])
    def test_full_is_the_narrower_type(self, old: int, new: int, n_bits: int) -> None:
        sides = against({"gfp_t_bits": old}, {"gfp_t_bits": new}, full=True)
        assert sides.n_bits == n_bits
        assert sides.domain == f"every value below 2^{n_bits} of gfp_t (2^{n_bits} inputs)"

    def test_the_inputs_in_words(self) -> None:
        sides = against(one(), one())
        assert Sides(sides.old, sides.new).domain == sides.domain
        assert against(one(), one()).domain == "every value of the defined bits (2^11 inputs)"
        assert against(one(), one(), full=True).domain == "every value of gfp_t (2^32 inputs)"

    def test_flags_are_looked_at_where_symbols_are_on(self) -> None:
        sides = against(
            {"flag_symbols": ["CONFIG_C", "CONFIG_A"]}, {"flag_symbols": ["CONFIG_B"]}, fixed={"CONFIG_C": False}
        )
        assert sides.flag_symbols == ["CONFIG_A", "CONFIG_B", "CONFIG_C"]
        assert sides.with_flags(OFF) == {"CONFIG_A": False, "CONFIG_B": True, "CONFIG_C": False}

    def test_choices(self) -> None:
        sides = against(one(), {**one(), "fixed": {"CONFIG_B": True}})
        assert sides.choices(["CONFIG_B", "CONFIG_A", "CONFIG_A"]) == [{**c, "CONFIG_B": True} for c in (OFF, ON)]

    def test_flags_are_matched_where_both_sides_are_built(self) -> None:
        sides = against(two({}, {"__GFP_IO": 1 << 11}), two({}, {}))
        moved = sides.matched(ON)
        assert moved is not None
        assert (11, 4) in moved.pairs
        assert sides.matched(ON) is moved
        assert sides.matched({}) is moved
        plain = sides.matched(OFF)
        assert plain is not None
        assert (4, 4) in plain.pairs
        for kernels in ((failing(on="why"), failing()), (failing(), failing(on="why"))):
            assert against(*kernels).matched(ON) is None

    def test_the_segment_of_what_is_known(self) -> None:
        side = against(two({}, {}), one()).old
        found = side.segment({**ON, "CONFIG_B": True}, ["CONFIG_A", "CONFIG_C"])
        assert found is not None
        assert found.index == 1
        assert side.segment({**ON, "CONFIG_B": True}, ["CONFIG_A", "CONFIG_B"]) is None
        assert against(failing(on="why"), one()).old.segment(ON, ["CONFIG_A"]) is None

    @pytest.mark.parametrize(
        ("homes", "path", "has"),
        [
            ([GFP_H], GFP_H, True),
            (["mm/slab.c"], GFP_H, False),
            (["mm/slab.c", TYPES_H], GFP_H, True),
            (None, GFP_H, True),
            (None, "mm/slab.c", False),
            ([GFP_H], "mm/slab.c", False),
        ],
    )
    def test_the_file_of_a_helper(self, homes: Any, path: str, *, has: bool) -> None:  # noqa: ANN401
        files = {"gfp_zone": homes} if homes else {}
        side: Side = against({"reference": row(helper_files=files)}, one()).old
        assert side.has_file_of("gfp_zone", path) is has

    def test_the_meaning_in_a_configuration(self) -> None:
        off, on = Meaning(3, [OFF]), Meaning(4, [{"CONFIG_B": True}, ON])
        plan = HelperPlan("f", GFP_H, 1, meanings=[off, on])
        assert (meaning_in(plan, {**OFF, "CONFIG_B": False}), meaning_in(plan, ON)) == (off, on)
        assert (home(plan, OFF), home(plan, ON), home(plan, {})) == (3, 4, None)
        assert meaning_in(plan, {}) is None
