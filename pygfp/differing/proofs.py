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
    from collections import deque
    from collections.abc import Iterable, Mapping, Sequence

    from ..forms import Form
    from ..native.jobs import Tally
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


class Question(NamedTuple):
    """What is to be proven once: the same code of the same helper has one answer, on whichever side it stands."""

    name: str
    code: str
    ungrouped: bool


def questions(session: Session, plans: Iterable[HelperPlan]) -> dict[Question, list[Key]]:
    """Return what is to be proven of *plans*, and the meanings that each answer is for."""
    found: dict[Question, list[Key]] = {}
    for plan in plans:
        for meaning in plan.meanings:
            for state in (False, True) if plan.grouping else (False,):
                code = meaning.code or f"segment {meaning.segment} of {session.source.label} {session.source.digest}"
                question = Question(plan.name, f"{plan.result} {code}", state)
                found.setdefault(question, []).append(Key(plan.name, meaning.segment, state))
    return found


def prove(session: Session, keys: Sequence[Key], n_bits: int) -> list[Proof]:
    """Return what the meanings *keys* are, on every input below ``2**n_bits``."""
    plans = {p.name: p for p in session.build.helpers}
    guesses = [_guess(session, plans[key.name], key, n_bits) for key in keys]
    jobs = {
        key: Job(key.segment, key.name, guess, 1 << n_bits, ungrouped=key.ungrouped)
        for key, guess in zip(keys, guesses, strict=True)
        if guess is not None and not isinstance(guess, HelperCrashed)
    }
    tallies = dict(zip(jobs, session.sweep(list(jobs.values())), strict=True))
    return [
        _proof(jobs[key], tallies[key])
        if key in jobs
        else Proof(crash=guess if isinstance(guess, HelperCrashed) else None)
        for key, guess in zip(keys, guesses, strict=True)
    ]


def prove_until_done(
    session: Session, own: Mapping[Question, Key], shared: deque[Question], keys: Mapping[Question, Key], n_bits: int
) -> dict[Question, Proof]:
    """Return the answers to *own* questions, then to *shared* ones for as long as nobody else has taken them."""
    found = dict(zip(own, prove(session, list(own.values()), n_bits), strict=True))
    while shared:
        try:
            question = shared.popleft()
        except IndexError:
            break
        found[question] = prove(session, [keys[question]], n_bits)[0]
    return found


def _proof(job: Job, tally: Tally) -> Proof:
    holds = not tally.crash and not tally.mismatches and tally.inputs == job.count
    return Proof(job.form if holds else None, tally.crash)


def _guess(session: Session, plan: HelperPlan, key: Key, n_bits: int) -> Form | HelperCrashed | None:
    try:
        return session.mine(key.segment, key.name, n_bits, is_filter=plan.is_filter, ungrouped=key.ungrouped)
    except HelperCrashed as exc:
        return exc
