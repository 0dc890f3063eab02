# SPDX-License-Identifier: GPL-2.0-only
"""
What each helper of one side is proven to be: a form read off a few calls, then held against every input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..errors import HelperCrashed
from ..native.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..forms import Form
    from ..native.plan import HelperPlan
    from ..native.session import Session


class Key(NamedTuple):
    """A meaning of a helper: in a segment, with pages grouped by mobility or not."""

    name: str
    segment: int
    ungrouped: bool


@dataclass(frozen=True)
class Proof:
    """
    What is known of a meaning.

    :ivar form: the form that it has on every input, or None
    :ivar crash: it crashed, or did not return
    """

    form: Form | None = None
    crash: HelperCrashed | None = None


def prove(session: Session, plans: Iterable[HelperPlan], n_bits: int) -> dict[Key, Proof]:
    """Return what every meaning of *plans* is, on every input below ``2**n_bits``."""
    proofs: dict[Key, Proof] = {}
    jobs: dict[Key, Job] = {}
    for plan in plans:
        for key in _keys(plan):
            guess = _guess(session, plan, key, n_bits)
            proofs[key] = Proof(crash=guess) if isinstance(guess, HelperCrashed) else Proof()
            if guess is not None and not isinstance(guess, HelperCrashed):
                jobs[key] = Job(key.segment, key.name, guess, 1 << n_bits, ungrouped=key.ungrouped)
    for (key, job), tally in zip(jobs.items(), session.pool.sweep(list(jobs.values())), strict=True):
        holds = not tally.crash and not tally.mismatches and tally.inputs == job.count
        proofs[key] = Proof(job.form if holds else None, tally.crash)
    return proofs


def _keys(plan: HelperPlan) -> list[Key]:
    states = (False, True) if plan.grouping else (False,)
    return [Key(plan.name, meaning.segment, state) for meaning in plan.meanings for state in states]


def _guess(session: Session, plan: HelperPlan, key: Key, n_bits: int) -> Form | HelperCrashed | None:
    try:
        return session.pool.mine(key.segment, key.name, n_bits, is_filter=plan.is_filter, ungrouped=key.ungrouped)
    except HelperCrashed as exc:
        return exc
