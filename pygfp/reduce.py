# SPDX-License-Identifier: GPL-2.0-only
"""
Reduction: what an expression does to a mask, proven on every input, and which nested laws it breaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from .checking.cases import Case, cases_of, settle, sweep
from .checking.view import View
from .errors import HelperCrashed
from .forms import MaskFilter
from .laws import judge
from .model.laws import LAWS
from .native.jobs import LawJob

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .config import Assignment
    from .flags import FlagTable
    from .forms import Outcome
    from .laws import MaskLaw
    from .model.laws import Law
    from .model.policy import Policy
    from .native.expressions import Compiled, Expression
    from .releases import Row


@dataclass(frozen=True)
class Breach:
    """
    A law that a filter breaks.

    :ivar law: which
    :ivar smallest: of those, one with the fewest bits, the lowest of these
    :ivar result: what the filter makes of it
    """

    law: Law
    smallest: int
    result: int


@dataclass(frozen=True)
class Reduced:
    """
    What an expression was shown to be in one configuration.

    :ivar form: the filter that it is on every input; None where it is none
    :ivar breaches: the laws that it breaks, decided on *form*, else by a sweep
    :ivar error: why it could not be run, or ``""``
    :ivar inputs: how many inputs were compared
    """

    config: Assignment
    table: FlagTable
    form: MaskFilter | None = None
    breaches: tuple[Breach, ...] = ()
    error: str = ""
    inputs: int = 0

    @property
    def keep(self) -> list[str]:
        """The flags that pass as they come in."""
        return self._names((self.form.keep & ~self.form.force) if self.form else 0)

    @property
    def force(self) -> list[str]:
        """The flags that are always there."""
        return self._names(self.form.force if self.form else 0)

    @property
    def drop(self) -> list[str]:
        """The flags that never are."""
        known = 0
        for mask in self.table.flags.values():
            known |= mask
        return self._names(known & ~(self.form.keep | self.form.force) if self.form else 0)

    def _names(self, mask: int) -> list[str]:
        """The flags in *mask*; bits without a flag are the business of ``drops-page-traits``."""
        return [n for n in self.table.names(mask) if n in self.table.flags]


def reduce(made: Compiled, row: Row, policy: Policy) -> dict[Expression, list[Reduced]]:
    """
    Return what each expression of *made* is in each configuration; those with an error have no entry.

    A form is guessed from a few calls and then proven: the compiler makes the same machine code of the form and of the
    expression, or a sweep of the whole domain finds no difference.
    """
    view = View(made.session, row, policy)
    plans = {plan.name: plan for plan in made.session.build.helpers}
    cases = {name: cases_of(plan, None) for name, plan in plans.items()}
    every = [case for many in cases.values() for case in many]
    settle(view, every)
    filters = {c.plan.name: c.expected for c in every if isinstance(c.expected, MaskFilter)}
    same = made.same_code(filters, view.domain_bits) if filters else frozenset()
    made.session.know(case.job(view, filters[case.plan.name]) for case in every if case.plan.name in same)
    sweep(view, every)
    done = {name: [_reduced(view, case) for case in many] for name, many in cases.items()}
    return {expression: done[name] for expression, name in made.names.items() if name in done}


def _reduced(view: View, case: Case) -> Reduced:
    table = view.table(case.meaning.segment)
    inputs = 1 << view.domain_bits
    if case.crash:
        return Reduced(case.config, table, error=f"it {case.crash.reason} when it is run")
    form = case.proven if isinstance(case.proven, MaskFilter) else None
    try:
        return Reduced(case.config, table, form, tuple(_breaches(view, case, form, table)), inputs=inputs)
    except HelperCrashed as exc:
        return Reduced(case.config, table, error=f"it {exc.reason} when it is run")


def _breaches(view: View, case: Case, form: MaskFilter | None, table: FlagTable) -> list[Breach]:
    masks = [law.lower(table) for law in LAWS]
    if form is not None:
        smallest = [_judged(form, mask, view.domain_bits).smallest for mask in masks]
    else:
        smallest = _smallest_by_sweep(view, case, masks)
    found = zip(LAWS, smallest, strict=True)
    return [Breach(law, x, case.call(view, [x])[0].value) for law, x in found if x is not None]


def _smallest_by_sweep(view: View, case: Case, masks: Sequence[MaskLaw]) -> list[int | None]:
    """
    The smallest input by which a filter without a form breaks each law.

    One of no bit or of a single bit is found by calling it: no other has fewer. The rest takes a sweep.

    :raises HelperCrashed: the filter does not survive it
    """
    few = [0, *(1 << bit for bit in range(view.domain_bits))]
    once = case.call(view, few)
    outputs = [outcome.value for outcome in once]
    seen = _Seen({**dict(zip(outputs, case.call(view, outputs), strict=True)), **dict(zip(few, once, strict=True))})
    found = [next((x for x in few if seen.outcome(x).bug or mask.broken_by(seen, x)), None) for mask in masks]
    left = [n for n, x in enumerate(found) if x is None]
    if left:
        laws = tuple(masks[n] for n in left)
        tallies = view.session.pool.judge(LawJob(case.meaning.segment, case.plan.name, laws, 1 << view.domain_bits))
        if tallies[0].crash:
            raise tallies[0].crash
        for n, tally in zip(left, tallies, strict=True):
            found[n] = tally.smallest
    return found


@dataclass(frozen=True)
class _Seen:
    """What a filter answered, to be asked again."""

    outcomes: Mapping[int, Outcome]

    def outcome(self, x: int) -> Outcome:
        """Return what it answered for *x*."""
        return self.outcomes[x]


# Many sites of a tree are the same filter.
_judged = cache(judge)


def same(left: Sequence[Reduced], right: Sequence[Reduced]) -> bool:
    """Return whether two expressions were proven to be the same filter in every configuration."""
    forms: list[Mapping[str, object]] = [{str(sorted(r.config.items())): r.form for r in one} for one in (left, right)]
    return forms[0] == forms[1] and all(r.form is not None for r in (*left, *right))
