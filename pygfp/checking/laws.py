# SPDX-License-Identifier: GPL-2.0-only
"""
Checks of laws: what must hold between the input and the output of gfp_nested_mask(), for every input.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..config import slug
from ..forms import MaskFilter
from ..laws import Verdict, judge
from ..model.laws import LAWS
from ..native.jobs import LawJob
from ..report import Check, Witness, check_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..model.laws import Law
    from .cases import Case
    from .helpers import Results
    from .view import View

_FILTER = "gfp_nested_mask"


def check(view: View, results: Results, wanted: Callable[[str], bool]) -> Iterable[Check]:
    """Return the verdict on every law, in every configuration that the filter was judged in."""
    if not wanted(_FILTER):
        return
    for case in results.cases:
        if case.plan.name == _FILTER and case.model and not case.crash:
            yield from _laws_of(view, case)


def _laws_of(view: View, case: Case) -> Iterable[Check]:
    table = view.table(case.meaning.segment)
    masks = [law.lower(table) for law in LAWS]
    if isinstance(case.proven, MaskFilter):
        verdicts: Sequence[Verdict | None] = [judge(case.proven, mask, view.domain_bits) for mask in masks]
    else:
        tallies = view.session.pool.judge(LawJob(case.meaning.segment, _FILTER, tuple(masks), 1 << view.domain_bits))
        crashed = tallies[0].crash is not None
        verdicts = [None if crashed else Verdict(t.mismatches, t.first, t.smallest) for t in tallies]
    for law, verdict in zip(LAWS, verdicts, strict=True):
        yield _verdict(view, case, law, verdict)


def _verdict(view: View, case: Case, law: Law, verdict: Verdict | None) -> Check:
    base = Check(
        id=check_id("law", _FILTER, law.id, slug(case.config)),
        subject=_FILTER,
        kind="law",
        status="pass",
        config=case.config,
        configs=tuple(case.meaning.configs),
        inputs=1 << view.domain_bits,
        file=case.plan.path,
        line=case.plan.line,
        message=law.text,
    )
    if verdict is None:
        return replace(base, status="fail", inputs=0, message="misbehaves while the law is judged")
    if not verdict.mismatches:
        return base
    return replace(
        base,
        status="fail",
        mismatches=verdict.mismatches,
        first=_witness(view, case, law, verdict.first),
        smallest=_witness(view, case, law, verdict.smallest),
        message=f"broken law: {law.text}. Where that does not hold, {law.why}",
    )


def _witness(view: View, case: Case, law: Law, x: int | None) -> Witness | None:
    if x is None:
        return None
    actual = view.session.pool.call(case.meaning.segment, _FILTER, [x])[0]
    return Witness(x, hex(x), law.text, hex(actual.value))
