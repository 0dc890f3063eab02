# SPDX-License-Identifier: GPL-2.0-only
"""
What a diff says of the values of helpers, on kernels made of Python: counts and examples are worked out by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from judged import FORCE, GFP_H, INPUTS, helper, nested
from sided import OFF, ON, against, crashing, failing, has, mask, one, pool_of, two

from pygfp.changes import Change, Example, Problem
from pygfp.diff import _prove
from pygfp.differing import values
from pygfp.differing.found import Found
from pygfp.differing.proofs import Proof
from pygfp.forms import Outcome
from pygfp.native.plan import Meaning, SegmentPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygfp.differing.sides import Sides

IO, FS = "__GFP_IO", "__GFP_FS"
MASK, TRUTH = "gfp_nested_mask", "gfp_has_io_fs"
NONE: dict[str, bool] = {}

Kernel = dict[str, Any]


def compared(
    sides: Sides, *names: str, monkeypatch: pytest.MonkeyPatch | None = None, elsewhere: tuple[int, ...] = ()
) -> tuple[Found, Any]:
    """What is found of the values of helpers, and what the C of both sides was asked."""
    both, pool = pool_of(sides, elsewhere)
    found = Found()
    if monkeypatch:
        monkeypatch.setattr(values, "both", both)
    values.compare_values(sides, names, _prove(sides, list(names)), 2, found)
    assert not found.notes
    assert not found.compared
    return found, pool


def changes(
    old: Callable[..., Outcome],
    new: Callable[..., Outcome],
    plan: Any = None,  # noqa: ANN401 - a plan
    before: Kernel | None = None,
    after: Kernel | None = None,
) -> list[Change]:
    """The changes in the values of one helper, by its forms."""
    plan = plan or mask()
    kernels = [
        {**(kernel or one()), **has(plan), "functions": {(n, plan.name): function for n in (0, 1)}}
        for kernel, function in ((before, old), (after, new))
    ]
    found, _ = compared(against(*kernels), plan.name)
    assert not found.problems
    return found.changes


class TestValues:
    """Form against form: each aspect, its flags, its counts and its example."""

    def test_no_change_is_none(self) -> None:
        assert changes(nested, nested) == []

    def test_a_flag_that_a_filter_drops(self) -> None:
        assert changes(nested, lambda x: Outcome(nested(x).value & ~0x20)) == [
            Change(
                MASK,
                "helper",
                "changed",
                f"{FS} keep -> drop",
                "value",
                NONE,
                (NONE,),
                INPUTS,
                1024,
                {FS: "keep -> drop"},
                Example(0x20, 0x20, "0x20", "0x720", "0x700"),
                GFP_H,
                10,
            )
        ]

    def test_a_flag_that_moved(self) -> None:
        """IO is bit 11 now, and dropped: the example is another number on either side."""
        (change,) = changes(nested, lambda x: Outcome(x & 0xE0 | FORCE), None, one(), one(__GFP_IO=1 << 11))
        assert (change.inputs, change.differing, change.flags) == (INPUTS, 1024, {IO: "keep -> drop"})
        assert change.smallest == Example(0x800, 0x10, "0x800", "0x710", "0x700")

    def test_a_predicate(self) -> None:
        def either(x: int) -> Outcome:
            return Outcome(int(x & 0x30 != 0))

        (change,) = changes(lambda x: Outcome(int(x & 0x30 == 0x30)), either, helper(TRUTH))
        assert (change.text, change.aspect) == (f"{IO}, {FS} false -> true", "value")
        assert (change.inputs, change.differing) == (INPUTS, 1024)
        assert change.flags == {IO: "false -> true", FS: "false -> true"}
        assert change.smallest == Example(0x10, 0x10, "0x10", "false", "true")

    def test_a_warning_and_a_value(self) -> None:
        def warns(x: int) -> Outcome:
            return Outcome(x & 1 ^ 1, warned=x & 2 == 2)

        value, warning = changes(lambda x: Outcome(x & 1), warns, helper(TRUTH, "int"))
        assert (value.aspect, value.text, value.differing) == ("value", "no flag 0 -> 1; __GFP_DMA 1 -> 0", INPUTS)
        assert value.smallest == Example(0, 0, "0x0", "0", "1")
        assert (warning.aspect, warning.text) == ("warning", "WARN: __GFP_HIGHMEM no WARN -> WARN")
        assert (warning.differing, warning.flags) == (1024, {"__GFP_HIGHMEM": "no WARN -> WARN"})
        assert warning.smallest == Example(2, 2, "0x2", "0", "1 and WARN fires")

    def test_a_bug(self) -> None:
        def checked(x: int) -> Outcome:
            return Outcome(5, bug=x & 1 == 1)

        (change,) = changes(lambda _: Outcome(5), checked, helper(TRUTH, "int"))
        assert (change.aspect, change.text, change.differing) == ("bug", "BUG: __GFP_DMA 5 -> BUG", 1024)
        assert change.smallest == Example(1, 1, "0x1", "5", "BUG fires")
        (change,) = changes(checked, lambda _: Outcome(5), helper(TRUTH, "int"))
        assert (change.text, change.flags) == ("BUG: __GFP_DMA BUG -> 5", {"__GFP_DMA": "BUG -> 5"})

    def test_numbers_that_are_called_otherwise(self) -> None:
        plan = helper("gfp_zone", "enum zone_type")
        kernels = one(ZONE_DMA=0, ZONE_NORMAL=1), one(ZONE_DMA=1, ZONE_NORMAL=0)

        def zone(x: int) -> Outcome:
            return Outcome(0 if x & 1 else 1)

        assert changes(zone, lambda x: Outcome(x & 1), plan, *kernels) == []
        (change,) = changes(zone, zone, plan, *kernels)
        assert change.flags == {"no flag": "ZONE_NORMAL -> ZONE_DMA", "__GFP_DMA": "ZONE_DMA -> ZONE_NORMAL"}
        assert change.smallest == Example(0, 0, "0x0", "ZONE_NORMAL", "ZONE_DMA")

    def test_more_changes_than_eight_are_counted(self) -> None:
        (change,) = changes(lambda _: Outcome(0), lambda x: Outcome(x & 0xF), helper(TRUTH, "int"))
        parts = change.text.split("; ")
        assert parts[:2] == ["__GFP_DMA 0 -> 1", "__GFP_HIGHMEM 0 -> 2"]
        assert (len(parts), parts[-1], len(change.flags)) == (8, "and 8 more", 15)
        eight = {1: 1, 2: 2, 4: 3, 8: 4, 3: 5, 5: 6, 9: 7, 6: 8}
        (change,) = changes(lambda _: Outcome(0), lambda x: Outcome(eight.get(x & 0xF, 0)), helper(TRUTH, "int"))
        assert change.text.count(" -> ") == 8
        assert "more" not in change.text

    def test_the_helpers_in_order_each_with_its_own(self) -> None:
        plans = has(mask(), helper(TRUTH))
        old, new = {MASK: nested, TRUTH: lambda _: Outcome(1)}, {MASK: Outcome, TRUTH: lambda _: Outcome(0)}
        sides = against({**plans, "functions": old}, {**plans, "functions": new})
        found, _ = compared(sides, TRUTH, MASK)
        assert [(c.subject, c.differing) for c in found.changes] == [(TRUTH, INPUTS), (MASK, INPUTS - 16)]
        assert found.changes[0].text == "no flag true -> false"


class TestConfigurations:
    """A helper is compared in the configurations that can make a difference, and in no others."""

    def test_its_own(self) -> None:
        plan = mask(symbols=["CONFIG_A"], meanings=[Meaning(0, [OFF]), Meaning(1, [ON])])
        segments = two({}, {})["segments"]
        functions = {(0, MASK): nested, (1, MASK): nested}
        old = {"segments": segments, **has(plan), "functions": functions}
        new = {**old, "functions": {**functions, (1, MASK): lambda x: Outcome(nested(x).value & ~0x20)}}
        (change,) = compared(against(old, new), MASK)[0].changes
        assert (change.text, change.config, change.configs) == (f"{FS} keep -> drop when CONFIG_A", ON, (ON,))
        # One whose symbol stands behind one side only; and one that is compiled out where it would differ.
        always = has(mask())
        (change,) = compared(against({**old, **always}, new), MASK)[0].changes
        assert change.configs == (ON,)
        (change,) = compared(against(new, {**old, **always}), MASK)[0].changes
        assert (change.text, change.configs) == (f"{FS} drop -> keep when CONFIG_A", (ON,))
        for plans in ((mask(symbols=["CONFIG_A"], meanings=[Meaning(0, [OFF])]), plan),):
            assert compared(against({**old, **has(plans[0])}, {**new, **has(plans[1])}), MASK)[0].changes == []
            assert compared(against({**old, **has(plans[1])}, {**new, **has(plans[0])}), MASK)[0].changes == []

    @pytest.mark.parametrize("config", [OFF, ON])
    def test_the_one_in_which_both_have_it(self, config: dict[str, bool]) -> None:
        plan = mask(symbols=["CONFIG_A"], meanings=[Meaning(0, [config])])
        (change,) = changes(nested, Outcome, plan, two({}, {}), two({}, {}))
        assert change.configs == (config,)

    OLD = two({"__GFP_X": 1 << 11}, {"__GFP_X": 1 << 11})
    NEW = two({"__GFP_X": 1 << 11}, {"__GFP_X": 1 << 12})

    def test_those_of_the_flags_that_it_looks_at(self) -> None:
        """X is at another bit where CONFIG_A is on, and the helper still asks for bit 11."""

        def has_x(x: int) -> Outcome:
            return Outcome(x >> 11 & 1)

        (change,) = changes(has_x, has_x, helper(TRUTH), self.OLD, self.NEW)
        assert (change.text, change.configs) == ("__GFP_X true -> false when CONFIG_A", (ON,))
        # Bit 12 is a hole in one configuration and X in the other: 12 things that both sides have.
        assert (change.inputs, change.differing) == (1 << 12, 1 << 11)
        assert change.smallest == Example(1 << 12, 1 << 11, "0x1000", "true", "false")
        (change,) = changes(has_x, has_x, helper(TRUTH), self.NEW, self.OLD)
        assert (change.text, change.configs) == ("__GFP_X false -> true when CONFIG_A", (ON,))

    def test_those_in_which_a_flag_that_one_side_looks_at_stands_elsewhere(self) -> None:
        new = two({"__GFP_X": 1 << 12}, {"__GFP_X": 1 << 13})
        has_x: Any = lambda x: Outcome(x >> 11 & 1)  # noqa: E731
        for sides in ((has_x, lambda _: Outcome(0), self.OLD, new), (lambda _: Outcome(0), has_x, new, self.OLD)):
            (change,) = changes(sides[0], sides[1], helper(TRUTH), *sides[2:])
            assert list(change.flags) == ["__GFP_X"]
            assert change.configs == (OFF, ON)

    @pytest.mark.parametrize("is_new", [True, False])
    def test_those_that_cannot_be_built_are_left_out(self, *, is_new: bool) -> None:
        lost, built = failing(on="no such flag"), two({}, {})
        kernels = (built, lost) if is_new else (lost, built)
        (change,) = changes(nested, lambda x: Outcome(nested(x).value & ~0x20), None, *kernels)
        # Of those that can be compared it is every one: the others are told elsewhere.
        assert (change.text, change.configs) == (f"{FS} keep -> drop", (OFF,))

    def test_not_those_of_other_flags(self) -> None:
        (change,) = changes(lambda x: Outcome(x & 1), lambda _: Outcome(0), helper(TRUTH), self.OLD, self.NEW)
        assert (change.text, change.configs) == ("__GFP_DMA true -> false", (NONE,))

    def test_those_of_every_flag_for_a_filter(self) -> None:
        assert changes(Outcome, Outcome, mask(), self.OLD, self.NEW) == []

        def x_alone(x: int) -> Outcome:
            return Outcome(x & 0x800)

        (change,) = changes(x_alone, x_alone, mask(), self.OLD, self.NEW)
        assert (change.text, change.configs) == ("__GFP_X keep -> drop when CONFIG_A", (ON,))

    def test_together_with_its_own(self) -> None:
        b = [{"CONFIG_B": on} for on in (False, True)]

        def kernel(flags: Kernel, value: int) -> Kernel:
            segments = flags["segments"]
            constant = [segments[0].constants, segments[1].constants]
            laid = [
                SegmentPlan(2 * n + m, {**c, **s}, constants=constant[n])
                for n, c in enumerate((OFF, ON))
                for m, s in enumerate(b)
            ]
            plan = helper(TRUTH, symbols=["CONFIG_B"], meanings=[Meaning(0, [b[0]]), Meaning(1, [b[1]])])
            functions = {(0, TRUTH): lambda x: Outcome(x >> 11 & 1), (1, TRUTH): lambda _: Outcome(value)}
            return {"segments": laid, "flag_symbols": ["CONFIG_A"], **has(plan), "functions": functions}

        (change,) = compared(against(kernel(self.OLD, 0), kernel(self.NEW, 1)), TRUTH)[0].changes
        assert (
            change.text == "__GFP_X true -> false when not CONFIG_B and CONFIG_A; no flag false -> true when CONFIG_B"
        )
        assert change.configs == ({**b[0], **ON}, {**b[1], **OFF}, {**b[1], **ON})

    def test_a_symbol_that_is_both(self) -> None:
        plan = helper(TRUTH, symbols=["CONFIG_A"], meanings=[Meaning(0, [OFF]), Meaning(1, [ON])])

        def has_x(x: int) -> Outcome:
            return Outcome(x >> 11 & 1)

        (change,) = changes(has_x, has_x, plan, self.OLD, self.NEW)
        assert (change.text, change.configs) == ("__GFP_X true -> false when CONFIG_A", (ON,))


class TestGrouping:
    """A helper that asks whether pages are grouped by mobility is compared in both states."""

    PLAN = helper("gfp_migratetype", "int", grouping=True)

    def test_the_states_are_told_apart(self) -> None:
        def new(x: int, off: bool = False) -> Outcome:  # noqa: FBT001, FBT002 - as the workers are called
            return Outcome(2 if off else x & 1)

        old: Any = lambda x, off=False: Outcome(1 if off else x & 1)  # noqa: E731
        (change,) = changes(old, new, self.PLAN)
        assert (change.aspect, change.differing) == ("value-ungrouped", INPUTS)
        assert change.text == "no flag 1 -> 2 where pages are not grouped by mobility"
        assert change.smallest == Example(0, 0, "0x0", "1", "2")

    def test_the_state_of_most_kernels_comes_first(self) -> None:
        old: Any = lambda x, _=False: Outcome(x & 1)  # noqa: E731
        new: Any = lambda x, _=False: Outcome(x & 3)  # noqa: E731
        assert [c.aspect for c in changes(old, new, self.PLAN)] == ["value", "value-ungrouped"]

    @pytest.mark.parametrize("is_new", [True, False])
    def test_one_side_alone_asks(self, *, is_new: bool) -> None:
        plain: Any = lambda x, _=False: Outcome(x & 1)  # noqa: E731
        asks: Any = lambda x, off=False: Outcome(3 if off else x & 1)  # noqa: E731
        without = helper("gfp_migratetype", "int")
        kernels = [has(without, functions={without.name: plain}), has(self.PLAN, functions={without.name: asks})]
        (change,) = compared(against(*(kernels if is_new else kernels[::-1])), without.name)[0].changes
        text = "no flag 0 -> 3; __GFP_DMA 1 -> 3" if is_new else "no flag 3 -> 0; __GFP_DMA 3 -> 1"
        assert (change.text, change.id) == (
            f"{text} where pages are not grouped by mobility",
            "helper.gfp_migratetype.value-ungrouped",
        )


def odd(x: int) -> Outcome:
    """Has no form: it is the nested filter on all inputs but one."""
    return Outcome(0) if x == 0x2A5 else nested(x)


def many(x: int) -> Outcome:
    """Has no form: how many bits there are."""
    return Outcome(int(x.bit_count() > 5))


class TestByInput:
    """Where a form is missing the C of both sides is compared, input by input."""

    def compared(
        self,
        old: Callable[..., Outcome],
        new: Callable[..., Outcome],
        monkeypatch: pytest.MonkeyPatch,
        plan: Any = None,  # noqa: ANN401 - a plan
        **kernels: Kernel,
    ) -> tuple[Found, Any]:
        plan = plan or mask()
        made = [
            {**kernels.get(side, one()), **has(plan), "functions": {(n, plan.name): function for n in (0, 1)}}
            for side, function in (("before", old), ("after", new))
        ]
        return compared(against(*made), plan.name, monkeypatch=monkeypatch)

    @pytest.mark.parametrize(
        ("old", "new", "side"),
        [(nested, odd, "the new side"), (odd, nested, "the old side"), (odd, many, "either side")],
    )
    def test_which_side_has_no_form(
        self,
        old: Callable[..., Outcome],
        new: Callable[..., Outcome],
        side: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        found, _ = self.compared(old, new, monkeypatch)
        (change,) = found.changes
        assert change.text == f"what it returns is no simple function of the flags on {side}"
        assert (change.aspect, change.flags, change.inputs) == ("value", {}, INPUTS)

    def test_one_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found, pool = self.compared(nested, odd, monkeypatch)
        (change,) = found.changes
        assert (change.differing, change.smallest) == (1, Example(0x2A5, 0x2A5, "0x2a5", "0x7a0", "0x0"))
        (job,) = pool.asked
        assert (job.segment, job.after, job.helper, job.ungrouped) == (0, 1 << 16, MASK, False)
        assert job.match.inputs == tuple((n, n) for n in range(11))
        # What is above every flag is compared by position, and only in results.
        assert job.match.results == tuple((n, n) for n in range(32))
        assert (job.match.is_filter, job.match.renamed) == (True, ())

    def test_no_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found, pool = self.compared(odd, odd, monkeypatch)
        assert found == Found()
        assert len(pool.asked) == 1

    def test_warnings_and_bugs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def loud(x: int) -> Outcome:
            return Outcome(many(x).value, bug=x & 3 == 3, warned=x & 4 == 4)

        found, _ = self.compared(many, loud, monkeypatch, helper(TRUTH))
        bug, warning = found.changes
        text = "on which inputs it fires is no simple function of the flags on either side"
        assert (bug.aspect, bug.text, bug.differing) == ("bug", f"BUG: {text}", 512)
        assert bug.smallest == Example(3, 3, "0x3", "false", "BUG fires")
        assert (warning.aspect, warning.text, warning.differing) == ("warning", f"WARN: {text}", 768)
        assert warning.smallest == Example(4, 4, "0x4", "false", "false and WARN fires")

    def test_numbers_that_are_called_otherwise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kernels = {"before": one(ZONE_DMA=0, ZONE_NORMAL=1), "after": one(ZONE_DMA=1, ZONE_NORMAL=0)}
        plan = helper("gfp_zone", "enum zone_type")
        found, pool = self.compared(many, lambda x: Outcome(1 - many(x).value), monkeypatch, plan, **kernels)
        assert found == Found()
        assert (pool.asked[0].match.results, pool.asked[0].match.renamed) == ((), (1, 0))

    def test_flags_that_moved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """IO is bit 11 now. What keeps everything drops no flag, so all that differs is the one input."""
        moved = {"after": one(__GFP_IO=1 << 11)}
        found, _ = self.compared(Outcome, lambda x: Outcome(0 if x == 0x801 else x), monkeypatch, **moved)
        (change,) = found.changes
        assert (change.differing, change.smallest) == (1, Example(0x801, 0x11, "0x801", "0x11", "0x0"))

    def test_a_form_in_some_configurations(self, monkeypatch: pytest.MonkeyPatch) -> None:
        plan = mask(symbols=["CONFIG_A"], meanings=[Meaning(0, [OFF]), Meaning(1, [ON])])
        old = {"segments": two({}, {})["segments"], **has(plan), "functions": {(0, MASK): nested, (1, MASK): nested}}
        new = {**old, "functions": {(0, MASK): lambda x: Outcome(nested(x).value & ~0x20), (1, MASK): odd}}
        found, pool = compared(against(old, new), MASK, monkeypatch=monkeypatch)
        (change,) = found.changes
        assert change.text == (
            f"{FS} keep -> drop when not CONFIG_A; "
            "what it returns is no simple function of the flags on the new side when CONFIG_A"
        )
        assert [(job.segment, job.after) for job in pool.asked] == [(1, (1 << 16) + 1)]

    def test_what_is_the_same_question_is_asked_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        plan = mask(symbols=["CONFIG_A"], meanings=[Meaning(0, [OFF, ON])])
        old = {"segments": two({}, {})["segments"], **has(plan), "functions": {MASK: nested}}
        found, pool = compared(against(old, {**old, "functions": {MASK: odd}}), MASK, monkeypatch=monkeypatch)
        assert [c.configs for c in found.changes] == [(OFF, ON)]
        assert len(pool.asked) == 1

    def test_a_state_of_grouping(self, monkeypatch: pytest.MonkeyPatch) -> None:
        old: Any = lambda x, off=False: many(x) if off else Outcome(1)  # noqa: E731
        new: Any = lambda _, off=False: Outcome(0) if off else Outcome(1)  # noqa: E731
        found, pool = self.compared(old, new, monkeypatch, TestGrouping.PLAN)
        assert [c.aspect for c in found.changes] == ["value-ungrouped"]
        assert [job.ungrouped for job in pool.asked] == [True]


class TestCrashes:
    """A helper that crashes: on the old side it cannot be compared, on the new one alone that is a change."""

    def found(self, old: Any, new: Any, **over: Any) -> Found:  # noqa: ANN401 - functions, fields of a plan
        kernels = [{**two({}, {}), **has(mask(**over)), "functions": functions} for functions in (old, new)]
        for kernel in kernels:
            kernel["flag_symbols"] = []
        return compared(against(*kernels), MASK)[0]

    WORDS = f"{MASK} crashes with SIGSEGV on input"

    def test_on_the_new_side(self) -> None:
        found = self.found({MASK: nested}, {MASK: crashing(0)})
        text = f"misbehaves: {self.WORDS} 0x0"
        assert found.changes == [Change(MASK, "helper", "broken", text, "", NONE, (NONE,), file=GFP_H, line=10)]
        assert found.problems == []

    def test_on_the_old_side(self) -> None:
        found = self.found({MASK: crashing(0)}, {MASK: nested})
        text = f"{MASK}() cannot be compared, on the old side {self.WORDS} 0x0"
        assert (found.changes, found.problems) == ([], [Problem(MASK, text, GFP_H, 10)])

    def test_on_both(self) -> None:
        found = self.found({MASK: crashing(0)}, {MASK: crashing(0x123)})
        text = f"{MASK}() cannot be compared, on both sides {self.WORDS} 0x0"
        assert (found.changes, found.problems) == ([], [Problem(MASK, text, GFP_H, 10)])

    def test_in_a_configuration(self) -> None:
        over: Any = {"symbols": ["CONFIG_A"], "meanings": [Meaning(0, [OFF]), Meaning(1, [ON])]}
        fine = {(0, MASK): nested, (1, MASK): nested}
        lost = {**fine, (1, MASK): crashing(0)}
        found = self.found(fine, lost, **over)
        (change,) = found.changes
        assert change.text == f"misbehaves when CONFIG_A: {self.WORDS} 0x0"
        assert (change.config, change.configs) == (ON, (ON,))
        found = self.found(lost, fine, **over)
        (problem,) = found.problems
        assert problem.text == f"{MASK}() cannot be compared when CONFIG_A, on the old side {self.WORDS} 0x0"
        found = self.found(lost, {**lost, (0, MASK): lambda x: Outcome(nested(x).value & ~0x20)}, **over)
        assert [c.text for c in found.changes] == [f"{FS} keep -> drop when not CONFIG_A"]
        assert [p.text.partition(",")[2] for p in found.problems] == [f" on both sides {self.WORDS} 0x0"]

    def test_is_said_once_for_both_states_of_grouping(self) -> None:
        def lost(x: int, off: bool = False) -> Outcome:  # noqa: ARG001, FBT001, FBT002 - as the workers are called
            return crashing(0)(x)

        plain: Any = lambda x, _=False: nested(x)  # noqa: E731
        for old, new in ((plain, lost), (lost, plain), (lost, lost)):
            found = self.found({MASK: old}, {MASK: new}, grouping=True)
            assert len(found.changes) + len(found.problems) == 1
            (said,) = [*found.changes, *found.problems]
            assert "CONFIG" not in said.text

    def test_in_one_state_of_grouping(self) -> None:
        def lost(x: int, off: bool = False) -> Outcome:  # noqa: FBT001, FBT002 - as the workers are called
            return crashing(0)(x) if off else nested(x)

        found = self.found({MASK: lambda x, _=False: nested(x)}, {MASK: lost}, grouping=True)
        (change,) = found.changes
        assert (change.text, change.configs) == (f"misbehaves: {self.WORDS} 0x0", (NONE,))

    def at(self, old: Any, new: Any, monkeypatch: pytest.MonkeyPatch, **over: Any) -> Found:  # noqa: ANN401
        """What is found where IO is bit 11 on the new side, and neither side has a form."""
        kernels = [
            {**one(**flags), **has(mask(**over)), "functions": {MASK: f}}
            for flags, f in (({}, old), ({IO: 1 << 11}, new))
        ]
        return compared(against(*kernels), MASK, monkeypatch=monkeypatch)[0]

    def test_on_one_input_while_both_are_compared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The sweep of a form stops at the first difference: the crash is found by the comparison."""
        monkeypatch.setattr("pygfp.differing.proofs.prove", lambda _, keys, __: [Proof() for _ in keys])
        found = self.at(odd, crashing(0x801), monkeypatch)
        assert [c.text for c in found.changes] == [f"misbehaves: {self.WORDS} 0x801"]
        assert found.problems == []
        found = self.at(crashing(0x11), odd, monkeypatch)
        text = f"{MASK}() cannot be compared, on the old side {self.WORDS} 0x11"
        assert (found.changes, [p.text for p in found.problems]) == ([], [text])
        found = self.at(crashing(0x11), crashing(0x801), monkeypatch)
        assert [p.text for p in found.problems] == [text.replace("the old side", "both sides")]

    def test_one_that_does_not_happen_again_is_the_new_side_s(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pygfp.differing.proofs.prove", lambda _, keys, __: [Proof() for _ in keys])
        seen: list[int] = []

        def once(x: int) -> Outcome:
            seen.append(x)
            return crashing(0x801)(x) if seen.count(0x801) == 1 else nested(x)

        found = self.at(odd, once, monkeypatch)
        # Workers number it 0x401, for IO is the last of eleven things: what is told is the input.
        assert [c.text for c in found.changes] == [f"misbehaves: {self.WORDS} 0x801"]
        assert found.problems == []

    def test_one_in_another_configuration(self, monkeypatch: pytest.MonkeyPatch) -> None:
        plan = mask(symbols=["CONFIG_A"], meanings=[Meaning(0, [OFF]), Meaning(1, [ON])])
        kernel = {"segments": two({}, {})["segments"], **has(plan)}
        functions = {(0, MASK): odd, (1, MASK): many}
        sides = against({**kernel, "functions": functions}, {**kernel, "functions": {**functions, (1, MASK): odd}})
        found, pool = compared(sides, MASK, monkeypatch=monkeypatch, elsewhere=(0,))
        assert len(pool.asked) == 2
        assert [c.configs for c in found.changes] == [(ON,)]
        assert found.problems == []
