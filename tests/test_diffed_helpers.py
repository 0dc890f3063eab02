# SPDX-License-Identifier: GPL-2.0-only
"""
What a diff says of helpers, on kernels made of Python: every word, count and example is worked out by hand.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import pytest
from judged import FORCE, GFP_H, KEEP, constants, helper, nested, row
from sided import OFF, ON, against, crashing, has, mask, one, two

from pygfp.changes import Change, Problem
from pygfp.differing import helpers, identical, proofs
from pygfp.differing.found import Found
from pygfp.differing.helpers import State
from pygfp.differing.proofs import Key, Proof, Question
from pygfp.forms import MaskFilter, MaskTable, Outcome
from pygfp.native.jobs import Tally
from pygfp.native.plan import Meaning, SegmentPlan

if TYPE_CHECKING:
    from collections.abc import Callable


IO, FS = "__GFP_IO", "__GFP_FS"
MASK, TRUTH = "gfp_nested_mask", "gfp_has_io_fs"
SLAB_C = "mm/slab.c"
NONE: dict[str, bool] = {}

Kernel = dict[str, Any]


def standing(old: Kernel, new: Kernel, known: Any = None, **both: Any) -> tuple[bool, Found]:  # noqa: ANN401
    found = Found()
    return helpers.standing(against(old, new, **both), MASK, known or {}, found), found


def said(old: Kernel, new: Kernel, **both: Any) -> list[Change]:  # noqa: ANN401 - fields of a build
    """The changes of a helper whose values cannot be compared; it was compared all the same."""
    comparable, found = standing(old, new, **both)
    assert (comparable, found.problems, found.notes, found.compared) == (False, [], [], [MASK])
    return found.changes


def problem(old: Kernel, new: Kernel) -> list[Problem]:
    comparable, found = standing(old, new)
    assert (comparable, found.changes, found.notes, found.compared) == (False, [], [], [])
    return found.problems


def notes(old: Kernel, new: Kernel, **both: Any) -> list[str]:  # noqa: ANN401 - fields of a build
    comparable, found = standing(old, new, **both)
    assert (comparable, found.changes, found.problems, found.compared) == (False, [], [], [])
    return found.notes


OUT = mask(unswept="takes a pointer", parameters=["gfp_t", "int *"])
BROKEN = mask(error="no such flag")


class TestPresence:
    """A helper comes, goes, breaks, mends, or is none that can be compared."""

    @pytest.mark.parametrize(
        ("kernel", "expected"),
        [
            (has(mask()), State("ok", "")),
            (has(), State("absent", "")),
            (has(BROKEN), State("broken", "no such flag")),
            (has(mask(), broken={MASK: "no end"}), State("broken", "no end")),
            (has(BROKEN, broken={MASK: "no end"}), State("broken", "no end")),
            (has(broken={MASK: "no end"}), State("broken", "no end")),
            (has(OUT), State("outside", "takes a pointer")),
            (has(mask(unswept="takes a pointer", error="no such flag")), State("broken", "no such flag")),
        ],
    )
    def test_what_a_side_has(self, kernel: Kernel, expected: State) -> None:
        assert helpers.state(against(kernel, has()).old, MASK) == expected

    def test_which_helpers_there_are(self) -> None:
        lost = dict.fromkeys(("gfp_lost", "GFP_KERNEL", "__GFP_IO", "not_GFP_x"), "no end")
        sides = against(has(helper("gfp_old"), helper("gfp_zone"), broken=lost), has(helper("gfp_zone"), helper(TRUTH)))
        assert helpers.names(sides, lambda _: True) == ["gfp_zone", TRUTH, "gfp_old", "gfp_lost", "not_GFP_x"]
        assert helpers.names(sides, lambda name: name in {"gfp_old", TRUTH}) == [TRUTH, "gfp_old"]

    def test_one_that_is_removed(self) -> None:
        text = f"removed; before has it in {GFP_H}"
        assert said(has(mask()), has()) == [Change(MASK, "helper", "removed", text, file=GFP_H, line=10)]

    def test_one_that_is_added(self) -> None:
        assert said(has(), has(mask())) == [Change(MASK, "helper", "added", "added", file=GFP_H, line=10)]

    def test_one_that_is_added_is_told_as_it_is_proven(self) -> None:
        known = {
            Key(TRUTH, 0, ungrouped=False): Proof(MaskTable((), (Outcome(3),))),
            Key(MASK, 1, ungrouped=False): Proof(MaskFilter(0x30, 0x100)),
            Key(MASK, 0, ungrouped=False): Proof(),
        }

        def added(known: dict[Key, Proof]) -> list[Change]:
            return standing(has(), {**two({}, {FS: None}), **has(mask())}, known)[1].changes

        text = "added: keep {IO 0x20}, force {NOWARN}"
        assert added(known) == [Change(MASK, "helper", "added", text, file=GFP_H, line=10)]
        # The configuration with more flags says more of it.
        known[Key(MASK, 0, ungrouped=False)] = Proof(MaskFilter(0x30, 0x200))
        assert [c.text for c in added(known)] == ["added: keep {IO FS}, force {NORETRY}"]

    @pytest.mark.parametrize("is_new", [True, False])
    def test_one_whose_file_the_other_side_lacks_is_a_note(self, *, is_new: bool) -> None:
        kernels = [has(files={}), has(mask())]
        other = "before" if is_new else "after"
        text = f"{MASK}() is not compared: {other} lacks the file that it would be in"
        assert notes(*(kernels if is_new else kernels[::-1])) == [text]
        # By its release it would be elsewhere.
        kernels[0] = has(reference=row(helper_files={MASK: [SLAB_C]}))
        assert notes(*(kernels if is_new else kernels[::-1])) == [text]

    @pytest.mark.parametrize("old", [has(mask()), has(OUT), has()])
    def test_one_that_breaks(self, old: Kernel) -> None:
        text = "cannot be compiled any more: no such flag"
        assert said(old, has(BROKEN)) == [Change(MASK, "helper", "broken", text, file=GFP_H, line=10)]
        text = "cannot be compiled any more: no end"
        assert said(old, has(broken={MASK: "no end"})) == [Change(MASK, "helper", "broken", text)]

    @pytest.mark.parametrize("new", [has(mask()), has(OUT), has()])
    def test_one_that_was_broken_before(self, new: Kernel) -> None:
        text = f"what {MASK}() did before cannot be said, it does not compile on the old side: no such flag"
        assert problem(has(BROKEN), new) == [Problem(MASK, text)]

    def test_one_that_compiles_nowhere(self) -> None:
        text = f"{MASK}() compiles on neither side: no end"
        assert problem(has(BROKEN), has(mask(error="no end"))) == [Problem(MASK, text)]

    @pytest.mark.parametrize(
        ("old", "new", "text"),
        [
            (mask(), OUT, f"gfp_t {MASK}(gfp_t) -> gfp_t {MASK}(gfp_t, int *)"),
            (OUT, mask(), f"gfp_t {MASK}(gfp_t, int *) -> gfp_t {MASK}(gfp_t)"),
            (
                mask(),
                helper(MASK, "", parameters=[], unswept="takes a pointer"),
                f"gfp_t {MASK}(gfp_t) -> {MASK}(), which takes a pointer",
            ),
            (helper(MASK, "", parameters=[]), OUT, f"{MASK}() -> gfp_t {MASK}(gfp_t, int *)"),
            (helper(MASK, ""), OUT, f" {MASK}(gfp_t) -> gfp_t {MASK}(gfp_t, int *)"),
            (helper(MASK, "int", parameters=[]), OUT, f"int {MASK}() -> gfp_t {MASK}(gfp_t, int *)"),
        ],
    )
    def test_one_that_takes_something_else(self, old: Any, new: Any, text: str) -> None:  # noqa: ANN401 - plans
        assert said(has(old), has(new)) == [
            Change(MASK, "helper", "changed", f"signature {text}", "signature", file=GFP_H, line=10)
        ]

    def test_one_of_several_arguments(self) -> None:
        other = mask(unswept="takes two pointers", text="other")
        text = f"the text of {MASK}() differs and is not compared: it takes two pointers"
        assert notes(has(OUT), has(other)) == [text]
        assert notes(has(OUT), has(OUT)) == []
        assert notes(has(OUT), has()) == []
        assert notes(has(), has(OUT)) == []


def whole(old: Any, new: Any, **both: Any) -> Found:  # noqa: ANN401 - plans
    """What is said of a helper that both sides have, before its values are compared."""
    comparable, found = standing(has(old), has(new), **both)
    assert comparable
    assert (found.compared, found.notes) == ([MASK], [])
    return found


def guarded(**over: Any) -> Any:  # noqa: ANN401 - a plan
    return mask(**{"symbols": ["CONFIG_A"], "meanings": [Meaning(0, [OFF]), Meaning(1, [ON])], **over})


class TestBothHaveIt:
    """File, signature, and in which configurations a helper is compiled."""

    def test_no_change_is_none(self) -> None:
        assert whole(mask(), mask(line=99)) == Found(compared=[MASK])

    def test_another_file(self) -> None:
        (change,) = whole(mask(), mask(path=SLAB_C, line=3)).changes
        assert change == Change(MASK, "helper", "moved", f"{GFP_H} -> {SLAB_C}", "file", file=SLAB_C, line=3)

    def test_another_signature(self) -> None:
        (change,) = whole(mask(), mask(parameters=["int"])).changes
        text = f"signature gfp_t {MASK}(gfp_t) -> gfp_t {MASK}(int)"
        assert change == Change(MASK, "helper", "changed", text, "signature", file=GFP_H, line=10)

    def test_a_mask_and_a_number_are_not_compared(self) -> None:
        comparable, found = standing(has(mask()), has(helper(MASK, "int")))
        assert not comparable
        assert [c.text for c in found.changes] == [f"signature gfp_t {MASK}(gfp_t) -> int {MASK}(gfp_t)"]

    @pytest.mark.parametrize("symbols", [(["CONFIG_A"], []), ([], ["CONFIG_A"])])
    def test_compiled_out_in_a_configuration(self, symbols: tuple[list[str], list[str]]) -> None:
        old = guarded(symbols=symbols[0])
        new = guarded(symbols=symbols[1], meanings=[Meaning(0, [OFF])], missing=[ON], line=12)
        there = "compiled out when CONFIG_A"
        assert whole(old, new).changes == [
            Change(MASK, "config", "changed", there, "guard", ON, (ON,), file=GFP_H, line=12)
        ]
        back = "not compiled out any more when CONFIG_A"
        assert whole(new, old).changes == [
            Change(MASK, "config", "changed", back, "guard", ON, (ON,), file=GFP_H, line=10)
        ]
        assert whole(new, new).changes == []

    def test_compiled_out_elsewhere(self) -> None:
        old = guarded(meanings=[Meaning(0, [OFF])], missing=[ON])
        new = guarded(meanings=[Meaning(1, [ON])], missing=[OFF])
        (change,) = whole(old, new).changes
        assert change.text == "compiled out when not CONFIG_A; not compiled out any more when CONFIG_A"
        assert (change.config, change.configs) == (OFF, (OFF, ON))

    def test_compiled_out_everywhere(self) -> None:
        (change,) = whole(guarded(), guarded(meanings=[], missing=[OFF, ON])).changes
        assert (change.text, change.configs) == ("compiled out", (OFF, ON))

    def test_compiled_out_where_it_did_not_compile(self) -> None:
        old = guarded(meanings=[Meaning(0, [OFF])], losses=[(ON, "no such flag")])
        new = guarded(meanings=[Meaning(0, [OFF])], missing=[ON])
        found = whole(old, new)
        assert found.changes == []
        text = f"{MASK}() does not compile on the old side when CONFIG_A: no such flag"
        assert found.problems == [Problem(MASK, text, GFP_H, 10)]

    def test_does_not_compile_in_a_configuration(self) -> None:
        (change,) = whole(guarded(), guarded(losses=[(ON, "no such flag")], line=12)).changes
        text = "does not compile when CONFIG_A: no such flag"
        assert change == Change(MASK, "helper", "broken", text, "build", ON, (ON,), file=GFP_H, line=12)
        (change,) = whole(guarded(), guarded(losses=[(ON, "no such zone"), (OFF, "no such flag")])).changes
        assert (change.text, change.configs) == ("does not compile: no such flag", (OFF, ON))

    def test_did_not_compile_in_a_configuration(self) -> None:
        lost = guarded(losses=[(ON, "no such flag")])
        found = whole(lost, lost)
        text = f"{MASK}() does not compile on the old side when CONFIG_A: no such flag"
        assert (found.changes, found.problems) == ([], [Problem(MASK, text, GFP_H, 10)])


def coded(code: str = "c", result: str = "gfp_t", name: str = MASK, **over: Any) -> Any:  # noqa: ANN401 - a plan
    return helper(name, result, **{"meanings": [Meaning(0, [{}], code)], **over})


class TestIdentical:
    """A helper that needs no comparing: the same code, and every name the same."""

    def same(self, old: Any, new: Any, before: Kernel | None = None, after: Kernel | None = None) -> bool:  # noqa: ANN401
        sides = against({**(before or one()), **has(old)}, {**(after or one()), **has(new)})
        return identical.is_identical(sides, new.name)

    def test_the_same_code(self) -> None:
        assert self.same(coded(), coded())

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (coded("c"), coded("d")),
            (coded(""), coded("")),
            (coded(), coded(result="int")),
            (coded(), coded(parameters=["int"])),
            (coded(), coded(grouping=True)),
            (coded(meanings=[]), coded()),
            (coded(), coded(meanings=[])),
        ],
    )
    def test_not_the_same(self, old: Any, new: Any) -> None:  # noqa: ANN401 - plans
        assert not self.same(old, new)

    def test_compiled_out_on_both(self) -> None:
        assert self.same(coded(meanings=[]), coded(meanings=[]))

    @pytest.mark.parametrize("symbols", [(["CONFIG_A"], []), ([], ["CONFIG_A"])])
    def test_every_configuration_counts(self, symbols: tuple[list[str], list[str]]) -> None:
        def plan(code: str, n: int) -> Any:  # noqa: ANN401 - a plan
            return coded(meanings=[Meaning(0, [OFF], "c"), Meaning(1, [ON], code)], symbols=symbols[n])

        kernel = {"segments": two({}, {})["segments"]}
        assert self.same(plan("c", 0), plan("c", 1), kernel, kernel)
        assert not self.same(plan("c", 0), plan("d", 1), kernel, kernel)

    def test_every_configuration_of_the_flags_counts(self) -> None:
        assert not self.same(coded(), coded(), two({}, {}), two({}, {IO: 1 << 11}))
        assert self.same(coded(), coded(), two({}, {}), two({}, {}))

    @pytest.mark.parametrize(
        ("over", "of_mask", "of_truth"),
        [
            ({IO: 1 << 11}, False, False),
            ({FS: 1 << 4}, False, False),
            ({"__GFP_NEW": 1 << 11}, False, True),
            ({IO: 0}, False, True),
        ],
    )
    def test_other_flags(self, over: Any, *, of_mask: bool, of_truth: bool) -> None:  # noqa: ANN401 - values by name
        for kernels in ((one(), one(**over)), (one(**over), one())):
            assert self.same(coded(), coded(), *kernels) is of_mask
            assert self.same(coded(result="bool"), coded(result="bool"), *kernels) is of_truth

    def test_a_side_that_cannot_be_built(self) -> None:
        kernel = {"segments": [SegmentPlan(0, {}, error="why", constants=constants())]}
        assert not self.same(coded(), coded(), kernel, one())

    def test_other_numbers(self) -> None:
        old, new = one(ZONE_DMA=0, ZONE_NORMAL=1), one(ZONE_DMA=1, ZONE_NORMAL=0)
        zone = coded(result="enum zone_type", name="gfp_zone")
        assert self.same(zone, zone, old, old)
        assert not self.same(zone, zone, old, new)
        # Those of a mask are none.
        zone = coded(name="gfp_zone")
        assert self.same(zone, zone, old, new)

    def test_numbers_of_its_own_segment(self) -> None:
        zone = coded(result="enum zone_type", meanings=[Meaning(1, [{}], "c")])

        def kernel(**zones: int) -> Kernel:
            return {**two({}, zones), "flag_symbols": []}

        assert self.same(zone, zone, kernel(ZONE_DMA=0, ZONE_X=1), kernel(ZONE_DMA=0, ZONE_X=1))
        assert not self.same(zone, zone, kernel(ZONE_DMA=0, ZONE_X=1), kernel(ZONE_DMA=1, ZONE_X=0))


class TestProofs:
    """What is to be proven, by whom, and what comes of it."""

    def test_the_same_code_is_one_question(self) -> None:
        meanings = [Meaning(0, [OFF], "c"), Meaning(1, [ON], "c"), Meaning(2, [{}], "d"), Meaning(3, [{}])]
        session = against(has(mask(meanings=meanings)), has()).old.session
        assert proofs.questions(session, session.build.helpers) == {
            Question(MASK, "gfp_t c", ungrouped=False): [Key(MASK, 0, ungrouped=False), Key(MASK, 1, ungrouped=False)],
            Question(MASK, "gfp_t d", ungrouped=False): [Key(MASK, 2, ungrouped=False)],
            Question(MASK, "gfp_t segment 3 of before digest of before", ungrouped=False): [
                Key(MASK, 3, ungrouped=False)
            ],
        }

    def test_grouping_is_two_questions(self) -> None:
        plan = helper("gfp_migratetype", "int", grouping=True, meanings=[Meaning(4, [{}], "c")])
        session = against(has(plan), has()).old.session
        assert proofs.questions(session, [plan]) == {
            Question("gfp_migratetype", "int c", ungrouped=state): [Key("gfp_migratetype", 4, ungrouped=state)]
            for state in (False, True)
        }

    KEYS = (Key(MASK, 0, ungrouped=False), Key(TRUTH, 0, ungrouped=False))

    def proven(self, function: Callable[..., Outcome], result: str = "gfp_t") -> Proof:
        sides = against(has(helper(MASK, result), functions={MASK: function}), has())
        (proof,) = proofs.prove(sides.old.session, self.KEYS[:1], 11)
        return proof

    def test_a_form(self) -> None:
        assert self.proven(nested) == Proof(MaskFilter(0xF0, 0x700))
        assert self.proven(lambda x: Outcome(x >> 4 & 1), "int") == Proof(MaskTable((4,), (Outcome(0), Outcome(1))))

    def test_every_input_is_swept_and_no_other(self) -> None:
        sides = against(has(mask(), functions={MASK: nested}), has())
        for n_bits in (11, 12):
            proofs.prove(sides.old.session, self.KEYS[:1], n_bits)
        assert sides.old.session.pool.domains == [1 << 11, 1 << 12]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("result", ["gfp_t", "int"])
    def test_no_form(self, result: str) -> None:
        # A guess that fits where it was made, and not on every input; and none at all.
        assert self.proven(lambda x: Outcome(int(x == 0x2A5)), result) == Proof()
        assert self.proven(lambda x: Outcome(int(x.bit_count() > 5)), result) == Proof()

    def test_a_crash(self) -> None:
        for x in (0, 0x123):
            proof = self.proven(crashing(x))
            assert proof.form is None
            assert str(proof.crash) == f"{MASK} crashes with SIGSEGV on input {x:#x}"

    def test_a_sweep_of_less_than_every_input_proves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("judged.PythonPool.sweep", lambda _, jobs: [Tally(job.count - 1) for job in jobs])
        assert self.proven(nested) == Proof()

    def test_each_has_its_own(self) -> None:
        functions = {MASK: crashing(0), TRUTH: lambda x: Outcome(x & 1), "gfp_x": lambda _: Outcome(7)}
        sides = against(has(mask(), helper(TRUTH), helper("gfp_x"), functions=functions), has())
        keys = (*self.KEYS, Key("gfp_x", 0, ungrouped=False))
        crashed, truth, always = proofs.prove(sides.old.session, keys, 11)
        assert crashed.crash is not None
        assert truth == Proof(MaskTable((0,), (Outcome(0), Outcome(1))))
        assert always == Proof(MaskTable((), (Outcome(7),)))
        assert sides.old.session.pool.swept == 2  # type: ignore[attr-defined]

    def test_the_state_that_is_asked_for(self) -> None:
        plan = helper("gfp_migratetype", "int", grouping=True)
        functions = {"gfp_migratetype": lambda x, off=False: Outcome(3 if off else x & 1)}
        session = against(has(plan, functions=functions), has()).old.session
        keys = [Key("gfp_migratetype", 0, ungrouped=state) for state in (False, True)]
        assert [p.form for p in proofs.prove(session, keys, 11)] == [
            MaskTable((0,), (Outcome(0), Outcome(1))),
            MaskTable((), (Outcome(3),)),
        ]

    def test_shared_questions_are_taken_one_by_one(self) -> None:
        questions = [Question(n, "c", ungrouped=False) for n in (MASK, TRUTH, "gfp_x")]
        functions = {MASK: nested, TRUTH: lambda _: Outcome(1), "gfp_x": lambda _: Outcome(2)}
        sides = against(has(mask(), helper(TRUTH), helper("gfp_x"), functions=functions), has())
        keys = {q: Key(q.name, 0, ungrouped=False) for q in questions}
        shared = deque(questions[1:])
        own = {questions[0]: keys[questions[0]]}
        found = proofs.prove_until_done(sides.old.session, own, shared, keys, 11)
        assert not shared
        always = [Proof(MaskTable((), (Outcome(n),))) for n in (1, 2)]
        assert found == dict(zip(questions, [Proof(MaskFilter(KEEP, FORCE)), *always], strict=True))

    def test_a_question_that_somebody_else_takes_first(self) -> None:
        class Taken(deque[Question]):
            """Not empty where it is looked at, and empty where it is taken from."""

            def popleft(self) -> Question:
                self.clear()
                return super().popleft()

        question = Question(MASK, "c", ungrouped=False)
        session = against(has(mask(), functions={MASK: nested}), has()).old.session
        assert proofs.prove_until_done(session, {}, Taken([question]), {question: self.KEYS[0]}, 11) == {}
