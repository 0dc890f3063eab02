# SPDX-License-Identifier: GPL-2.0-only
"""
What an edit does to the values of a helper: form against form, or, where one is missing, C against C.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..changes import Change, Example, Problem
from ..errors import HelperCrashed
from ..forms import MaskTable
from ..native.jobs import Match, VersusJob
from ..native.session import AFTER, both
from ..spell import describe
from .deltas import ASPECTS, Delta, compare
from .matching import merged, numbers_of, when
from .proofs import Key, Proof
from .sides import home

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..config import Assignment
    from ..forms import Outcome
    from ..native.plan import Constant, HelperPlan
    from .found import Found
    from .matching import Correspondence, Numbers
    from .sides import Side, Sides

#: More changes than this are counted and not spelled out in a text; the flags of a change have them all.
_SHOWN = 8

_SAYS = {"bug": "BUG: ", "warning": "WARN: ", "value": ""}
#: What is said where a form is missing on one side: there are no flags to name.
_BY_INPUT = {"value": "what it returns", "bug": "on which inputs it fires", "warning": "on which inputs it fires"}


@dataclass
class Case:
    """
    One helper in one configuration, on both sides.

    :ivar choice: the configuration
    :ivar ungrouped: grouping pages by mobility is off
    :ivar old: the meaning before
    :ivar new: the meaning after
    :ivar deltas: how they differ, by aspect
    :ivar formless: which side has no form, in words; ``""`` where both have one
    """

    plan: HelperPlan
    choice: Assignment
    ungrouped: bool
    old: Key
    new: Key
    match: Correspondence
    names: Numbers
    deltas: dict[str, Delta] = field(default_factory=dict)
    formless: str = ""

    @property
    def by_input(self) -> bool:
        """Whether the C of the two sides was compared, and not their forms."""
        return bool(self.formless)


@dataclass(frozen=True)
class Proofs:
    """What is known of the meanings of both sides."""

    old: Mapping[Key, Proof]
    new: Mapping[Key, Proof]


def compare_values(sides: Sides, names: Sequence[str], proofs: Proofs, jobs: int, found: Found) -> None:
    """Add what changes in the values of the helpers *names* to *found*."""
    cases = [case for name in names for case in _cases(sides, name, proofs)]
    open_ends = [c for c in cases if not _settle(c, proofs)]
    if open_ends:
        proofs = _by_input(sides, open_ends, proofs, jobs)
    for name in names:
        _crashes([c for c in cases if c.plan.name == name], proofs, found)
        for state in (False, True):
            mine = [c for c in cases if c.plan.name == name and c.ungrouped is state]
            if mine:
                _report(sides, mine, found)


def _cases(sides: Sides, name: str, proofs: Proofs) -> Iterator[Case]:
    old, new = sides.old.plans[name], sides.new.plans[name]
    for choice in _configurations(sides, name, proofs):
        before, after, match = home(old, choice), home(new, choice), sides.matched(choice)
        if before is None or after is None or match is None:
            continue  # compiled out or not buildable: said elsewhere
        states = (False, True) if old.grouping or new.grouping else (False,)
        known = _numbers(sides, new, before, after)
        for state in states:
            keys = Key(name, before, state and old.grouping), Key(name, after, state and new.grouping)
            yield Case(new, choice, state, *keys, match, known)


def _configurations(sides: Sides, name: str, proofs: Proofs) -> list[Assignment]:
    """
    The configurations in which a helper is compared.

    What it compiles to depends on its own symbols. What its bits are called may depend on those of the flags
    too, where it looks at a bit that is a flag in some configurations and another one, or none, in others.
    """
    old, new = sides.old.plans[name], sides.new.plans[name]
    own, flags = sides.choices([*old.symbols, *new.symbols]), sides.choices(sides.flag_symbols)
    looked_at = [_bits(name, known) for known in (proofs.old, proofs.new)]
    if len({_partners(sides, choice, looked_at) for choice in flags}) <= 1:
        return own
    return [{**c, **f} for c in own for f in flags if all(c.get(symbol, on) == on for symbol, on in f.items())]


def _bits(name: str, proofs: Mapping[Key, Proof]) -> frozenset[int] | None:
    """The bits that a helper looks at, over all its meanings; None where they are not known, or are all."""
    forms = [proof.form for key, proof in proofs.items() if key.name == name]
    if all(isinstance(form, MaskTable) for form in forms):
        return frozenset(bit for form in forms if isinstance(form, MaskTable) for bit in form.bits)
    return None


def _partners(sides: Sides, choice: Assignment, looked_at: list[frozenset[int] | None]) -> object:
    """What the bits of either side that are looked at are on the other one, in one configuration of the flags."""
    match = sides.matched(choice)
    if match is None:
        return None
    old, new = ({pair[side]: pair for pair in match.pairs} for side in (0, 1))
    return tuple(
        tuple(sorted(found.items())) if bits is None else tuple((bit, found.get(bit)) for bit in sorted(bits))
        for found, bits in zip((old, new), looked_at, strict=True)
    )


def _numbers(sides: Sides, plan: HelperPlan, before: int, after: int) -> Numbers:
    def constants(side: Side, index: int) -> Mapping[str, Constant]:
        return next(s for s in side.session.build.segments if s.index == index).constants

    return numbers_of(plan, constants(sides.old, before), constants(sides.new, after))


def _settle(case: Case, proofs: Proofs) -> bool:
    """Decide a case on its forms; whether that could be done, or nothing can be."""
    old, new = proofs.old[case.old], proofs.new[case.new]
    if old.crash or new.crash:
        return True
    if old.form is None or new.form is None:
        case.formless = "the new side" if old.form else "the old side" if new.form else "either side"
        return False
    case.deltas = compare(old.form, new.form, case.match, case.names)
    return True


def _by_input(sides: Sides, cases: Sequence[Case], proofs: Proofs, jobs: int) -> Proofs:
    """Compare the compiled C of both sides on every input of each case; return *proofs* with what crashed."""
    work = [_job(c) for c in cases]
    distinct = list(dict.fromkeys(work))
    with both(sides.old.session, sides.new.session, jobs) as pool:
        answers = dict(zip(distinct, pool.versus(distinct), strict=True))
    old, new = dict(proofs.old), dict(proofs.new)
    for case, job in zip(cases, work, strict=True):
        tallies = answers[job]
        if tallies[0].elsewhere:
            continue  # not tried here; said of the configuration in which it was
        if tallies[0].crash:
            number = tallies[0].crash.first
            old[case.old] = _retried(sides.old, case.old, case.match.before(number))
            new[case.new] = _retried(sides.new, case.new, case.match.after(number))
            if not old[case.old].crash and not new[case.new].crash:
                x = case.match.after(number)
                new[case.new] = Proof(crash=HelperCrashed(case.plan.name, tallies[0].crash.reason, x, x))
        else:
            found = zip(ASPECTS, tallies, strict=True)
            case.deltas = {aspect: Delta(t.inputs, t.mismatches, t.smallest) for aspect, t in found}
    return Proofs(old, new)


def _retried(side: Side, key: Key, x: int) -> Proof:
    """Whether the helper of one side is the one that does not survive input *x*."""
    try:
        side.session.pool.call(key.segment, key.name, [x], ungrouped=key.ungrouped)
    except HelperCrashed as exc:
        return Proof(crash=exc)
    return Proof()


def _job(case: Case) -> VersusJob:
    results = (*case.match.pairs, *case.match.above()) if case.plan.is_filter else ()
    renamed = () if case.plan.is_filter else case.names.renamed
    match = Match(case.match.pairs, results, case.plan.is_filter, renamed)
    return VersusJob(case.old.segment, AFTER + case.new.segment, case.plan.name, match, case.ungrouped)


def _report(sides: Sides, cases: Sequence[Case], found: Found) -> None:
    """One change for each aspect of a helper, over all configurations."""
    for aspect in ASPECTS:
        differing = [(c, d) for c in cases if (d := c.deltas.get(aspect)) and d.differing]
        if differing:
            found.changes.append(_change(sides, aspect, differing, [c.choice for c in cases]))


def _change(sides: Sides, aspect: str, differing: Sequence[tuple[Case, Delta]], every: Sequence[Assignment]) -> Change:
    case, delta = differing[0]
    plan = case.plan
    flags, words = merged([(c.choice, d.flags) for c, d in differing], every)
    words += _without_form(aspect, [c for c, _ in differing if c.by_input], every)
    if len(words) > _SHOWN:
        words = [*words[: _SHOWN - 1], f"and {len(words) - _SHOWN + 1} more"]
    state = " where pages are not grouped by mobility" if case.ungrouped else ""
    return Change(
        plan.name,
        "helper",
        "changed",
        f"{_SAYS[aspect]}{'; '.join(words)}{state}",
        f"{aspect}-ungrouped" if case.ungrouped else aspect,
        case.choice,
        tuple(c.choice for c, _ in differing),
        delta.inputs,
        delta.differing,
        flags,
        _example(sides, case, delta),
        plan.path,
        plan.line,
    )


def _without_form(aspect: str, cases: Sequence[Case], every: Sequence[Assignment]) -> list[str]:
    """What can be said of cases that have no form on a side: where they lack it, and in which configurations."""
    where: dict[str, list[Assignment]] = {}
    for case in cases:
        where.setdefault(case.formless, []).append(case.choice)
    return [
        f"{_BY_INPUT[aspect]} is no simple function of the flags on {sides} {when(configs, every)}".rstrip()
        for sides, configs in where.items()
    ]


def _example(sides: Sides, case: Case, delta: Delta) -> Example | None:
    if delta.smallest is None:
        return None
    before, after = case.match.before(delta.smallest), case.match.after(delta.smallest)

    def outcome(side: Side, key: Key, x: int) -> Outcome:
        return side.session.pool.call(key.segment, key.name, [x], ungrouped=case.ungrouped)[0]

    was, now = outcome(sides.old, case.old, before), outcome(sides.new, case.new, after)
    if case.plan.is_filter:
        shown = describe(was, is_filter=True), describe(now, is_filter=True)
    else:
        shown = _spelled(was, case.names.before(was.value)), _spelled(now, case.names.after(now.value))
    return Example(after, before, hex(after), *shown)


def _spelled(outcome: Outcome, name: str) -> str:
    if outcome.bug:
        return "BUG fires"
    return f"{name} and WARN fires" if outcome.warned else name


def _crashes(cases: Sequence[Case], proofs: Proofs, found: Found) -> None:
    """A helper that crashes, or does not return, on one side or on both; said once for both states of grouping."""
    before = [c for c in cases if proofs.old[c.old].crash]
    newly = [c for c in cases if proofs.new[c.new].crash and not proofs.old[c.old].crash]
    every = _choices(cases)
    if before:
        plan, old = before[0].plan, proofs.old[before[0].old].crash
        on = "on both sides" if proofs.new[before[0].new].crash else "on the old side"
        what = f"{plan.name}() cannot be compared {when(_choices(before), every)}".rstrip()
        found.problems.append(Problem(plan.name, f"{what}, {on} {old}", plan.path, plan.line))
    if newly:
        plan, configs = newly[0].plan, tuple(_choices(newly))
        text = f"misbehaves {when(configs, every)}".rstrip() + f": {proofs.new[newly[0].new].crash}"
        change = Change(plan.name, "helper", "broken", text, "", configs[0], configs, file=plan.path, line=plan.line)
        found.changes.append(change)


def _choices(cases: Sequence[Case]) -> list[Assignment]:
    """The configurations of *cases*, each once."""
    return [c.choice for n, c in enumerate(cases) if c.choice not in [o.choice for o in cases[:n]]]
