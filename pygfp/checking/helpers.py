# SPDX-License-Identifier: GPL-2.0-only
"""
Verdicts on helpers: every input of the compiled C against the model, and every result in its documented range.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

from ..config import slug
from ..differing.deltas import compare as compare_forms
from ..differing.matching import correspond, numbers_of
from ..forms import MaskFilter, MaskTable, Outcome
from ..model.helpers import WANTED
from ..report import Check, Witness, check_id
from ..spell import describe, describe_form, spell
from .cases import Case, cases_of, compare
from .standing import standing, unbuildable, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..flags import FlagTable
    from ..forms import Form
    from ..model.helpers import HelperModel
    from ..native.plan import Finding
    from .view import View

#: As many combinations are spelled out in a message.
_SHOWN = 6

_DOES = {"keep": "keeps", "drop": "drops", "force": "forces"}


@dataclass
class Results:
    """The verdicts on helpers, and the cases behind them."""

    checks: list[Check] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)


def judge(view: View, models: Sequence[HelperModel], wanted: Callable[[str], bool]) -> Results:
    """Return the verdicts on *models*, and on every other helper of the source that is *wanted*."""
    results = Results()
    plans = {p.name: p for p in view.session.build.helpers}
    for model in models:
        plan = plans.get(model.name)
        results.checks += standing(view, model, plan)
        if plan and not whole(model, plan):
            results.cases += cases_of(plan, model)
    for plan in plans.values():
        if plan.name not in WANTED and wanted(plan.name):
            broken = whole(None, plan)
            results.checks += [broken] if broken else unbuildable(view, plan)
            results.cases += cases_of(plan, None)
    results.checks += [
        Check(f"helper.{name}", name, "helper", "error", file=path, line=line, message=f"does not compile: {message}")
        for name, (path, line, message) in _left_out(view).items()
        if wanted(name) and name not in WANTED
    ]
    compare(view, results.cases)
    for case in results.cases:
        results.checks += _verdicts(view, case)
    return results


def _left_out(view: View) -> dict[str, tuple[str, int, str]]:
    """What pygfp does not judge and had to take out of the text: with it a kernel would not build."""
    return {name: (path, line, why) for name, path, line, why in reversed(view.session.build.left_out)}


def _verdicts(view: View, case: Case) -> Iterable[Check]:
    verdict = _verdict(view, case)
    yield verdict
    if case.model and case.model.documented and case.tally.inputs and not case.ungrouped and not case.crash:
        yield _range(view, case, replace(verdict, form=None, message="", line=case.plan.line))
    if case.proven and not verdict.mismatches:
        for flag, fate in case.undecided.items():
            yield replace(
                verdict,
                id=check_id("helper", case.plan.name, flag, slug(case.config)),
                status="undecided",
                message=(
                    f"{flag} has no verdict: the header {_DOES[fate.value]} it, on every input. "
                    f'Decide it in a policy file (--policy FILE, a line {flag} = "{fate.value}"  # reason)'
                ),
            )


def _verdict(view: View, case: Case) -> Check:
    plan, table = case.plan, view.table(case.meaning.segment)
    base = Check(
        id=check_id("helper", plan.name, case.aspect, slug(case.config)),
        subject=plan.name,
        kind="helper",
        status="pass",
        config=case.config,
        configs=tuple(case.meaning.configs),
        inputs=case.tally.inputs,
        mismatches=case.tally.mismatches,
        form=spell(case.proven, table),
        file=plan.path,
        line=plan.line,
    )
    findings = _findings(view, case)
    if case.crash:
        # What was seen in one configuration is not said of the others.
        status, what = (
            ("error", "not compared: in another configuration") if case.tally.elsewhere else ("fail", "misbehaves:")
        )
        return replace(base, status=status, inputs=0, mismatches=0, message=f"{what} {case.crash}")
    if findings:
        message = "; ".join(f"{f.path}:{f.line}: {f.text}" for f in findings)
        return _with_witnesses(view, case, replace(base, status="fail", line=findings[0].line, message=message))
    if case.model is None:
        shown = (
            f"proven on every input: {describe_form(case.proven, table)}" if case.proven else "no simple form fits it"
        )
        return replace(base, status="unmodelled", mismatches=0, message=f"pygfp has no model of it; {shown}")
    if not case.tally.inputs:
        return replace(base, status="error", message=case.obstacle or "no input was compared")
    if case.tally.mismatches:
        return _with_witnesses(view, case, replace(base, status="fail", message=_difference(view, case, table)))
    return base


def _findings(view: View, case: Case) -> list[Finding]:
    """What the compiler said of the lines of the helper, in the configuration of the case."""
    plan = case.plan
    return [
        f
        for f in view.session.build.findings
        if f.path == plan.path and plan.line <= f.line <= plan.end_line and f.segment in {-1, case.meaning.segment}
    ]


def _with_witnesses(view: View, case: Case, check: Check) -> Check:
    def witness(x: int | None) -> Witness | None:
        if x is None or case.expected is None:
            return None
        is_filter = case.plan.is_filter
        expected = describe(case.expected.outcome(x), is_filter=is_filter)
        return Witness(x, hex(x), expected, describe(case.call(view, [x])[0], is_filter=is_filter))

    return replace(check, first=witness(case.tally.first), smallest=witness(case.tally.smallest))


def _difference(view: View, case: Case, table: FlagTable) -> str:
    """What the header does other than the policy, flag by flag where a form is proven."""
    if not (isinstance(case.proven, MaskFilter) and isinstance(case.expected, MaskFilter)):
        return _rows(view, case, table)
    alike: dict[str, list[str]] = {}
    for flag, mask in table.flags.items():
        expected, found = _fate(case.expected, mask), _fate(case.proven, mask)
        if expected != found:
            alike.setdefault(f"expected {expected}, found {found} ({view.policy.reason(flag)})", []).append(flag)
    parts = [f"{', '.join(flags)}: {what}" for what, flags in alike.items()]
    stray = ((case.proven.keep ^ case.expected.keep) | (case.proven.force ^ case.expected.force)) & table.no_flag
    return "; ".join([*parts, *([f"bits without a flag ({stray:#x}): expected drop"] if stray else [])])


def _rows(view: View, case: Case, table: FlagTable) -> str:
    """Which combinations of flags answer otherwise, in the names of the tree's enumerators."""
    if not (isinstance(case.proven, MaskTable) and isinstance(case.expected, MaskTable)):
        return f"expected {describe_form(case.expected, table)}; found {describe_form(case.proven, table)}"
    constants = view.session.build.segments[case.meaning.segment].constants
    names = numbers_of(case.plan, constants, constants)
    changes: dict[str, str] = {}
    for delta in compare_forms(case.expected, case.proven, correspond(table, table, view.domain_bits), names).values():
        changes |= delta.flags
    shown = [f"{flags}: expected {change.replace(' -> ', ', found ')}" for flags, change in changes.items()]
    more = [f"and {len(shown) - _SHOWN} more combinations"] if len(shown) > _SHOWN else []
    return "; ".join([*shown[:_SHOWN], *more])


def _fate(form: MaskFilter, mask: int) -> str:
    return "force" if form.force & mask else "keep" if form.keep & mask else "drop"


def _range(view: View, case: Case, base: Check) -> Check:
    """Whether every result is documented: from the proven form, else from a sweep for each documented value."""
    assert case.model  # noqa: S101 - for the type checker; only modelled cases have a range
    assert case.model.documented  # noqa: S101 - ditto
    documented = case.model.documented(view.context(case.meaning.segment, case.config))
    allowed = frozenset(documented.values())
    clean = replace(
        base,
        id=check_id("range", case.plan.name, slug(case.config)),
        kind="range",
        status="pass",
        inputs=case.tally.inputs,
        mismatches=0,
        first=None,
        smallest=None,
    )
    alike = [f"{a} and {b} are both {n}" for (a, n), (b, m) in combinations(documented.items(), 2) if n == m]
    if alike:
        return replace(clean, status="fail", inputs=0, message=f"{', '.join(alike)}: no result tells which is meant")
    if isinstance(case.proven, MaskTable):
        return _range_of_table(view, case.proven, clean, allowed)
    return _range_by_sweep(view, case, clean, allowed)


def _range_of_table(view: View, form: MaskTable, clean: Check, allowed: frozenset[int]) -> Check:
    outside = [n for n, row in enumerate(form.rows) if not row.bug and not row.warned and row.value not in allowed]
    if not outside:
        return clean
    inputs = [form.input(n) for n in outside]

    def witness(x: int) -> Witness:
        return Witness(x, hex(x), _one_of(allowed), describe(form.outcome(x), is_filter=False))

    return replace(
        clean,
        status="fail",
        mismatches=len(outside) << (view.domain_bits - len(form.bits)),
        first=witness(min(inputs)),
        smallest=witness(min(inputs, key=lambda x: (x.bit_count(), x))),
        message=f"a result is not {_one_of(allowed)}",
    )


def _range_by_sweep(view: View, case: Case, clean: Check, allowed: frozenset[int]) -> Check:
    """Count the inputs that answer each documented value, or fire; all others are outside."""
    inside = [Outcome(v) for v in allowed] + [Outcome(0, bug=True)]
    inside += [Outcome(v, warned=True) for v in {*allowed, max(allowed) + 1}]
    forms: list[Form] = [MaskTable((), (outcome,)) for outcome in inside]
    tallies = view.session.sweep([case.job(view, form) for form in forms])
    crash = next((t.crash for t in tallies if t.crash), None)
    if crash:
        return replace(clean, status="fail", inputs=0, message=f"misbehaves: {crash}")
    total = 1 << view.domain_bits
    outside = total - sum(total - t.mismatches for t in tallies)
    if not outside:
        return replace(clean, inputs=total)
    return replace(
        clean, status="fail", inputs=total, mismatches=outside, message=f"a result is not {_one_of(allowed)}"
    )


def _one_of(allowed: frozenset[int]) -> str:
    return f"one of {', '.join(map(str, sorted(allowed)))}"
