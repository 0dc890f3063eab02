# SPDX-License-Identifier: GPL-2.0-only
"""
What a diff counts and says, against a plain loop over every input that knows only the definition.

The definition is in ``brute.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

import pytest
from brute import Meaning
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pygfp.differing.deltas import ASPECTS, compare
from pygfp.differing.matching import correspond, merged, numbers, when
from pygfp.flags import FlagTable
from pygfp.forms import MaskFilter, MaskTable, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pygfp.differing.deltas import Delta
    from pygfp.differing.matching import Correspondence

#: Bits of an input; a result has a few more.
BITS, WIDTH = 6, 8
NAMES = tuple(f"__GFP_{c}" for c in "ABCDEFG")

THOROUGH = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def table(flags: Mapping[str, int | None]) -> FlagTable:
    """Flags at bits; None is one that is off."""
    masks = {name: 0 if bit is None else 1 << bit for name, bit in flags.items()}
    return FlagTable(masks, WIDTH, BITS)


@st.composite
def placements(draw: st.DrawFn) -> dict[str, int | None]:
    """Some of the names, each at a bit that another may have too, or off."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return {name: draw(st.none() | st.integers(0, BITS - 1)) for name in names}


@st.composite
def moved(draw: st.DrawFn) -> tuple[dict[str, int | None], dict[str, int | None]]:
    """Two placements, of which the second is often the first with little changed."""
    old = draw(placements())
    if draw(st.booleans()):
        return old, draw(placements())
    new = dict(old)
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        new[name] = draw(st.none() | st.integers(0, BITS - 1))
    return old, new


FILTERS = st.builds(MaskFilter, st.integers(0, (1 << BITS) - 1), st.integers(0, (1 << WIDTH) - 1))
OUTCOMES = st.builds(Outcome, st.integers(0, 3), st.booleans(), st.booleans())


@st.composite
def tables(draw: st.DrawFn) -> MaskTable:
    bits = tuple(sorted(draw(st.sets(st.integers(0, BITS - 1), max_size=3))))
    rows = draw(st.lists(OUTCOMES, min_size=1 << len(bits), max_size=1 << len(bits)))
    return MaskTable(bits, tuple(rows))


@dataclass
class Truth:
    """What the loop found of one aspect."""

    inputs: int
    differing: list[tuple[int, int]]

    def require(self, delta: Delta, match: Correspondence) -> None:
        """Counts, and the smallest: fewest bits, then the lowest of the side after."""
        assert (delta.inputs, delta.differing) == (self.inputs, len(self.differing))
        if not self.differing:
            assert delta.smallest is None
            assert not delta.flags
            return
        before, after = min(self.differing, key=lambda pair: (pair[1].bit_count(), pair[1]))
        assert delta.smallest is not None
        assert (match.before(delta.smallest), match.after(delta.smallest)) == (before, after)


def loop(meaning: Meaning, differs: Callable[[int, int], bool]) -> Truth:
    every = list(meaning.inputs())
    return Truth(len(every), [pair for pair in every if differs(*pair)])


def fate(outputs: list[tuple[bool, bool]]) -> str:
    """What became of a flag, from (in the input, in the output) of every input."""
    if all(out for _, out in outputs):
        return "force"
    return "keep" if any(out for _, out in outputs) else "drop"


def spelled(thing: object, side: int, bit: int, meaning: Meaning) -> set[str]:
    """How a change may name a bit: by a flag that stands there on every side that has the thing, else in hex."""
    at = [Meaning.at(t, bit) for t in meaning.tables]
    if isinstance(thing, frozenset):
        return set(thing)
    own = at[side] if isinstance(thing, tuple) else at[0] & at[1]
    return own or {f"{1 << bit:#x}"}


class TestFilters:
    """``(x & keep) | force`` before and after: counted, named, and shown exactly."""

    @THOROUGH
    @given(moved(), FILTERS, FILTERS)
    def test_counts_and_the_smallest(
        self, tables: tuple[dict[str, int | None], dict[str, int | None]], old: MaskFilter, new: MaskFilter
    ) -> None:
        before, after = table(tables[0]), table(tables[1])
        meaning, match = Meaning(before, after, BITS, WIDTH), correspond(before, after, BITS)
        assert bool(match.shared) == meaning.by_position
        found = compare(old, new, match, numbers({}, {}))
        assert set(found) == {"value"}
        truth = loop(
            meaning,
            lambda x, y: meaning.things(0, old.outcome(x).value) != meaning.things(1, new.outcome(y).value),
        )
        truth.require(found["value"], match)

    @THOROUGH
    @given(moved(), FILTERS, FILTERS)
    def test_flags(
        self, tables: tuple[dict[str, int | None], dict[str, int | None]], old: MaskFilter, new: MaskFilter
    ) -> None:
        before, after = table(tables[0]), table(tables[1])
        meaning = Meaning(before, after, BITS, WIDTH)
        said = dict(compare(old, new, correspond(before, after, BITS), numbers({}, {}))["value"].flags)
        every = list(meaning.inputs())
        seen = [old.outcome(x).value for x, _ in every], [new.outcome(y).value for _, y in every]
        homes = [{meaning.thing(side, b): b for b in range(WIDTH)} for side in (0, 1)]
        for thing in {**homes[0], **homes[1]}:
            fates = ["absent", "absent"]
            names: set[str] = set()
            for side in (0, 1):
                if thing not in homes[side]:
                    continue
                bit = homes[side][thing]
                names |= spelled(thing, side, bit, meaning)
                outputs = [
                    (pair[side] >> bit & 1 == 1, out >> bit & 1 == 1)
                    for pair, out in zip(every, seen[side], strict=True)
                ]
                fates[side] = fate(outputs)
            if fates[0] == fates[1] or ("force" not in fates and "absent" in fates):
                continue  # what one side alone has and drops is in no result
            shown = {name for name in names if name in said}
            assert len(shown) == 1, (thing, fates, said)
            assert said.pop(shown.pop()) == " -> ".join(fates)
        assert not said

    def test_a_bit_that_only_one_side_can_set_is_seen(self) -> None:
        # __GFP_A is gone, and the filter sets its old bit, a hole now.
        match = correspond(table({"__GFP_A": 2}), table({}), BITS)
        delta = compare(MaskFilter(0, 0), MaskFilter(0, 4), match, numbers({}, {}))["value"]
        assert (delta.inputs, delta.differing, delta.smallest) == (32, 32, 0)
        assert delta.flags == {"0x4": "absent -> force"}


class TestTables:
    """A table over a few bits before and after."""

    @THOROUGH
    @given(moved(), tables(), tables())
    def test_counts_and_the_smallest(
        self, flags: tuple[dict[str, int | None], dict[str, int | None]], old: MaskTable, new: MaskTable
    ) -> None:
        before, after = table(flags[0]), table(flags[1])
        meaning, match = Meaning(before, after, BITS, WIDTH), correspond(before, after, BITS)
        # ZONE_X is 1 before and 2 after; 0 and 3 are numbers.
        found = compare(old, new, match, numbers({"ZONE_X": 1}, {"ZONE_X": 2}))
        same = {(0, 0), (1, 2), (3, 3)}

        def value(a: Outcome, b: Outcome) -> bool:
            return not a.bug and not b.bug and (a.value, b.value) not in same

        def bug(a: Outcome, b: Outcome) -> bool:
            return a.bug is not b.bug

        def warning(a: Outcome, b: Outcome) -> bool:
            return not a.bug and not b.bug and a.warned is not b.warned

        assert tuple(found) == ASPECTS
        for aspect, differs in {"value": value, "bug": bug, "warning": warning}.items():
            truth = loop(meaning, lambda x, y, differs=differs: differs(old.outcome(x), new.outcome(y)))
            truth.require(found[aspect], match)

    @THOROUGH
    @given(moved(), tables(), tables())
    def test_what_is_said_of_a_combination_is_so(
        self, flags: tuple[dict[str, int | None], dict[str, int | None]], old: MaskTable, new: MaskTable
    ) -> None:
        before, after = table(flags[0]), table(flags[1])
        match = correspond(before, after, BITS)
        found = compare(old, new, match, numbers({}, {}))["value"]
        said = []
        for label, change in found.flags.items():
            wanted = set() if label == "no flag" else set(label.split("|"))
            number = sum(1 << n for n, name in enumerate(match.labels) if name in wanted)
            assert number.bit_count() == len(wanted)
            was, now = old.outcome(match.before(number)), new.outcome(match.after(number))
            assert change == f"{was.value} -> {now.value}"
            said.append((number, change))
        for number in range(1 << len(match.pairs)):
            was, now = old.outcome(match.before(number)), new.outcome(match.after(number))
            if not was.bug and not now.bug and was.value != now.value:
                change = f"{was.value} -> {now.value}"
                assert any(part & number == part and change == c for part, c in said), (number, change)

    def test_a_filter_and_a_table_are_refused(self) -> None:
        match = correspond(table({}), table({}), BITS)
        with pytest.raises(TypeError, match="cannot be compared"):
            compare(MaskFilter(0, 0), MaskTable((), (Outcome(0),)), match, numbers({}, {}))


class TestBits:
    """Which bits are the same thing."""

    def test_a_flag_that_moved_is_paired_by_name_and_its_old_place_is_nobodys(self) -> None:
        match = correspond(table({"__GFP_A": 0, "__GFP_B": 1}), table({"__GFP_A": 3, "__GFP_B": 1}), 4)
        assert match.pairs == ((1, 1), (2, 2), (0, 3))
        assert match.labels == ("__GFP_B", "0x4", "__GFP_A")
        assert not match.only_old
        assert not match.only_new

    def test_flags_of_one_side_are_named(self) -> None:
        match = correspond(table({"__GFP_A": 0, "__GFP_B": None}), table({"__GFP_B": 0, "__GFP_C": 2}), 3)
        assert match.pairs == ((1, 1),)
        assert (match.only_old, match.only_new) == ({"__GFP_A": 0}, {"__GFP_B": 0, "__GFP_C": 2})

    def test_two_flags_on_one_bit_on_both_sides_are_one_thing(self) -> None:
        match = correspond(table({"__GFP_A": 0, "__GFP_B": 0}), table({"__GFP_A": 2, "__GFP_B": 2}), 3)
        assert not match.shared
        assert match.pairs == ((1, 1), (0, 2))

    @pytest.mark.parametrize("is_old", [True, False])
    def test_two_flags_on_one_bit_on_one_side_only_are_reported(self, *, is_old: bool) -> None:
        shared, apart = table({"__GFP_A": 0, "__GFP_B": 0}), table({"__GFP_A": 0, "__GFP_B": 2})
        match = correspond(*((shared, apart) if is_old else (apart, shared)), 3)
        assert match.shared == ("__GFP_A", "__GFP_B")
        assert match.pairs == ((0, 0), (1, 1), (2, 2))

    @THOROUGH
    @given(moved())
    def test_there_and_back_are_mirrored(self, flags: tuple[dict[str, int | None], dict[str, int | None]]) -> None:
        before, after = table(flags[0]), table(flags[1])
        there, back = correspond(before, after, BITS), correspond(after, before, BITS)
        assert {(b, a) for a, b in there.pairs} == set(back.pairs)
        assert (there.only_old, there.only_new) == (back.only_new, back.only_old)
        assert set(there.shared) == set(back.shared)


class TestNumbers:
    """Results that are numbers are matched by enumerator; a number without one stands for itself."""

    ENUMERATORS = st.dictionaries(st.sampled_from([f"ZONE_{c}" for c in "ABCDE"]), st.integers(0, 4))

    @THOROUGH
    @given(ENUMERATORS, ENUMERATORS)
    def test_by_the_definition(self, old: dict[str, int], new: dict[str, int]) -> None:
        names = numbers(old, new)
        for before, after in product(range(7), repeat=2):
            mine = {n for n, v in old.items() if v == before}
            theirs = {n for n, v in new.items() if v == after}
            homes = {new[n] for n in mine if n in new}
            joined = any(n not in mine and new.get(n) in homes for n in old)
            if len(homes) == 1 and joined:
                # Two of different values are one now: likewise.
                expected = after == before
            elif len(homes) > 1:
                # Two enumerators of one value part: no name tells which is meant, so the number does.
                expected = after == before and before in homes
            elif homes:
                expected = after in homes
            else:
                expected = not mine and not theirs and before == after
            assert names.same(before, after) == expected, (before, after)

    def test_names(self) -> None:
        names = numbers({"ZONE_A": 0, "ZONE_B": 1}, {"ZONE_B": 0, "ZONE_A": 1})
        assert (names.before(0), names.after(0), names.before(9)) == ("ZONE_A", "ZONE_B", "9")

    def test_truth(self) -> None:
        names = numbers({}, {}, is_truth=True)
        assert (names.before(0), names.after(1), names.after(2)) == ("false", "true", "2")


SYMBOLS = ("CONFIG_A", "CONFIG_B", "CONFIG_C")
EVERY = [dict(zip(SYMBOLS, values, strict=True)) for values in product((False, True), repeat=3)]


def holds(words: str, config: Mapping[str, bool]) -> bool:
    """Whether *words*, which begin with ``when`` or are empty, are so of *config*: read as a person would."""
    if not words:
        return True
    assert words.startswith("when ")
    return any(
        all(config[term.removeprefix("not ")] is not term.startswith("not ") for term in part.split(" and "))
        for part in words.removeprefix("when ").split(", or when ")
    )


def subsets() -> Iterable[list[dict[str, bool]]]:
    for n in range(1, len(EVERY) + 1):
        yield from (list(c) for c in combinations(EVERY, n))


class TestConfigurations:
    """The words for a set of configurations are true of these and of no others."""

    def test_every_set_of_eight(self) -> None:
        for some in subsets():
            words = when(some, EVERY)
            assert [c for c in EVERY if holds(words, c)] == some, (words, some)

    @THOROUGH
    @given(st.data())
    def test_where_not_every_combination_is_judged(self, data: st.DataObject) -> None:
        every = data.draw(st.lists(st.sampled_from(EVERY), unique_by=str, min_size=1))
        chosen = data.draw(st.lists(st.sampled_from(every), unique_by=str, min_size=1))
        some = [c for c in every if c in chosen]
        words = when(some, every)
        assert [c for c in every if holds(words, c)] == some, words

    @pytest.mark.parametrize(
        ("on", "words"),
        [
            (lambda _: True, ""),
            (lambda c: c["CONFIG_A"], "when CONFIG_A"),
            (lambda c: not c["CONFIG_B"], "when not CONFIG_B"),
            (lambda c: c["CONFIG_A"] and not c["CONFIG_C"], "when CONFIG_A and not CONFIG_C"),
            (lambda c: c["CONFIG_A"] or c["CONFIG_C"], "when CONFIG_A, or when CONFIG_C"),
            (lambda c: not (c["CONFIG_A"] and c["CONFIG_B"]), "when not CONFIG_A, or when not CONFIG_B"),
        ],
    )
    def test_the_words_are_short(self, on: Callable[[dict[str, bool]], bool], words: str) -> None:
        assert when([c for c in EVERY if on(c)], EVERY) == words

    CHANGES = st.sampled_from(["keep -> drop", "drop -> keep"])

    @THOROUGH
    @given(st.lists(st.dictionaries(st.sampled_from(NAMES[:3]), CHANGES), min_size=8, max_size=8))
    def test_merged_says_each_change_where_it_is_and_nowhere_else(self, by_config: list[dict[str, str]]) -> None:
        flags, words = merged(zip(EVERY, by_config, strict=True), EVERY)
        said = [re.fullmatch(r"(.+?) ((?:keep|drop) -> (?:keep|drop)) ?(when .*)?", line) for line in words]
        for config, changes in zip(EVERY, by_config, strict=True):
            here = [m for m in said if m and holds(m[3] or "", config)]
            assert sorted((n, m[2]) for m in here for n in m[1].split(", ")) == sorted(changes.items())
        for flag, change in flags.items():
            parts = {line.split(" when ")[0] for line in change.split("; ")}
            assert parts == {c[flag] for c in by_config if flag in c}
            if len(parts) > 1:
                for config, changes in zip(EVERY, by_config, strict=True):
                    there = [p for p in change.split("; ") if holds(p[len("keep -> drop ") :], config)]
                    assert [p[: len("keep -> drop")] for p in there] == ([changes[flag]] if flag in changes else [])
