# SPDX-License-Identifier: GPL-2.0-only
"""
Verdicts on kernels made of Python: eleven flags and 2048 inputs, so that every count, witness and word is worked out
by hand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import judged
import pytest
from judged import FORCE, GFP_H, INPUTS, KEEP, TYPES_H, constants, helper, nested, row, view

from pygfp.checking import composites, helpers, laws, layout, standing
from pygfp.checking.cases import Case
from pygfp.checking.view import View
from pygfp.errors import HelperCrashed
from pygfp.forms import MaskTable, Outcome
from pygfp.model.helpers import HELPERS
from pygfp.model.laws import LAWS
from pygfp.model.policy import Fate, Policy
from pygfp.native.jobs import Tally
from pygfp.native.plan import Constant, Finding, Meaning, SegmentPlan
from pygfp.report import Check, Witness

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS = {model.name: model for model in HELPERS}
ACCEPT = "if that is meant, accept it with --save-baseline FILE and check with --baseline FILE"
CONTEXT = "the nested allocation must obey the reclaim limits of the caller's context"
EARLY = "the nested allocation must fail before the caller's own allocation would"
ZONE = "where the memory comes from is the caller's business: zone"


def everything(_: str) -> bool:
    return True


def judge(at: View, *names: str, wanted: Callable[[str], bool] = everything) -> dict[str, Check]:
    """The verdicts on the models *names* by id, and on other helpers of the view."""
    found = helpers.judge(at, [MODELS[n] for n in names], wanted).checks
    assert len({c.id for c in found}) == len(found)
    return {c.id: c for c in found}


def of_filter(function: Callable[..., Outcome], **over: Any) -> Check:  # noqa: ANN401 - fields of a view
    at = view({"gfp_nested_mask": function}, [helper("gfp_nested_mask", "gfp_t")], **over)
    return judge(at, "gfp_nested_mask")["helper.gfp_nested_mask"]


def of_predicate(function: Callable[..., Outcome]) -> tuple[Check, Check]:
    """The verdict on gfp_has_io_fs(), and on its range."""
    found = judge(view({"gfp_has_io_fs": function}, [helper("gfp_has_io_fs")]), "gfp_has_io_fs")
    assert set(found) == {"helper.gfp_has_io_fs", "range.gfp_has_io_fs"}
    return found["helper.gfp_has_io_fs"], found["range.gfp_has_io_fs"]


def crashing(*inputs: int) -> Callable[[int], Outcome]:
    """The nested filter, which does not survive *inputs*."""

    def function(x: int) -> Outcome:
        if x in inputs:
            raise HelperCrashed("gfp_nested_mask", "crashes with SIGSEGV", x, x)
        return nested(x)

    return function


class TestFilter:
    """The verdict on gfp_nested_mask(), and every word of it."""

    def test_one_that_is_right(self) -> None:
        assert of_filter(nested) == Check(
            "helper.gfp_nested_mask",
            "gfp_nested_mask",
            "helper",
            "pass",
            {},
            ({},),
            INPUTS,
            0,
            form={
                "keep": ["__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"],
                "force": ["__GFP_NOWARN", "__GFP_NORETRY", "__GFP_NOMEMALLOC"],
            },
            file=GFP_H,
            line=10,
        )

    def test_a_flag_that_is_dropped(self) -> None:
        check = of_filter(lambda x: Outcome((x & KEEP & ~0x20) | FORCE))
        witness = Witness(0x20, "0x20", "0x720", "0x700")
        assert (check.status, check.inputs, check.mismatches) == ("fail", INPUTS, 1024)
        assert (check.first, check.smallest) == (witness, witness)
        assert check.message == f"__GFP_FS: expected keep, found drop ({CONTEXT})"
        assert check.form is not None
        assert check.form["keep"] == ["__GFP_IO", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"]

    def test_flags_of_one_fate_and_reason_are_told_together(self) -> None:
        check = of_filter(lambda x: Outcome((x & (KEEP | 0x3)) | 0x100 | 0x400))
        assert check.message == (
            f"__GFP_DMA, __GFP_HIGHMEM: expected drop, found keep ({ZONE}); "
            f"__GFP_NORETRY: expected force, found drop ({EARLY})"
        )
        assert check.mismatches == INPUTS

    def test_a_flag_that_is_forced_where_it_should_be_kept(self) -> None:
        check = of_filter(lambda x: Outcome((x & KEEP) | FORCE | 0x10))
        assert check.message == f"__GFP_IO: expected keep, found force ({CONTEXT})"
        assert (check.mismatches, check.first and check.first.input) == (1024, 0)

    @pytest.mark.parametrize(("keep", "force"), [(1 << 31, 0), (0, 1 << 31)])
    def test_bits_without_a_flag(self, keep: int, force: int) -> None:
        bare = constants(__GFP_DMA=None)
        check = of_filter(
            lambda x: Outcome((x & (KEEP | keep | 1)) | FORCE | force),
            segments=[SegmentPlan(0, {}, constants=bare)],
        )
        assert check.message == f"bits without a flag ({force | 1:#x}): expected drop"

    def test_the_first_input_is_the_lowest_and_the_smallest_has_the_fewest_bits(self) -> None:
        wrong = (0x03, 0x7, 0x400, 0x9)
        check = of_filter(lambda x: Outcome(0) if x in wrong else nested(x))
        assert (check.status, check.mismatches, check.form) == ("fail", 4, None)
        assert check.first == Witness(3, "0x3", "0x700", "0x0")
        assert check.smallest == Witness(0x400, "0x400", "0x700", "0x0")
        assert check.message == (
            "expected keep {IO FS DIRECT_RECLAIM KSWAPD_RECLAIM}, force {NOWARN NORETRY NOMEMALLOC}; "
            "found no simple form"
        )

    def test_an_event_is_a_difference(self) -> None:
        check = of_filter(lambda x: Outcome(nested(x).value, warned=x == 5))
        assert (check.mismatches, check.smallest) == (1, Witness(5, "0x5", "0x700", "0x700 and WARN fires"))

    def test_one_that_crashes(self) -> None:
        check = of_filter(crashing(0x123))
        assert (check.status, check.inputs, check.mismatches, check.form) == ("fail", 0, 0, None)
        assert check.message == "misbehaves: gfp_nested_mask crashes with SIGSEGV on input 0x123"

    def test_one_that_crashes_at_once_is_not_swept(self) -> None:
        at = view({"gfp_nested_mask": crashing(0)}, [helper("gfp_nested_mask", "gfp_t")])
        check = judge(at, "gfp_nested_mask")["helper.gfp_nested_mask"]
        assert check.message == "misbehaves: gfp_nested_mask crashes with SIGSEGV on input 0x0"
        assert at.session.pool.swept == 0

    def test_one_that_crashed_is_not_called_again(self) -> None:
        asked: list[int] = []

        def function(x: int) -> Outcome:
            asked.append(x)
            return crashing(0x123)(x)

        assert of_filter(function).status == "fail"
        assert asked[-1] == 0x123

    @pytest.mark.parametrize("last", [0, INPUTS - 1])
    def test_a_crash_at_either_end_shows_before_the_sweep(self, last: int) -> None:
        at = view({"gfp_nested_mask": crashing(last)}, [helper("gfp_nested_mask", "gfp_t")])
        assert judge(at, "gfp_nested_mask")["helper.gfp_nested_mask"].status == "fail"
        assert at.session.pool.swept == 0

    def test_a_sweep_of_nothing_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(judged.PythonPool, "sweep", lambda _, jobs: [Tally() for _ in jobs])
        check = of_filter(nested)
        assert (check.status, check.message) == ("error", "no input was compared")

    def test_the_whole_domain_is_swept(self) -> None:
        at = view({"gfp_nested_mask": nested}, [helper("gfp_nested_mask", "gfp_t")])
        judge(at, "gfp_nested_mask")
        assert at.session.pool.domains == [INPUTS]  # type: ignore[attr-defined]

    def test_a_bug_in_the_build_is_a_fail_with_its_line(self) -> None:
        plans = [helper("gfp_nested_mask", "gfp_t")]
        inside = [Finding(GFP_H, 10, -1, "first"), Finding(GFP_H, 20, 0, "second")]
        outside = [Finding(GFP_H, 9, -1, "above"), Finding(GFP_H, 21, 0, "below")]
        outside += [Finding(TYPES_H, 15, 0, "another file"), Finding(GFP_H, 15, 1, "another configuration")]
        check = of_filter(nested, findings=[*outside, *inside])
        assert (check.status, check.line) == ("fail", 10)
        assert check.message == f"{GFP_H}:10: first; {GFP_H}:20: second"
        at = view({"gfp_nested_mask": nested}, plans, findings=outside)
        assert judge(at, "gfp_nested_mask")["helper.gfp_nested_mask"].status == "pass"


class TestConfigurations:
    """A verdict for each meaning; what is seen in one is not said of another."""

    PLAN = helper(
        "gfp_nested_mask",
        "gfp_t",
        symbols=["CONFIG_A"],
        meanings=[Meaning(0, [{"CONFIG_A": False}]), Meaning(1, [{"CONFIG_A": True}])],
    )
    SEGMENTS = tuple(SegmentPlan(n, {"CONFIG_A": bool(n)}, constants=constants()) for n in (0, 1))

    def judged(self, off: Callable[..., Outcome], on: Callable[..., Outcome]) -> list[Check]:
        functions = {(0, "gfp_nested_mask"): off, (1, "gfp_nested_mask"): on}
        found = judge(view(functions, [self.PLAN], segments=self.SEGMENTS), "gfp_nested_mask")
        return [found["helper.gfp_nested_mask.none"], found["helper.gfp_nested_mask.A"]]

    def test_each_has_its_own(self) -> None:
        off, on = self.judged(nested, Outcome)
        assert (off.status, on.status) == ("pass", "fail")
        assert (off.config, on.config) == ({"CONFIG_A": False}, {"CONFIG_A": True})
        assert (off.configs, on.configs) == (({"CONFIG_A": False},), ({"CONFIG_A": True},))

    def test_a_crash_in_one_is_no_verdict_on_the_other(self) -> None:
        off, on = self.judged(crashing(0), nested)
        assert (off.status, on.status, on.inputs) == ("fail", "error", 0)
        assert on.message == (
            "not compared: in another configuration gfp_nested_mask crashes with SIGSEGV on input 0x0"
        )

    def test_a_helper_that_crashes_leaves_the_others_alone(self) -> None:
        functions = {"gfp_nested_mask": crashing(0), "gfp_has_io_fs": lambda x: Outcome(int(x & 0x30 == 0x30))}
        found = judge(
            view(functions, [helper("gfp_nested_mask", "gfp_t"), helper("gfp_has_io_fs")]),
            "gfp_nested_mask",
            "gfp_has_io_fs",
        )
        assert {i: c.status for i, c in found.items()} == {
            "helper.gfp_nested_mask": "fail",
            "helper.gfp_has_io_fs": "pass",
            "range.gfp_has_io_fs": "pass",
        }


def test_a_case_before_anything_was_compared() -> None:
    plan = helper("gfp_nested_mask", "gfp_t")
    case = Case(plan, plan.meanings[0], None)
    assert (case.ungrouped, case.aspect, case.obstacle) == (False, "", "")
    assert (case.expected, case.proven, case.crash) == (None, None, None)
    assert (case.tally, case.undecided) == (Tally(), {})


class TestUndecided:
    """A flag without a verdict: what the header does is told, and proven."""

    SEGMENT = SegmentPlan(0, {}, constants=constants(__GFP_NEW=1 << 11))

    def judged(self, function: Callable[..., Outcome], policy: Policy | None = None) -> dict[str, Check]:
        at = view(
            {"gfp_nested_mask": function},
            [helper("gfp_nested_mask", "gfp_t")],
            segments=[self.SEGMENT],
            policy=policy,
        )
        return judge(at, "gfp_nested_mask")

    @pytest.mark.parametrize(
        ("keep", "force", "does", "fate"),
        [(0, 0, "drops", "drop"), (1 << 11, 0, "keeps", "keep"), (0, 1 << 11, "forces", "force")],
    )
    def test_what_the_header_does_with_it(self, keep: int, force: int, does: str, fate: str) -> None:
        found = self.judged(lambda x: Outcome((x & (KEEP | keep)) | FORCE | force))
        assert found["helper.gfp_nested_mask"].status == "pass"
        assert found["helper.gfp_nested_mask"].inputs == 2 * INPUTS
        new = found["helper.gfp_nested_mask.__GFP_NEW"]
        assert new.status == "undecided"
        assert new.message == (
            f"__GFP_NEW has no verdict: the header {does} it, on every input. "
            f'Decide it in a policy file (--policy FILE, a line __GFP_NEW = "{fate}"  # reason)'
        )

    def test_one_on_the_lowest_bit(self) -> None:
        # What is forced shows where no flag at all is set.
        at = view(
            {"gfp_nested_mask": lambda x: Outcome((x & (KEEP | 1)) | FORCE)},
            [helper("gfp_nested_mask", "gfp_t")],
            segments=[SegmentPlan(0, {}, constants=constants(__GFP_DMA=None, __GFP_NEW=1))],
        )
        found = judge(at, "gfp_nested_mask")
        assert found["helper.gfp_nested_mask"].status == "pass"
        assert found["helper.gfp_nested_mask.__GFP_NEW"].message.startswith(
            "__GFP_NEW has no verdict: the header keeps it, on every input. "
        )

    def test_one_that_is_not_treated_alike_everywhere_is_a_fail_and_has_no_verdict_of_its_own(self) -> None:
        found = self.judged(lambda x: Outcome((x & KEEP) | FORCE | (x & 1 << 11 if x & 1 else 0)))
        assert set(found) == {"helper.gfp_nested_mask"}
        assert found["helper.gfp_nested_mask"].status == "fail"
        assert found["helper.gfp_nested_mask"].mismatches == INPUTS // 2

    def test_nothing_is_said_of_it_where_the_filter_is_wrong_or_crashes(self) -> None:
        assert set(self.judged(lambda x: Outcome((x & KEEP & ~0x20) | FORCE))) == {"helper.gfp_nested_mask"}
        assert set(self.judged(crashing(0x123))) == {"helper.gfp_nested_mask"}

    def test_one_that_a_user_decides(self) -> None:
        found = self.judged(nested, Policy({"__GFP_NEW": Fate.KEEP}))
        assert set(found) == {"helper.gfp_nested_mask"}
        assert found["helper.gfp_nested_mask"].message == (
            "__GFP_NEW: expected keep, found drop (decided by the policy file)"
        )

    def test_other_filters_need_no_verdict(self) -> None:
        at = view({"gfp_kmemleak_mask": nested}, [helper("gfp_kmemleak_mask", "gfp_t")], segments=[self.SEGMENT])
        assert set(judge(at, "gfp_kmemleak_mask")) == {"helper.gfp_kmemleak_mask"}


class TestPredicateAndRange:
    """A predicate, and whether its answers are documented."""

    def test_one_that_is_right(self) -> None:
        check, ranged = of_predicate(lambda x: Outcome(int(x & 0x30 == 0x30)))
        assert (check.status, check.form) == ("pass", {"all_of": ["__GFP_IO", "__GFP_FS"], "none_of": []})
        assert ranged == replace(check, id="range.gfp_has_io_fs", kind="range", form=None)

    def test_one_that_asks_for_either(self) -> None:
        check, ranged = of_predicate(lambda x: Outcome(int(x & 0x30 != 0)))
        assert (check.status, check.mismatches) == ("fail", 1024)
        assert check.first == Witness(0x10, "0x10", "0", "1")
        assert check.message == ("__GFP_IO: expected false, found true; __GFP_FS: expected false, found true")
        assert (ranged.status, ranged.mismatches, ranged.first, ranged.smallest) == ("pass", 0, None, None)
        assert ranged.message == ""

    def test_a_value_that_is_not_documented(self) -> None:
        check, ranged = of_predicate(lambda x: Outcome(2 if x & 0x30 == 0x30 else 0))
        witness = Witness(0x30, "0x30", "one of 0, 1", "2")
        assert check.status == "fail"
        assert (ranged.status, ranged.mismatches, ranged.inputs) == ("fail", INPUTS // 4, INPUTS)
        assert (ranged.first, ranged.smallest) == (witness, witness)
        assert ranged.message == "a result is not one of 0, 1"

    def test_the_witnesses_of_a_table(self) -> None:
        # Rows that are outside: IO and FS together, and DMA32 alone.
        def odd(x: int) -> Outcome:
            return Outcome(7 if x & 0x34 in {0x30, 0x4} else 0)

        _, ranged = of_predicate(odd)
        assert ranged.mismatches == INPUTS // 4
        assert ranged.first is not None
        assert ranged.smallest is not None
        assert (ranged.first.input, ranged.smallest.input) == (0x4, 0x4)
        _, ranged = of_predicate(lambda x: Outcome(7 if x & 0x13 in {0x3, 0x10} else 0))
        assert ranged.first is not None
        assert ranged.smallest is not None
        assert (ranged.first.input, ranged.smallest.input) == (0x3, 0x10)

    @pytest.mark.parametrize("event", ["bug", "warned"])
    def test_a_result_beside_an_event_is_outside_no_range(self, event: str) -> None:
        check, ranged = of_predicate(lambda x: Outcome(7, **{event: True}) if x & 1 else Outcome(0))
        assert (check.status, ranged.status) == ("fail", "pass")

    @pytest.mark.parametrize(
        ("odd", "outside"),
        [
            (Outcome(2), 1),
            (Outcome(1), 0),
            (Outcome(2, bug=True), 0),
            (Outcome(0, warned=True), 0),
            (Outcome(2, warned=True), 0),
            (Outcome(3, warned=True), 1),
        ],
    )
    def test_where_no_form_fits_every_value_is_counted(self, odd: Outcome, outside: int) -> None:
        check, ranged = of_predicate(lambda x: odd if x == 0x2A5 else Outcome(int(x & 0x30 == 0x30)))
        assert (check.status, check.form, check.mismatches) == ("fail", None, 1)
        assert (ranged.status, ranged.mismatches) == ("fail" if outside else "pass", outside)
        assert ranged.inputs == INPUTS
        assert ranged.message == ("a result is not one of 0, 1" if outside else "")

    def test_a_mask_has_no_range(self) -> None:
        at = view({"gfp_nested_mask": nested}, [helper("gfp_nested_mask", "gfp_t")])
        assert list(judge(at, "gfp_nested_mask")) == ["helper.gfp_nested_mask"]

    @pytest.mark.parametrize(("bits", "shown", "more"), [(0xF, 6, "and 9 more combinations"), (0x7, 6, "and 1 more ")])
    def test_more_differences_than_six_are_counted(self, bits: int, shown: int, more: str) -> None:
        message = self.of_zonelist(lambda x: Outcome(x & bits))
        assert message.count("expected") == shown
        assert message.split("; ")[-1].startswith(more)

    def test_what_should_be_returned_may_have_no_number(self) -> None:
        found = judge(view({"gfp_zone": lambda _: Outcome(0)}, [helper("gfp_zone", "enum zone_type")]), "gfp_zone")
        (check,) = found.values()
        assert (check.status, check.inputs, check.mismatches) == ("error", 0, 0)
        assert check.message.startswith("what it should return cannot be said: ")
        assert "ZONE_NORMAL" in check.message

    def test_six_differences_are_all_that_is_told(self) -> None:
        # Of the eight combinations of three bits 0 is right, and so is one more.
        message = self.of_zonelist(lambda x: Outcome(x & 7 if x & 7 != 5 else 0))
        assert message.count("expected") == 6
        assert "more" not in message

    def of_zonelist(self, function: Callable[[int], Outcome]) -> str:
        """What is said of gfp_zonelist(), which should always answer 0: no flag here is THISNODE."""
        at = view(
            {"gfp_zonelist": function},
            [helper("gfp_zonelist", "int")],
            segments=[SegmentPlan(0, {}, constants=constants(ZONELIST_FALLBACK=0, ZONELIST_NOFALLBACK=1))],
        )
        return judge(at, "gfp_zonelist")["helper.gfp_zonelist"].message

    def test_a_crash_while_values_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sweep = judged.PythonPool.sweep

        def lost(pool: judged.PythonPool, jobs: Any) -> list[Tally]:  # noqa: ANN401 - jobs
            found = sweep(pool, jobs)
            if any(job.form == MaskTable((), (Outcome(1),)) for job in jobs):
                found[-1] = Tally(crash=HelperCrashed("gfp_has_io_fs", "crashes with SIGBUS", 5, 5))
            return found

        monkeypatch.setattr(judged.PythonPool, "sweep", lost)
        _, ranged = of_predicate(lambda x: Outcome(int(x == 0x2A5)))
        assert (ranged.status, ranged.inputs) == ("fail", 0)
        assert ranged.message == "misbehaves: gfp_has_io_fs crashes with SIGBUS on input 0x5"

    def test_a_lane_of_32_bits_holds_a_negative_number(self) -> None:
        at = view(
            {"gfp_zone": lambda _: Outcome(0xFFFFFFFF)},
            [helper("gfp_zone", "enum zone_type")],
            segments=[SegmentPlan(0, {}, constants=constants(ZONE_NORMAL=-1, ZONE_MOVABLE=-1))],
        )
        check = judge(at, "gfp_zone")["helper.gfp_zone"]
        assert check.first is not None
        # Only the combinations of two zones, on which BUG should fire, differ.
        assert (check.first.input, check.first.expected) == (0x3, "BUG fires")
        assert check.mismatches == INPUTS // 2


class TestGrouping:
    """gfp_migratetype() is judged in both states of the kernel."""

    CONSTANTS = constants(MIGRATE_UNMOVABLE=0, MIGRATE_MOVABLE=1, MIGRATE_RECLAIMABLE=2, __GFP_RECLAIMABLE=0)

    def judged(self, function: Callable[..., Outcome]) -> dict[str, Check]:
        segment = SegmentPlan(0, {}, constants=self.CONSTANTS)
        return judge(
            view({"gfp_migratetype": function}, [helper("gfp_migratetype", "int")], segments=[segment]),
            "gfp_migratetype",
        )

    def test_both_states_and_one_range(self) -> None:
        found = self.judged(lambda x, off=False: Outcome(0 if off else x >> 3 & 1))
        assert {i: c.status for i, c in found.items()} == dict.fromkeys(
            ("helper.gfp_migratetype", "helper.gfp_migratetype.ungrouped", "range.gfp_migratetype"), "pass"
        )

    def test_the_other_state_alone_can_fail(self) -> None:
        found = self.judged(lambda x, _=False: Outcome(x >> 3 & 1))
        assert found["helper.gfp_migratetype"].status == "pass"
        assert found["helper.gfp_migratetype.ungrouped"].status == "fail"
        assert found["helper.gfp_migratetype.ungrouped"].first == Witness(8, "0x8", "0", "1")


class TestUnmodelled:
    """A helper that pygfp has no model of: what it is proven to be is told, and it is no pass."""

    def judged(self, function: Callable[..., Outcome], **over: Any) -> Check:  # noqa: ANN401 - fields of a plan
        found = judge(view({"gfp_new": function}, [helper("gfp_new", **over)]))
        (check,) = found.values()
        return check

    def test_a_predicate(self) -> None:
        check = self.judged(lambda x: Outcome(int(x & 0x11 != 0)))
        assert (check.id, check.status, check.inputs, check.mismatches) == (
            "helper.gfp_new",
            "unmodelled",
            INPUTS,
            0,
        )
        assert check.message == "pygfp has no model of it; proven on every input: any of {DMA IO}"
        assert check.form == {"any_of": ["__GFP_DMA", "__GFP_IO"]}

    def test_one_that_is_almost_a_predicate(self) -> None:
        check = self.judged(lambda x: Outcome(5 if x == 0x2A5 else int(x & 0x11 != 0)))
        assert (check.status, check.form, check.mismatches) == ("unmodelled", None, 0)
        assert check.message == "pygfp has no model of it; no simple form fits it"

    def test_one_that_depends_on_every_bit(self) -> None:
        check = self.judged(lambda x: Outcome(x.bit_count()), result="int")
        assert (check.status, check.form, check.inputs) == ("unmodelled", None, 0)
        assert check.message == "pygfp has no model of it; no simple form fits it"

    def test_a_filter(self) -> None:
        check = self.judged(lambda x: Outcome((x & 1) | 2), result="gfp_t")
        assert check.message.endswith("proven on every input: keep {DMA}, force {HIGHMEM}")

    def test_one_that_crashes_while_its_form_is_looked_for(self) -> None:
        check = self.judged(crashing(8))
        assert (check.status, check.inputs, check.mismatches, check.form) == ("fail", 0, 0, None)
        assert check.message == "misbehaves: gfp_nested_mask crashes with SIGSEGV on input 0x8"

    def test_one_that_nobody_asked_for_is_left_alone(self) -> None:
        at = view({"gfp_new": lambda _: Outcome(0)}, [helper("gfp_new")])
        assert judge(at, wanted=lambda name: name == "gfp_zone") == {}

    def test_one_that_depends_on_grouping_is_judged_in_both_states(self) -> None:
        at = view({"gfp_new": lambda _, off=False: Outcome(int(off))}, [helper("gfp_new", grouping=True)])
        found = judge(at)
        assert [c.message.rpartition(": ")[2] for c in found.values()] == ["always 0", "always 1"]
        assert list(found) == ["helper.gfp_new", "helper.gfp_new.ungrouped"]

    def test_one_that_does_not_compile(self) -> None:
        check = self.judged(nested, error="no such thing", meanings=[])
        assert (check.status, check.message) == ("error", "does not compile: no such thing")


class TestSeveral:
    """The verdicts on several helpers stand side by side."""

    def test_what_cannot_be_compared_and_what_has_no_model(self) -> None:
        at = view(
            {"gfp_a": lambda _: Outcome(0), "gfp_b": lambda _: Outcome(1)},
            [
                helper("gfp_a"),
                helper("gfp_b"),
                helper("gfp_c", error="x", meanings=[]),
                helper("gfp_d", error="y", meanings=[]),
            ],
        )
        found = {i: c.status for i, c in judge(at, "gfp_nested_mask", "gfp_zone").items()}
        assert found == {
            "helper.gfp_nested_mask": "fail",
            "helper.gfp_zone": "fail",
            "helper.gfp_a": "unmodelled",
            "helper.gfp_b": "unmodelled",
            "helper.gfp_c": "error",
            "helper.gfp_d": "error",
        }

    def test_what_had_to_be_taken_out_of_the_text_for_it_does_not_compile(self) -> None:
        left_out = [
            ("alloc_a", GFP_H, 40, "no such type"),
            ("alloc_b", TYPES_H, 50, "no such name"),
            ("alloc_a", GFP_H, 60, "the same name once more"),
            ("gfp_zone", GFP_H, 70, "has a model, and a verdict of its own"),
        ]
        at = view({}, left_out=left_out)
        assert judge(at) == {
            f"helper.{name}": Check(
                f"helper.{name}", name, "helper", "error", file=path, line=line, message=f"does not compile: {why}"
            )
            for name, path, line, why in left_out[:2]
        }
        assert list(judge(at, wanted=lambda name: name == "alloc_b")) == ["helper.alloc_b"]


class TestLaws:
    """Each law is judged on the proven form, and where there is none on every input."""

    def judged(self, function: Callable[..., Outcome], wanted: Callable[[str], bool] = everything) -> dict[str, Check]:
        at = view({"gfp_nested_mask": function}, [helper("gfp_nested_mask", "gfp_t")])
        results = helpers.judge(at, [MODELS["gfp_nested_mask"]], everything)
        return {c.id: c for c in laws.check(at, results, wanted)}

    def test_every_law_holds_of_the_filter(self) -> None:
        found = self.judged(nested)
        assert list(found) == [f"law.gfp_nested_mask.{law.id}" for law in LAWS]
        for law, check in zip(LAWS, found.values(), strict=True):
            assert check == Check(
                f"law.gfp_nested_mask.{law.id}",
                "gfp_nested_mask",
                "law",
                "pass",
                {},
                ({},),
                INPUTS,
                file=GFP_H,
                line=10,
                message=law.text,
            )

    def require_broken(self, check: Check, mismatches: int, first: Witness, smallest: Witness) -> None:
        law = next(law for law in LAWS if check.id.endswith(law.id))
        assert (check.status, check.inputs, check.mismatches) == ("fail", INPUTS, mismatches)
        assert (check.first, check.smallest) == (first, smallest)
        assert check.message == f"broken law: {law.text}. Where that does not hold, {law.why}"

    def test_a_broken_law_of_a_filter(self) -> None:
        found = self.judged(lambda x: Outcome((x & (KEEP | 0x6)) | FORCE))
        assert [i for i, c in found.items() if c.status == "fail"] == ["law.gfp_nested_mask.no-zone"]
        text = "the result has no zone bit"
        witness = Witness(2, "0x2", text, "0x702")
        self.require_broken(found["law.gfp_nested_mask.no-zone"], INPUTS * 3 // 4, witness, witness)

    def test_a_broken_law_where_no_form_fits(self) -> None:
        # An input above the domain is none.
        found = self.judged(lambda x: Outcome(FORCE | 1) if x in {0x7, 0x400, INPUTS | 0x3} else nested(x))
        broken = [i for i, c in found.items() if c.status == "fail"]
        # 0x701 is none of the two inputs: applied again, the filter drops the zone.
        assert broken == ["law.gfp_nested_mask.no-zone", "law.gfp_nested_mask.idempotent"]
        text = "the result has no zone bit"
        first, smallest = Witness(7, "0x7", text, "0x701"), Witness(0x400, "0x400", text, "0x701")
        self.require_broken(found[broken[0]], 2, first, smallest)

    def test_a_filter_that_crashes_has_no_verdict_on_laws(self) -> None:
        assert self.judged(crashing(0)) == {}

    def test_a_crash_while_laws_are_judged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lost = Tally(crash=HelperCrashed("gfp_nested_mask", "crashes", 0, 1))
        monkeypatch.setattr(judged.PythonPool, "judge", lambda _, job: [lost, *[Tally() for _ in job.laws[1:]]])
        found = self.judged(lambda x: Outcome(0) if x == 9 else nested(x))
        assert len(found) == len(LAWS)
        for check in found.values():
            assert (check.status, check.inputs) == ("fail", 0)
            assert check.message == "misbehaves while the law is judged"

    def test_they_are_not_judged_where_the_filter_is_not_asked_for(self) -> None:
        assert self.judged(nested, lambda name: name == "gfp_zone") == {}

    def test_other_filters_need_not_obey(self) -> None:
        at = view({"gfp_kmemleak_mask": nested}, [helper("gfp_kmemleak_mask", "gfp_t")])
        assert list(laws.check(at, helpers.judge(at, [MODELS["gfp_kmemleak_mask"]], everything), everything)) == []


def segment(**over: Any) -> SegmentPlan:  # noqa: ANN401 - values of constants
    return SegmentPlan(0, {}, constants=constants(**{"GFP_KERNEL": 0xF0, **over}))


class TestRangeOfNumbers:
    """Enumerators that a helper may return have to be different numbers."""

    def judged(self, **zones: int) -> Check:
        def zone(x: int) -> Outcome:
            chosen = (x & 0x7).bit_count()
            return (
                Outcome(0, bug=True)
                if chosen > 1
                else Outcome(zones["ZONE_MOVABLE" if x & 0xF == 0xA else "ZONE_NORMAL"])
            )

        plan = helper("gfp_zone", "enum zone_type")
        at = view({"gfp_zone": zone}, [plan], segments=[SegmentPlan(0, {}, constants=constants(**zones))])
        found = judge(at, "gfp_zone")
        assert found["helper.gfp_zone"].status == "pass"
        return found["range.gfp_zone"]

    def test_different_ones(self) -> None:
        assert self.judged(ZONE_NORMAL=0, ZONE_MOVABLE=1).status == "pass"

    def test_two_that_are_one(self) -> None:
        check = self.judged(ZONE_NORMAL=4, ZONE_MOVABLE=4)
        assert (check.id, check.status, check.inputs, check.mismatches) == ("range.gfp_zone", "fail", 0, 0)
        assert check.message == "ZONE_NORMAL and ZONE_MOVABLE are both 4: no result tells which is meant"

    def test_three_that_are_one(self) -> None:
        assert self.judged(ZONE_DMA=0, ZONE_NORMAL=0, ZONE_MOVABLE=0).message == (
            "ZONE_DMA and ZONE_NORMAL are both 0, ZONE_DMA and ZONE_MOVABLE are both 0, "
            "ZONE_NORMAL and ZONE_MOVABLE are both 0: no result tells which is meant"
        )


class TestComposites:
    """Every composite of the row, and every other mask of several flags."""

    def test_masks_that_do_not_compile(self) -> None:
        why = "the macro does not compile as a constant: no such flag"
        names = ("GFP_ODD", "__GFP_ODD", "__GFP_IO", "GFP_ZONE_BAD", "odd")
        found = self.judged(view(segments=[segment()], broken=dict.fromkeys(names, why)))
        # A flag of the row is a matter of layout; what is no mask is none of composites.
        errors = {c.subject: c.message for c in found.values() if c.status == "error"}
        assert errors == dict.fromkeys(("GFP_ODD", "__GFP_ODD"), f"not compared: {why} (in one configuration at least)")

    def judged(self, at: View, wanted: Callable[[str], bool] = everything) -> dict[str, Check]:
        return {c.id: c for c in composites.check(at, wanted)}

    def one(self, at: View, name: str = "GFP_KERNEL") -> Check:
        return self.judged(at)[f"composite.{name}"]

    def test_one_that_is_right(self) -> None:
        assert self.one(view(segments=[segment()], places={"GFP_KERNEL": (TYPES_H, 77)})) == Check(
            "composite.GFP_KERNEL",
            "GFP_KERNEL",
            "composite",
            "pass",
            {},
            ({},),
            1,
            0,
            form={"flags": ["__GFP_IO", "__GFP_FS", "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM"]},
            file=TYPES_H,
            line=77,
        )

    def test_one_that_changed(self) -> None:
        check = self.one(view(segments=[segment(GFP_KERNEL=0xD1)]))
        assert (check.status, check.inputs, check.mismatches, check.gone) == ("fail", 1, 1, False)
        assert (check.file, check.line) == (TYPES_H, None)
        assert check.message == (f"changed against v9.1: +__GFP_DMA -__GFP_FS; expected 0xf0, found 0xd1; {ACCEPT}")

    def test_before_the_split_flags_are_in_gfp_h(self) -> None:
        assert self.one(view(segments=[segment()], reference=row(split=False))).file == GFP_H

    def test_one_whose_flag_is_gone(self) -> None:
        check = self.one(view(segments=[segment(__GFP_FS=None, GFP_KERNEL=0xD0)], reference=row()))
        assert check.status == "pass"
        check = self.one(view(segments=[segment(__GFP_FS=None, GFP_KERNEL=0xC0)], reference=row()))
        assert check.message.startswith("changed against v9.1: -__GFP_IO -__GFP_FS; expected 0xd0, found 0xc0; ")

    def test_one_that_is_removed(self) -> None:
        check = self.one(view(segments=[segment(GFP_KERNEL=None)]))
        assert (check.status, check.gone, check.inputs, check.mismatches) == ("fail", True, 1, 1)
        assert check.form is None
        assert check.message == (f"removed: v9.1 defines it, this source does not; its users would not build; {ACCEPT}")

    def test_one_that_does_not_compile(self) -> None:
        check = self.one(view(segments=[segment(GFP_KERNEL=None)], broken={"GFP_KERNEL": "no such flag"}))
        assert (check.status, check.gone, check.inputs, check.mismatches) == ("error", False, 0, 0)
        assert check.message == "not compared: no such flag (in one configuration at least)"

    def test_one_of_another_type(self) -> None:
        check = self.one(view(segments=[segment(GFP_KERNEL=Constant(0xF0, 8, is_gfp_t=False))]))
        assert (check.status, check.mismatches) == ("fail", 1)
        assert check.message == "changed: expected type gfp_t, found another type of 8 bytes"

    def test_one_that_is_new(self) -> None:
        found = self.judged(view(segments=[segment(GFP_NEW=0x11, GFP_NONE=0)]))
        assert found["composite.GFP_NEW"].status == "undecided"
        assert found["composite.GFP_NEW"].inputs == 0
        assert found["composite.GFP_NEW"].message == "new: v9.1 has no GFP_NEW; here it is __GFP_DMA|__GFP_IO"
        assert found["composite.GFP_NONE"].message == "new: v9.1 has no GFP_NONE; here it is 0"

    def test_what_is_a_composite(self) -> None:
        at = view(
            segments=[
                segment(
                    __GFP_BOTH=0x3,
                    __GFP_LONE=1 << 11,
                    GFP_LONE=1 << 11,
                    GFP_ZONE_BAD=3,
                    GFP_ZONE_TABLE=3,
                    GFP_ZONES_SHIFT=3,
                    GFP_NUMBER=Constant(3, 4, is_gfp_t=False),
                    OTHER=Constant(3, 4, is_gfp_t=True),
                )
            ]
        )
        assert set(self.judged(at)) == {
            f"composite.{n}" for n in ("GFP_KERNEL", "__GFP_BOTH", "GFP_LONE", "__GFP_BITS_MASK")
        }

    @pytest.mark.parametrize(("value", "status"), [(0x7FF, "pass"), (0x3FF, "fail"), (0xFFF, "fail")])
    def test_a_mask_has_its_rule(self, value: int, status: str) -> None:
        assert self.one(view(segments=[segment(__GFP_BITS_MASK=value)]), "__GFP_BITS_MASK").status == status

    def test_a_rule_is_that_of_the_release(self) -> None:
        # NOLOCKDEP is in the reclaim mask since 6.0: bit 11 here, beside 0x7f0.
        held = segment(__GFP_NOLOCKDEP=1 << 11, GFP_RECLAIM_MASK=0xFF0)
        assert self.one(view(segments=[held]), "GFP_RECLAIM_MASK").status == "pass"
        assert self.one(view(segments=[held], reference=row(version="5.19.1")), "GFP_RECLAIM_MASK").status == "fail"

    def test_a_configuration_that_cannot_be_built(self) -> None:
        check = self.one(view(segments=[SegmentPlan(0, {}, error="too old")]))
        assert (check.status, check.gone, check.form) == ("error", False, None)
        assert check.message == "this configuration cannot be built: too old"

    def test_a_configuration_that_was_not_compiled(self) -> None:
        at = view(
            segments=[SegmentPlan(0, {"CONFIG_A": False}, constants=constants(GFP_KERNEL=0xF0))],
            constant_symbols={"GFP_KERNEL": ["CONFIG_A"]},
        )
        found = self.judged(at)
        assert found["composite.GFP_KERNEL.none"].status == "pass"
        assert found["composite.GFP_KERNEL.A"].status == "error"
        assert found["composite.GFP_KERNEL.A"].message == "this configuration cannot be built: it was not compiled"

    def test_it_is_judged_in_the_configurations_of_its_flags(self) -> None:
        gated = row(flags={**row().flags, "__GFP_FS": {"bit": 5, "config": "CONFIG_A"}}, config_symbols=["CONFIG_A"])
        segments = [
            SegmentPlan(0, {"CONFIG_A": False}, constants=constants(GFP_KERNEL=0xD0, __GFP_FS=0)),
            SegmentPlan(1, {"CONFIG_A": True}, constants=constants(GFP_KERNEL=0xF0)),
        ]
        at = view(segments=segments, reference=gated, flag_symbols=["CONFIG_A"])
        found = self.judged(at)
        assert {i: (c.status, c.config) for i, c in found.items() if "KERNEL" in i} == {
            "composite.GFP_KERNEL.none": ("pass", {"CONFIG_A": False}),
            "composite.GFP_KERNEL.A": ("pass", {"CONFIG_A": True}),
        }
        # DMA depends on no symbol, in whatever way other flags do.
        elsewhere = replace(gated, composites={"GFP_DMA": ["__GFP_DMA"]})
        at = replace(at, row=elsewhere)
        assert list(self.judged(at, lambda name: name == "GFP_DMA")) == ["composite.GFP_DMA"]
        # A mask is made of flags, and depends on what they depend on.
        assert {i for i in found if "BITS_MASK" in i} == {
            "composite.__GFP_BITS_MASK.none",
            "composite.__GFP_BITS_MASK.A",
        }

    def test_only_what_is_asked_for(self) -> None:
        at = view(segments=[segment(GFP_NEW=0x11)])
        assert list(self.judged(at, lambda name: name == "GFP_NEW")) == ["composite.GFP_NEW"]


class TestLayout:
    """The rules of bits."""

    RULES = (
        "gfp_t-unsigned",
        "single-bits",
        "inside-mask",
        "shift-ceiling",
        "zone-bits-lowest",
        "gates",
        "present",
        "compiles-alone",
    )

    def judged(self, at: View) -> dict[str, Check]:
        return {c.subject: c for c in layout.check(at)}

    def broken(self, at: View) -> dict[str, str]:
        """The rules that do not hold, and what is said of each."""
        return {name: c.message for name, c in self.judged(at).items() if c.status == "fail"}

    def test_every_rule_holds(self) -> None:
        found = self.judged(view())
        assert tuple(found) == self.RULES
        for name, check in found.items():
            assert (check.id, check.kind, check.status) == (f"layout.{name}", "layout", "pass")
            assert (check.inputs, check.mismatches) == (1 if name == "compiles-alone" else 11, 0)

    def test_a_signed_type(self) -> None:
        assert self.broken(view(gfp_t_signed=True)) == {
            "gfp_t-unsigned": "gfp_t is a signed type; shifts and comparisons of masks change their meaning"
        }

    def test_two_flags_on_a_bit(self) -> None:
        broken = self.broken(view(segments=[segment(__GFP_FS=0x10)]))
        assert broken["single-bits"] == "__GFP_IO and __GFP_FS stand on the same bit 0x10"

    def test_a_flag_of_two_bits(self) -> None:
        broken = self.broken(view(segments=[segment(__GFP_FS=0x820)]))
        assert broken["single-bits"] == "__GFP_FS is 0x820, not a single bit"

    def test_all_that_breaks_a_rule_is_told(self) -> None:
        check = self.judged(view(segments=[segment(__GFP_FS=0x820, __GFP_DMA=0x10)]))["single-bits"]
        assert (check.inputs, check.mismatches) == (11, 2)
        assert check.message == "__GFP_FS is 0x820, not a single bit; __GFP_DMA and __GFP_IO stand on the same bit 0x10"

    def test_a_mask_of_several_flags_is_no_flag(self) -> None:
        for masks in ({"__GFP_BOTH": 0x3}, {"__GFP_BITS_MASK": 0x1}, {"__GFP_BITS_MASK": 0x3}):
            found = self.judged(view(segments=[segment(**masks)]))
            assert (found["single-bits"].status, found["single-bits"].inputs) == ("pass", 11)
            assert "undecided" not in {c.status for c in found.values()}

    def test_a_flag_outside_the_mask(self) -> None:
        broken = self.broken(view(segments=[segment(__GFP_NOMEMALLOC=1 << 11)]))
        assert broken == {"inside-mask": "__GFP_NOMEMALLOC (0x800) is outside __GFP_BITS_MASK (0x7ff): bits get lost"}

    def test_no_mask_and_no_shift(self) -> None:
        broken = self.broken(view(segments=[segment(__GFP_BITS_MASK=None, __GFP_BITS_SHIFT=None)]))
        assert broken == {
            "inside-mask": "__GFP_BITS_MASK is not defined",
            "shift-ceiling": "__GFP_BITS_SHIFT is not defined",
        }

    @pytest.mark.parametrize(("shift", "holds"), [(28, True), (29, True), (30, False)])
    def test_the_ceiling_of_the_shift(self, shift: int, holds: bool) -> None:  # noqa: FBT001 - a column
        broken = self.broken(view(segments=[segment(__GFP_BITS_SHIFT=shift)]))
        says = f"__GFP_BITS_SHIFT is {shift}; xarray marks leave room for 29"
        assert broken == ({} if holds else {"shift-ceiling": says})

    def test_a_zone_flag_above_the_lowest_four(self) -> None:
        broken = self.broken(view(segments=[segment(__GFP_DMA=0x10, __GFP_IO=0x1)]))
        assert broken == {"zone-bits-lowest": "the zone flags cover 0x1e; gfp_zone() looks at the lowest four bits"}

    def test_a_zone_flag_that_is_gone(self) -> None:
        broken = self.broken(view(segments=[segment(__GFP_DMA=None)]))
        assert broken["zone-bits-lowest"] == "the zone flags cover 0xe; gfp_zone() looks at the lowest four bits"

    def test_a_flag_that_is_gone_or_off(self) -> None:
        assert self.broken(view(segments=[segment(__GFP_FS=None)])) == {
            "present": "removed: v9.1 has __GFP_FS, this source does not"
        }
        assert self.broken(view(segments=[segment(__GFP_FS=0)])) == {
            "present": "changed: __GFP_FS is 0, in v9.1 it is a bit of its own here"
        }
        typed = segment(__GFP_FS=Constant(0x20, 8, is_gfp_t=False))
        assert self.broken(view(segments=[typed])) == {
            "present": "changed: __GFP_FS is not of type gfp_t but of another of 8 bytes"
        }
        assert self.broken(view(segments=[segment(__GFP_FS=None)], broken={"__GFP_FS": "cannot be cut out"})) == {
            "present": "cannot be cut out (in one configuration at least)"
        }

    GATED = row(flags={**row().flags, "__GFP_FS": {"bit": 5, "config": "CONFIG_A"}})

    def gated(self, off: Any, on: Any, symbols: list[str]) -> dict[str, str]:  # noqa: ANN401 - constants
        """What is said where __GFP_FS has these values with CONFIG_A off and on."""
        segments = [
            SegmentPlan(0, {"CONFIG_A": False}, constants=constants(__GFP_FS=off)),
            SegmentPlan(1, {"CONFIG_A": True}, constants=constants(__GFP_FS=on)),
        ]
        at = view(
            segments=segments, reference=self.GATED, flag_symbols=["CONFIG_A"], constant_symbols={"__GFP_FS": symbols}
        )
        return {c.id.removeprefix("layout."): c.message for c in layout.check(at) if c.status == "fail"}

    def test_a_flag_behind_its_symbol(self) -> None:
        assert self.gated(0, 0x20, ["CONFIG_A"]) == {}

    def test_a_flag_that_does_not_follow_its_symbol(self) -> None:
        assert self.gated(0x20, 0, ["CONFIG_A"]) == {
            "gates.none": "__GFP_FS is 0x20 although CONFIG_A is off",
            "gates.A": "__GFP_FS is 0 although CONFIG_A is on",
            "present.A": "changed: __GFP_FS is 0, in v9.1 it is a bit of its own here",
        }

    def test_a_flag_of_another_type_behind_its_symbol(self) -> None:
        assert self.gated(0, Constant(0x20, 8, is_gfp_t=False), ["CONFIG_A"]) == {
            "gates.A": "__GFP_FS is 0 although CONFIG_A is on",
            "present.A": "changed: __GFP_FS is not of type gfp_t but of another of 8 bytes",
        }
        assert self.gated(Constant(0x20, 8, is_gfp_t=False), 0x20, ["CONFIG_A"]) == {}

    def test_a_symbol_that_a_configuration_does_not_name_is_off(self) -> None:
        symbols = {"__GFP_FS": ["CONFIG_A"]}
        for value, says in ((0, {}), (0x20, {"gates": "__GFP_FS is 0x20 although CONFIG_A is off"})):
            at = view(segments=[segment(__GFP_FS=value)], reference=self.GATED, constant_symbols=symbols)
            assert self.broken(at) == says

    def test_a_flag_that_depends_on_no_symbol_any_more(self) -> None:
        says = "changed: __GFP_FS depends on CONFIG_A in v9.1, and does not here"
        assert self.gated(0, 0x20, []) == {"gates.none": says, "gates.A": says}

    def test_what_is_said_of_one_flag_does_not_hide_the_next(self) -> None:
        gate = {"config": "CONFIG_A"}
        two = {"__GFP_IO": {"bit": 4, **gate}, "__GFP_FS": {"bit": 5, **gate}}
        at = view(
            segments=[segment(__GFP_IO=0, __GFP_FS=0, __GFP_NOMEMALLOC=None)],
            reference=row(flags={**row().flags, **two}),
        )
        assert self.broken(at) == {
            "gates": "changed: __GFP_IO depends on CONFIG_A in v9.1, and does not here; "
            "changed: __GFP_FS depends on CONFIG_A in v9.1, and does not here",
            "present": "removed: v9.1 has __GFP_NOMEMALLOC, this source does not",
        }

    def test_a_configuration_that_cannot_be_built_is_an_error_of_every_rule(self) -> None:
        found = self.judged(view(segments=[SegmentPlan(0, {}, error="too old")]))
        del found["compiles-alone"]
        told = {n: (c.status, c.message, c.inputs, c.file) for n, c in found.items()}
        says = "this configuration cannot be built: too old"
        assert told == dict.fromkeys(self.RULES[:-1], ("error", says, 0, TYPES_H))
        apart = view(segments=[SegmentPlan(0, {"CONFIG_A": False})], flag_symbols=["CONFIG_A"])
        lost = [c.message for c in layout.check(apart) if c.id.endswith(".A")]
        assert lost == ["this configuration cannot be built: it was not compiled"] * 7

    def test_types_that_do_not_compile_alone(self) -> None:
        assert self.broken(view(alone="no gfp_t")) == {
            "compiles-alone": "gfp_types.h does not compile by itself: no gfp_t; include what it uses"
        }
        for at in (view(alone="no gfp_t"), view(alone=None)):
            check = self.judged(at)["compiles-alone"]
            assert (check.inputs, check.mismatches) == (1, 1)

    def test_types_that_are_gone(self) -> None:
        assert self.broken(view(alone=None)) == {
            "compiles-alone": "removed: v9.1 has include/linux/gfp_types.h, this source does not"
        }
        assert "compiles-alone" not in self.judged(view(alone=None, reference=row(split=False)))

    def test_a_new_flag_is_undecided(self) -> None:
        at = view(segments=[segment(__GFP_NEW=1 << 11, __GFP_BITS_MASK=0xFFF)], places={"__GFP_NEW": (GFP_H, 5)})
        (new,) = [c for c in layout.check(at) if c.status != "pass"]
        assert new == Check(
            "layout.__GFP_NEW",
            "__GFP_NEW",
            "layout",
            "undecided",
            file=GFP_H,
            line=5,
            message="new: v9.1 has no __GFP_NEW, and the nested policy has no verdict on it",
        )
        decided = view(
            segments=[segment(__GFP_NEW=1 << 11, __GFP_BITS_MASK=0xFFF)], policy=Policy({"__GFP_NEW": Fate.DROP})
        )
        assert {c.status for c in layout.check(decided)} == {"pass"}

    def test_a_flag_that_is_new_in_one_configuration(self) -> None:
        segments = [
            SegmentPlan(n, {"CONFIG_A": bool(n)}, constants=constants(**{f"__GFP_NEW{n}": 1 << 11})) for n in (0, 1)
        ]
        found = layout.check(view(segments=segments, flag_symbols=["CONFIG_A"]))
        assert [c.id for c in found if c.status == "undecided"] == ["layout.__GFP_NEW0", "layout.__GFP_NEW1"]

    def test_a_finding_of_the_build_that_no_helper_claims(self) -> None:
        plans = [helper("gfp_nested_mask", "gfp_t")]
        findings = [Finding(GFP_H, 10, 0, "claimed"), Finding(GFP_H, 20, 0, "claimed"), Finding(GFP_H, 21, 0, "bug")]
        found = [c for c in layout.check(view({}, plans, findings=findings)) if c.status == "fail"]
        assert found == [
            Check(
                "layout.build-bug.gfp-21.0",
                "build-bug",
                "layout",
                "fail",
                {},
                ({},),
                1,
                1,
                file=GFP_H,
                line=21,
                message="bug",
            )
        ]
        unjudged = [replace(plans[0], meanings=[])]
        assert len([c for c in layout.check(view({}, unjudged, findings=findings)) if c.status == "fail"]) == 3

    def test_bits_of_each_configuration(self) -> None:
        assert list(layout.bits(view())) == [({}, judged.BITS)]
        assert list(layout.bits(view(segments=[SegmentPlan(0, {}, error="too old")]))) == []

    def test_a_flag_that_moved_is_a_note(self) -> None:
        assert list(layout.moved(view())) == []
        swapped = view(segments=[segment(__GFP_IO=0x20, __GFP_FS=0x10)])
        assert list(layout.moved(swapped)) == [
            "moved against v9.1, which changes no meaning: __GFP_IO: bit 5, was 4; __GFP_FS: bit 4, was 5"
        ]
        assert list(layout.moved(view(segments=[SegmentPlan(0, {}, error="too old")]))) == []

    def test_flags_are_looked_for_with_every_symbol_on(self) -> None:
        off = SegmentPlan(0, {"CONFIG_A": False}, constants=constants(__GFP_IO=0x20, __GFP_FS=0x10))
        on = SegmentPlan(1, {"CONFIG_A": True}, constants=constants(__GFP_DMA=0x2, __GFP_HIGHMEM=0x1))
        assert list(layout.moved(view(segments=[off, on], flag_symbols=["CONFIG_A"]))) == [
            "moved against v9.1, which changes no meaning: __GFP_DMA: bit 1, was 0; __GFP_HIGHMEM: bit 0, was 1"
        ]
        assert list(layout.moved(view(segments=[off], flag_symbols=["CONFIG_A"]))) == []


class TestStanding:
    """What is said of a helper before anything is compared."""

    def standing(self, plan: Any, name: str = "gfp_nested_mask", **over: Any) -> list[Check]:  # noqa: ANN401 - plans
        at = view({}, [plan] if plan else [], **over)
        return standing.standing(at, MODELS[name], plan)

    def test_one_that_can_be_compared(self) -> None:
        assert self.standing(helper("gfp_nested_mask", "gfp_t")) == []

    @pytest.mark.parametrize(
        ("over", "found"),
        [
            ({"result": "bool"}, "bool gfp_nested_mask(gfp_t)"),
            ({"result": "void"}, "void gfp_nested_mask(gfp_t)"),
            ({"parameters": ["gfp_t", "int"]}, "gfp_t gfp_nested_mask(gfp_t, int)"),
            ({"parameters": []}, "gfp_t gfp_nested_mask()"),
        ],
    )
    def test_another_signature(self, over: dict[str, Any], found: str) -> None:
        (check,) = self.standing(replace(helper("gfp_nested_mask", "gfp_t"), **over))
        assert check == Check(
            "helper.gfp_nested_mask",
            "gfp_nested_mask",
            "helper",
            "fail",
            file=GFP_H,
            line=10,
            message=f"signature changed: expected gfp_t gfp_nested_mask(gfp_t), found {found}",
        )

    def test_a_predicate_that_returns_nothing(self) -> None:
        (check,) = self.standing(helper("gfp_has_io_fs", "void"), "gfp_has_io_fs")
        assert check.status == "fail"
        assert check.message == (
            "signature changed: expected bool gfp_has_io_fs(gfp_t), found void gfp_has_io_fs(gfp_t)"
        )

    def test_an_int_for_a_bool_is_no_other_signature(self) -> None:
        assert self.standing(helper("gfp_has_io_fs", "int"), "gfp_has_io_fs") == []

    def test_one_that_does_not_compile(self) -> None:
        (check,) = self.standing(helper("gfp_nested_mask", "gfp_t", error="no such flag"))
        assert (check.status, check.message) == ("error", "does not compile: no such flag")
        (check,) = self.standing(helper("gfp_nested_mask", "", parameters=[], error="no such flag"))
        assert (check.status, check.message) == ("error", "does not compile: no such flag")

    def test_one_that_cannot_be_swept(self) -> None:
        (check,) = self.standing(helper("gfp_nested_mask", "gfp_t", unswept="takes a pointer", meanings=[]))
        assert check.status == "fail"
        assert check.message == (
            "signature changed: expected gfp_t gfp_nested_mask(gfp_t), found one that takes a pointer"
        )

    def test_a_helper_without_a_model_is_unswept_in_peace(self) -> None:
        assert standing.whole(None, helper("gfp_new", unswept="takes a pointer")) is None
        assert standing.whole(None, helper("gfp_new", "void")) is None

    def test_one_that_is_removed(self) -> None:
        (check,) = self.standing(None)
        assert (check.id, check.kind, check.status) == ("helper.gfp_nested_mask", "helper", "fail")
        assert (check.file, check.gone) == (GFP_H, True)
        assert check.message == (
            f"removed: v9.1 defines it in {GFP_H}, and no watched file of this source does; "
            f"if it was renamed or moved on purpose, every caller has to follow; {ACCEPT}"
        )

    def test_every_file_that_should_define_it_is_named(self) -> None:
        twice = row(helper_files={"gfp_nested_mask": [GFP_H, "mm/slab.c", TYPES_H]})
        (check,) = self.standing(None, reference=twice)
        assert check.message.startswith(f"removed: v9.1 defines it in {GFP_H}, {TYPES_H}, and no watched file")

    def test_one_whose_file_is_not_in_the_source(self) -> None:
        elsewhere = row(helper_files={"gfp_nested_mask": ["mm/kmemleak.c", "mm/slab.c"]})
        (check,) = self.standing(None, reference=elsewhere)
        assert (check.status, check.file, check.gone) == ("absent", None, True)
        assert check.message == ("not judged: v9.1 has it in mm/kmemleak.c, mm/slab.c, which is not in this source")

    def test_one_that_the_row_lacks_too(self) -> None:
        (check,) = self.standing(None, reference=row(helper_files={}))
        assert (check.status, check.message) == ("absent", "neither this source nor v9.1 has it")

    def test_one_that_no_release_of_today_has_is_not_spoken_of(self) -> None:
        assert self.standing(None, "gfp_kmemleak_mask", reference=row(helper_files={})) == []

    def test_one_that_cannot_be_cut_out_is_not_called_removed(self) -> None:
        (check,) = self.standing(None, broken={"gfp_nested_mask": "gfp.h:7: no end"})
        assert check == Check("helper.gfp_nested_mask", "gfp_nested_mask", "helper", "error", message="gfp.h:7: no end")

    def test_one_that_is_compiled_out_in_a_configuration(self) -> None:
        plan = helper("gfp_nested_mask", "gfp_t", missing=[{"CONFIG_A": True}])
        (check,) = self.standing(plan)
        assert check == Check(
            "helper.gfp_nested_mask.A",
            "gfp_nested_mask",
            "helper",
            "fail",
            {"CONFIG_A": True},
            ({"CONFIG_A": True},),
            file=GFP_H,
            line=10,
            message="compiled out in this configuration; where it is called, the kernel would not build",
        )
        (check,) = self.standing(plan, reference=row(helper_files={}))
        assert check.status == "absent"

    def test_one_that_is_lost_in_a_configuration(self) -> None:
        (check,) = self.standing(helper("gfp_nested_mask", "gfp_t", losses=[({"CONFIG_A": True}, "no such flag")]))
        assert (check.id, check.status) == ("helper.gfp_nested_mask.A", "error")
        assert check.message == "does not compile in this configuration: no such flag"

    @pytest.mark.parametrize(
        ("segments", "why"),
        [
            ((), "it was not compiled"),
            ((SegmentPlan(1, {"CONFIG_A": True}, error="too old"),), "too old"),
            ((SegmentPlan(1, {"CONFIG_A": True}),), "it was not compiled"),
        ],
    )
    def test_a_configuration_that_is_nowhere(self, segments: tuple[SegmentPlan, ...], why: str) -> None:
        off = SegmentPlan(0, {"CONFIG_A": False}, constants=constants())
        plan = helper("gfp_nested_mask", "gfp_t", symbols=["CONFIG_A"], meanings=[Meaning(0, [{"CONFIG_A": False}])])
        (check,) = self.standing(plan, segments=[off, *segments])
        assert (check.id, check.status) == ("helper.gfp_nested_mask.A", "error")
        assert check.message == f"this configuration cannot be built: {why}"
        assert standing.unbuildable(view({}, [plan], segments=[off]), replace(plan, unswept="takes a pointer")) == []

    def test_a_verdict_of_the_whole_costs_the_cases(self) -> None:
        at = view({}, [helper("gfp_nested_mask", "gfp_t", error="no such flag")])
        assert [c.status for c in judge(at, "gfp_nested_mask").values()] == ["error"]


class TestView:
    """What is compared, and how it is told."""

    def test_the_domain_is_every_bit_that_is_defined(self) -> None:
        assert view().domain_bits == 11
        assert view().domain == "every value of the defined bits (2^11 inputs)"
        assert view(segments=[segment(__GFP_NEW=1 << 12)]).domain_bits == 13
        assert view(segments=[segment(__GFP_BITS_SHIFT=14)]).domain_bits == 14
        assert (
            view(segments=[segment(), SegmentPlan(1, {}, constants=segment(__GFP_NEW=1 << 13).constants)]).domain_bits
            == 14
        )

    def test_the_row_counts_too(self) -> None:
        assert view(reference=row(flags={"__GFP_NEW": {"bit": 12}})).domain_bits == 13
        assert view(reference=row(bits_shift={"none": 11, "A": 14})).domain_bits == 14

    def test_never_less_than_a_block_nor_more_than_a_sweep_reaches(self) -> None:
        bare = SegmentPlan(0, {}, constants={})
        assert (
            view(segments=[bare], reference=row(flags={"__GFP_DMA": {"bit": 0}}, bits_shift={"none": 1})).domain_bits
            == 11
        )
        assert view(segments=[segment(__GFP_NEW=1 << 40)], gfp_t_bits=64).domain_bits == 32
        assert view(segments=[segment(__GFP_BITS_SHIFT=20)], gfp_t_bits=16).domain_bits == 16

    def test_full_is_every_value_of_the_type(self) -> None:
        full = view(full=True)
        assert (full.domain_bits, full.extra_inputs) == (32, [])
        assert full.domain == "every value of gfp_t (2^32 inputs)"
        assert view(full=True, gfp_t_bits=31).domain_bits == 31

    def test_a_wide_type_has_its_higher_bits_one_by_one(self) -> None:
        wide = view(full=True, gfp_t_bits=33)
        assert wide.domain_bits == 11
        assert wide.extra_inputs == [*(1 << bit for bit in range(11, 33)), 0x1FFFFF800, 0x1FFFFFFFF]
        assert wide.domain == (
            "every value of the 11 defined bits, and each higher bit of gfp_t alone and all together"
        )
        assert view(gfp_t_bits=33).extra_inputs == []

    def test_the_higher_bits_are_compared(self) -> None:
        wrong = {1 << 20, (1 << 33) - 1}
        check = of_filter(lambda x: Outcome(0) if x in wrong else nested(x), full=True, gfp_t_bits=33)
        assert (check.status, check.inputs, check.mismatches) == ("fail", INPUTS + 24, 2)
        assert check.first is not None
        assert check.smallest is not None
        assert (check.first.input, check.smallest.input) == (1 << 20, 1 << 20)
        assert of_filter(nested, full=True, gfp_t_bits=33).inputs == INPUTS + 24

    def test_a_crash_up_there_is_one(self) -> None:
        check = of_filter(crashing(1 << 20), full=True, gfp_t_bits=33)
        assert (check.status, check.inputs) == ("fail", 0)
        assert check.message == "misbehaves: gfp_nested_mask crashes with SIGSEGV on input 0x100000"

    def test_witnesses_get_the_names_of_the_trace_table(self) -> None:
        at = view(segments=[segment()])
        check = of_filter(lambda x: Outcome((x & KEEP & ~0x20) | FORCE))
        assert check.first is not None
        named = at.named(check, ["GFP_KERNEL", "__GFP_NOWARN", "__GFP_NORETRY", "__GFP_NOMEMALLOC"])
        says = "__GFP_NOWARN|__GFP_NORETRY|__GFP_NOMEMALLOC"
        assert named.first == replace(
            check.first,
            input_names="0x20",
            expected_names=f"{says}|0x20",
            actual_names=says,
            unnamed=("__GFP_FS",),
        )
        assert named.smallest == named.first
        assert named.status == check.status
        named = at.named(check, ["__GFP_FS"])
        assert named.first is not None
        assert (named.first.input_names, named.first.unnamed) == ("__GFP_FS", ())
        passed = of_filter(nested)
        assert at.named(passed, ["__GFP_FS"]) is passed
        with pytest.raises(AttributeError, match="cannot assign"):
            at.full = True  # type: ignore[misc]
        half = at.named(replace(check, smallest=None), ["__GFP_FS"])
        assert (half.first, half.smallest) == (named.first, None)


def test_a_view_is_of_the_defined_bits_and_of_grouped_pages_unless_it_is_said() -> None:
    at = view()
    assert View(at.session, at.row, at.policy).full is False
    assert at.context(0, {}).ungrouped is False


def test_names_are_those_of_the_configuration() -> None:
    segments = [
        SegmentPlan(0, {"CONFIG_A": False}, constants=constants()),
        SegmentPlan(1, {"CONFIG_A": True}, constants=constants(__GFP_IO=0x20, __GFP_FS=0x10)),
    ]
    check = replace(of_filter(lambda x: Outcome((x & KEEP & ~0x20) | FORCE)), smallest=None)
    for config, name in (
        ({"CONFIG_A": False}, "__GFP_FS"),
        ({"CONFIG_A": True}, "__GFP_IO"),
        ({"B": True}, "__GFP_FS"),
    ):
        named = view(segments=segments).named(replace(check, config=config), ["__GFP_IO", "__GFP_FS"])
        assert named.first is not None
        assert named.first.input_names == name


def test_a_table_of_a_wide_result_is_64_bits_wide() -> None:
    """A negative number comes back as the lane of the result holds it."""
    from pygfp.checking.cases import _in_width  # noqa: PLC0415 - private

    table = MaskTable((), (Outcome(-1),))
    assert _in_width(table, "int").outcome(0).value == 0xFFFFFFFF
    assert _in_width(table, "unsigned long").outcome(0).value == 0xFFFFFFFFFFFFFFFF
    assert _in_width(MaskTable((), (Outcome(-1, bug=True),)), "int").outcome(0) == Outcome(0, bug=True)
