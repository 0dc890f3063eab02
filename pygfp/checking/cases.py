# SPDX-License-Identifier: GPL-2.0-only
"""
Cases: each meaning of each helper, what it is expected to be, and what the sweep finds it to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import HelperCrashed, UnknownFlagError
from ..forms import MaskFilter, MaskTable, Outcome
from ..model.policy import Fate
from ..native.jobs import Job, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import Assignment
    from ..flags import FlagTable
    from ..forms import Form
    from ..model.helpers import HelperModel
    from ..native.plan import HelperPlan, Meaning
    from .view import View


@dataclass
class Case:
    """
    One meaning of one helper, on its way to a verdict.

    :ivar model: None for a helper that the model does not cover
    :ivar ungrouped: grouping pages by mobility is off
    :ivar expected: the model's form, with what the header does to undecided flags
    :ivar proven: the form that the C was shown to have on every input, or None
    :ivar tally: the comparison with *expected*
    :ivar undecided: flags without a verdict, and what the header does to each
    :ivar obstacle: why there is nothing to compare it with, or ``""``
    """

    plan: HelperPlan
    meaning: Meaning
    model: HelperModel | None
    ungrouped: bool = False
    expected: Form | None = None
    proven: Form | None = None
    tally: Tally = field(default_factory=Tally)
    undecided: dict[str, Fate] = field(default_factory=dict)
    crash: HelperCrashed | None = None
    obstacle: str = ""

    @property
    def config(self) -> Assignment:
        """The first of the configurations that share the meaning."""
        return self.meaning.configs[0]

    @property
    def aspect(self) -> str:
        """What tells this case from the helper's ordinary state in an id."""
        return "ungrouped" if self.ungrouped else ""

    def call(self, view: View, inputs: Sequence[int]) -> list[Outcome]:
        """Return what the compiled helper does with *inputs*."""
        return view.session.pool.call(self.meaning.segment, self.plan.name, inputs, ungrouped=self.ungrouped)

    def job(self, view: View, form: Form) -> Job:
        """Return the sweep of the whole domain against *form*."""
        return Job(self.meaning.segment, self.plan.name, form, 1 << view.domain_bits, ungrouped=self.ungrouped)


def cases_of(plan: HelperPlan, model: HelperModel | None) -> list[Case]:
    """Return a case for each meaning of *plan*, and each state of the kernel that it depends on."""
    states = (False, True) if plan.grouping or (model and model.states) else (False,)
    return [Case(plan, meaning, model, state) for meaning in plan.meanings for state in states]


def compare(view: View, cases: Sequence[Case]) -> None:
    """Settle what each case is compared with, and compare it on every input."""
    settle(view, cases)
    sweep(view, cases)


def settle(view: View, cases: Sequence[Case]) -> None:
    """Settle what each case is compared with: the model, or the form that it looks like."""
    crashed: dict[str, HelperCrashed] = {}
    for case in cases:
        # A helper that does not return in one configuration is not waited for in every other one.
        case.crash = crashed.get(case.plan.name)
        case.tally.elsewhere = case.crash is not None
        if case.crash is None:
            try:
                _settle(view, case)
            except HelperCrashed as exc:
                case.crash = crashed[case.plan.name] = exc
            except UnknownFlagError as exc:
                case.obstacle = f"what it should return cannot be said: {exc}"


def _settle(view: View, case: Case) -> None:
    """What the case is compared with. A first call shows whether the helper returns at all."""
    case.call(view, [0, (1 << view.domain_bits) - 1])
    if case.model is None:
        case.expected = _mine(view, case)
        return
    table = view.table(case.meaning.segment)
    context = view.context(case.meaning.segment, case.config, ungrouped=case.ungrouped)
    case.expected = _in_width(case.model.meaning(context).lower(table), case.plan.result)
    if case.model.decides_flags and isinstance(case.expected, MaskFilter):
        case.undecided = _undecided(view, case, table)
        case.expected = _with_undecided(case.expected, case.undecided, table)


def _in_width(form: Form, result: str) -> Form:
    """A table holds its values as the compiled code returns them: unsigned, in the lane of the result."""
    if isinstance(form, MaskFilter):
        return form
    lane = 1 << (64 if "long" in result else 32)
    return MaskTable(form.bits, tuple(Outcome(0 if r.bug else r.value % lane, r.bug, r.warned) for r in form.rows))


def _undecided(view: View, case: Case, table: FlagTable) -> dict[str, Fate]:
    """What the header does with each flag that has no verdict, as one or two calls show it."""
    found = {}
    flags = {flag: mask for flag, mask in table.flags.items() if view.policy.fate(flag) is None}
    outcomes = case.call(view, [0, *flags.values()]) if flags else []
    for (flag, mask), outcome in zip(flags.items(), outcomes[1:], strict=True):
        forced = outcomes[0].value & mask
        found[flag] = Fate.FORCE if forced else Fate.KEEP if outcome.value & mask else Fate.DROP
    return found


def _with_undecided(form: MaskFilter, undecided: dict[str, Fate], table: FlagTable) -> MaskFilter:
    """Expect of an undecided flag what the header does with it: the sweep then proves that it always does."""
    keep = table.mask([flag for flag, fate in undecided.items() if fate is Fate.KEEP])
    force = table.mask([flag for flag, fate in undecided.items() if fate is Fate.FORCE])
    return MaskFilter(form.keep | keep, form.force | force)


def sweep(view: View, cases: Sequence[Case]) -> None:
    """Compare every case; where the model is wrong, prove what the C does instead."""
    session = view.session
    ready = [(c, c.expected) for c in cases if c.expected is not None and c.crash is None]
    for (case, form), tally in zip(ready, session.sweep([c.job(view, f) for c, f in ready]), strict=True):
        case.tally, case.crash = tally, tally.crash
        if not tally.crash:
            _compare_extra(view, case, form)
            case.proven = None if tally.mismatches or case.crash else form
    wrong = [c for c, _ in ready if c.model and not c.proven and not c.crash]
    again = [(c, mined) for c in wrong if (mined := _mine(view, c)) is not None]
    for (case, form), tally in zip(again, session.sweep([c.job(view, f) for c, f in again]), strict=True):
        if not tally.crash and not tally.mismatches:
            case.proven = form


def _mine(view: View, case: Case) -> Form | None:
    """The form that the C looks like; a helper that crashes on the way has none."""
    try:
        return view.session.mine(
            case.meaning.segment,
            case.plan.name,
            view.domain_bits,
            is_filter=case.plan.is_filter,
            ungrouped=case.ungrouped,
        )
    except HelperCrashed as exc:
        case.crash = exc
        return None


def _compare_extra(view: View, case: Case, form: Form) -> None:
    """The inputs above a sweep's reach, one by one."""
    inputs = view.extra_inputs
    try:
        outcomes = case.call(view, inputs) if inputs else []
    except HelperCrashed as exc:
        case.crash = exc
        return
    for x, outcome in zip(inputs, outcomes, strict=True):
        differs = not outcome.agrees(form.outcome(x))
        case.tally.add({"inputs": 1, "mismatches": int(differs), "first": x, "smallest": x})
