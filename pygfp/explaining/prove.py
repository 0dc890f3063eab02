# SPDX-License-Identifier: GPL-2.0-only
"""
What a compiled helper is shown to be: its form in each configuration, proven on every input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import releases
from ..checking.cases import cases_of, compare
from ..checking.view import View
from ..config import slug
from ..explain import Meaning
from ..model.helpers import HELPERS
from ..model.policy import Policy
from .calls import enumerators

if TYPE_CHECKING:
    from ..checking.cases import Case
    from ..native.session import Session


@dataclass(frozen=True)
class Proven:
    """
    A helper of a source.

    :ivar place: file and line of its definition
    :ivar meanings: its form in each of its meanings
    :ivar proof: on how many inputs that was shown
    :ivar domain_bits: every input below ``2**domain_bits`` was tried
    :ivar notes: what a user should know besides
    """

    place: tuple[str, int]
    meanings: tuple[Meaning, ...]
    proof: str
    domain_bits: int
    notes: tuple[str, ...]


def prove(session: Session, helper: str) -> Proven:
    """
    Return what *helper*, which the session has, does with every input.

    :raises HelperCrashed: it crashes or does not return on some input
    """
    view = View(session, releases.reference(session.source.release), Policy())
    plan = next(p for p in session.build.helpers if p.name == helper)
    model = next((m for m in HELPERS if m.name == helper), None)
    cases = cases_of(plan, model)
    compare(view, cases)
    for case in cases:
        if case.crash:
            raise case.crash
    ordinary = [case for case in cases if not case.ungrouped]
    meanings = tuple(_meaning(view, case) for case in ordinary)
    notes = [f"does not compile in configuration {slug(config)}: {why}" for config, why in plan.losses]
    notes += [f"compiled out in configuration {slug(config)}" for config in plan.missing]
    notes += _ungrouped(view, cases)
    return Proven(
        place=(plan.path, plan.line),
        meanings=meanings,
        proof=_proof(view, ordinary),
        domain_bits=view.domain_bits,
        notes=tuple(dict.fromkeys(notes)),
    )


def _meaning(view: View, case: Case) -> Meaning:
    segment = case.meaning.segment
    names = enumerators(view.session, case.plan.name, segment)
    is_filter = case.plan.is_filter
    return Meaning(case.proven, view.table(segment), tuple(case.meaning.configs), names, is_filter=is_filter)


def _ungrouped(view: View, cases: list[Case]) -> list[str]:
    """What it does where grouping by mobility is off, a state of a running kernel and no configuration."""
    return [
        f"where pages are not grouped by mobility (a machine with little memory): {_meaning(view, c).words()}"
        for c in cases
        if c.ungrouped
    ]


def _proof(view: View, cases: list[Case]) -> str:
    proven = [c for c in cases if c.proven is not None]
    if len(proven) < len(cases):
        return f"no simple form answers like it on every input; {view.domain}"
    inputs = proven[0].tally.inputs if proven else 0
    times = f", in each of its {len(proven)} meanings" if len(proven) > 1 else ""
    return f"the compiled code answers so on every one of {inputs:,} inputs{times}"
