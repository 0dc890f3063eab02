# SPDX-License-Identifier: GPL-2.0-only
"""
Checks of helpers: every input of the compiled C against the model, and every result in its documented range.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .config import slug
from .errors import HelperCrashed
from .forms import MaskFilter, MaskTable, Outcome
from .mine import mine
from .model.declared import Predicate
from .model.policy import Fate
from .native.pool import Job, Tally
from .releases import newest
from .report import Check, Witness
from .view import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .config import Assignment
    from .flags import FlagTable
    from .forms import Form
    from .model.helpers import HelperModel
    from .native.plan import HelperPlan, Meaning
    from .view import View


@dataclass
class Case:
    """
    One meaning of one helper, on its way to a verdict.

    :ivar model: None for a helper that the model does not cover
    :ivar expected: the model's form, with what the header does to undecided flags
    :ivar mined: the form that the C looks like, or None
    :ivar proven: the form that the C was shown to have on every input, or None
    :ivar undecided: flags without a verdict, and what the header does to each
    """

    plan: HelperPlan
    meaning: Meaning
    model: HelperModel | None
    ungrouped: bool = False
    expected: Form | None = None
    mined: Form | None = None
    proven: Form | None = None
    tally: Tally = field(default_factory=Tally)
    undecided: dict[str, str] = field(default_factory=dict)
    crash: HelperCrashed | None = None

    @property
    def config(self) -> Assignment:
        """The first of the configurations that share the meaning."""
        return self.meaning.configs[0]

    @property
    def aspect(self) -> str:
        """What tells this case from the helper's ordinary state in an id."""
        return "ungrouped" if self.ungrouped else ""


@dataclass
class Results:
    """The verdicts on helpers, and the cases behind them."""

    checks: list[Check] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)


class HelperChecker:
    """Turns the helpers of one view into verdicts."""

    def __init__(self, view: View) -> None:
        """Judge the helpers of *view*."""
        self.view = view
        self.pool = view.session.pool
        self.plans = {p.name: p for p in view.session.build.helpers}

    def run(self, models: Sequence[HelperModel], wanted: Callable[[str], bool]) -> Results:
        """Return the verdicts on *models* and on every other helper of the source that is *wanted*."""
        results = Results()
        for model in models:
            plan = self.plans.get(model.name)
            standing = self._standing(model, plan)
            results.checks += standing
            if plan and not any(c.status in {"fail", "error"} and not c.config for c in standing):
                results.cases += self._cases(plan, model)
        known = {m.name for m in models}
        for plan in self.plans.values():
            if plan.name not in known and wanted(plan.name) and not _modelled(plan.name):
                if plan.error:
                    results.checks.append(self._verdict_without_case(plan, "error", f"does not compile: {plan.error}"))
                results.cases += self._cases(plan, None)
        self._expect(results.cases)
        self._sweep(results.cases)
        for case in results.cases:
            results.checks += self._verdicts(case)
        return results

    # What can be said before anything is compared.

    def _standing(self, model: HelperModel, plan: HelperPlan | None) -> list[Check]:
        """Whether the helper is there, compiles, and has the signature that it should have."""
        if plan is None:
            return self._missing(model)
        if plan.error:
            return [self._verdict_without_case(plan, "error", f"does not compile: {plan.error}")]
        if plan.unswept:
            expected = f"{model.result} {model.name}(gfp_t)"
            return [self._verdict_without_case(plan, "fail", f"signature changed: expected {expected}, found that it {plan.unswept}")]
        if plan.result and model.is_filter != plan.is_filter:
            message = f"signature changed: expected to return {model.result}, found {plan.result}"
            return [self._verdict_without_case(plan, "fail", message)]
        checks = [self._compiled_out(plan, config) for config in plan.missing]
        return checks + self._unbuildable(plan)

    def _missing(self, model: HelperModel) -> list[Check]:
        """A helper that the source lacks: removed, absent, or one that occurs and could not be cut out."""
        base = Check(f"helper.{model.name}", model.name, "helper", "absent")
        build, row = self.view.session.build, self.view.row
        if model.name in build.broken:
            return [replace(base, status="error", message=build.broken[model.name])]
        files = row.helper_files.get(model.name)
        have = [f for f in files or () if f in self.view.session.source.files]
        if have:
            message = (
                f"removed: {row.name} defines {model.name} in {', '.join(have)}, and no watched file of this source does; "
                "renamed or deleted? Every caller of it has to change too"
            )
            return [replace(base, status="fail", message=message, file=have[0])]
        if files:
            return [replace(base, message=f"not judged: {', '.join(files)}, where {row.name} has it, is not in this source")]
        if model.name in newest().helper_files:
            return [replace(base, message=f"neither this source nor {row.name} has it")]
        return []

    def _compiled_out(self, plan: HelperPlan, config: Assignment) -> Check:
        message = "compiled out in this configuration, where it used to be defined; its callers would not build"
        status = "fail" if plan.name in self.view.row.helper_files else "absent"
        return Check(
            _id("helper", plan.name, slug(config)), plan.name, "helper", status, config, (config,), file=plan.path, line=plan.line, message=message
        )

    def _unbuildable(self, plan: HelperPlan) -> list[Check]:
        checks = []
        done = [c for m in plan.meanings for c in m.configs] + plan.missing
        for config in self.view.session.choices(plan.symbols):
            if config in done:
                continue
            segment = self.view.session.segment(config)
            why = segment.error if segment and segment.error else "it was not built"
            checks.append(
                Check(_id("helper", plan.name, slug(config)), plan.name, "helper", "error", config, (config,), file=plan.path, line=plan.line, message=f"this configuration cannot be built: {why}")
            )
        return checks

    def _verdict_without_case(self, plan: HelperPlan, status: str, message: str) -> Check:
        return Check(f"helper.{plan.name}", plan.name, "helper", status, file=plan.path, line=plan.line, message=message)

    # From a helper to cases, forms and tallies.

    def _cases(self, plan: HelperPlan, model: HelperModel | None) -> list[Case]:
        states = (False, True) if model and model.states else (False,)
        return [Case(plan, m, model, ungrouped) for m in plan.meanings for ungrouped in states]

    def _expect(self, cases: Sequence[Case]) -> None:
        """Ask the C a few inputs, and settle what each case is compared with."""
        crashed: dict[str, HelperCrashed] = {}
        for case in cases:
            if case.plan.name in crashed:
                case.crash = crashed[case.plan.name]
                continue
            try:
                case.mined = mine(lambda xs, c=case: self._call(c, xs), self.view.domain_bits, is_filter=case.plan.is_filter)  # type: ignore[misc]
            except HelperCrashed as exc:
                case.crash = crashed[case.plan.name] = exc
                continue
            table = self.view.table(case.meaning.segment)
            if case.model is None:
                case.expected = case.mined
            else:
                context = self.view.context(case.meaning.segment, case.config, ungrouped=case.ungrouped)
                case.expected = case.model.meaning(context).lower(table)
                if case.model.name == "gfp_nested_mask":
                    self._settle_undecided(case, table)
            case.expected = self._in_width(case, case.expected)

    def _call(self, case: Case, inputs: Sequence[int]) -> list[Outcome]:
        return self.pool.call(case.meaning.segment, case.plan.name, inputs, ungrouped=case.ungrouped)

    def _settle_undecided(self, case: Case, table: FlagTable) -> None:
        """For a flag without a verdict, expect what the header does; the sweep then proves that it always does."""
        if not isinstance(case.expected, MaskFilter):
            return
        zero = self._call(case, [0])[0].value
        keep, force = case.expected.keep, case.expected.force
        for flag, mask in table.flags.items():
            if self.view.policy.fate(flag) is not None:
                continue
            with_flag = self._call(case, [mask])[0].value
            fate = Fate.FORCE if zero & mask else Fate.KEEP if with_flag & mask else Fate.DROP
            case.undecided[flag] = fate.value
            keep |= mask if fate is Fate.KEEP else 0
            force |= mask if fate is Fate.FORCE else 0
        case.expected = MaskFilter(keep, force)

    def _in_width(self, case: Case, form: Form | None) -> Form | None:
        """A table of a signed result holds its values as the compiled code returns them, as unsigned."""
        if not isinstance(form, MaskTable):
            return form
        width = 64 if "long" in case.plan.result else 32
        rows = tuple(Outcome(0 if r.bug else r.value % (1 << width), r.bug, r.warned) for r in form.rows)
        return MaskTable(form.bits, rows)

    def _job(self, case: Case, form: Form) -> Job:
        return Job(case.meaning.segment, case.plan.name, form, 1 << self.view.domain_bits, ungrouped=case.ungrouped)

    def _sweep(self, cases: Sequence[Case]) -> None:
        """Compare every case; where the model is wrong, prove what the C does instead."""
        first = [c for c in cases if c.expected is not None and not c.crash]
        for case, tally in zip(first, self.pool.sweep([self._job(c, c.expected) for c in first if c.expected]), strict=True):
            case.tally, case.crash = tally, tally.crash
            if not tally.crash and not tally.mismatches:
                case.proven = case.expected
                self._compare_extra(case)
        second = [c for c in first if not c.proven and not c.crash and c.mined is not None and c.model is not None]
        for case, tally in zip(second, self.pool.sweep([self._job(c, c.mined) for c in second if c.mined]), strict=True):
            if not tally.crash and not tally.mismatches:
                case.proven = case.mined

    def _compare_extra(self, case: Case) -> None:
        """The inputs above a sweep's reach, one by one."""
        inputs = self.view.extra_inputs
        if not inputs or case.expected is None:
            return
        for x, outcome in zip(inputs, self._call(case, inputs), strict=True):
            case.tally.inputs += 1
            if not outcome.agrees(case.expected.outcome(x)):
                case.proven = None
                case.tally.mismatches += 1
                case.tally.first = x if case.tally.first is None else min(x, case.tally.first)
                known = [x] if case.tally.smallest is None else [x, case.tally.smallest]
                case.tally.smallest = min(known, key=lambda v: (v.bit_count(), v))

    # From a case to verdicts.

    def _verdicts(self, case: Case) -> list[Check]:
        check = self._verdict(case)
        checks = [check]
        if case.model and case.model.documented and not case.ungrouped and not case.crash:
            checks.append(self._range(case, check))
        if case.proven and not check.mismatches:
            checks += [self._undecided(case, check, flag, fate) for flag, fate in case.undecided.items()]
        return checks

    def _verdict(self, case: Case) -> Check:
        plan = case.plan
        base = Check(
            id=_id("helper", plan.name, case.aspect, slug(case.config)),
            subject=plan.name,
            kind="helper",
            status="pass",
            config=case.config,
            configs=tuple(case.meaning.configs),
            inputs=case.tally.inputs,
            mismatches=case.tally.mismatches,
            form=spell_form(case.proven, self.view.table(case.meaning.segment), case),
            file=plan.path,
            line=plan.line,
        )
        findings = [
            f
            for f in self.view.session.build.findings
            if f.path == plan.path and plan.line <= f.line <= plan.end_line and f.segment in {-1, case.meaning.segment}
        ]
        if case.crash:
            return replace(base, status="fail", inputs=0, mismatches=0, message=f"misbehaves: {case.crash}")
        if findings:
            where = "; ".join(f"{f.path}:{f.line}: {f.text}" for f in findings)
            return replace(base, status="fail", line=findings[0].line, message=where, **self._witnesses(case))
        if case.model is None:
            what = describe_form(case.proven, self.view.table(case.meaning.segment)) if case.proven else "no simple form fits it"
            return replace(base, status="unmodelled", message=f"pygfp has no model of it; proven on every input: {what}" if case.proven else f"pygfp has no model of it, and {what}")
        if not case.tally.inputs:
            return replace(base, status="error", message="no input was compared")
        if case.tally.mismatches:
            return replace(base, status="fail", message=self._difference(case), **self._witnesses(case))
        return base

    def _witnesses(self, case: Case) -> dict[str, Witness | None]:
        found = {}
        for name in ("first", "smallest"):
            x = getattr(case.tally, name)
            if x is not None and case.expected is not None:
                actual = self._call(case, [x])[0]
                is_filter = case.plan.is_filter
                found[name] = Witness(x, hex(x), describe(case.expected.outcome(x), is_filter=is_filter), describe(actual, is_filter=is_filter))
        return found  # type: ignore[return-value]

    def _difference(self, case: Case) -> str:
        """What the header does other than the policy, flag by flag where a form is proven."""
        table = self.view.table(case.meaning.segment)
        if isinstance(case.proven, MaskFilter) and isinstance(case.expected, MaskFilter):
            parts = []
            for flag, mask in table.flags.items():
                want, have = _fate(case.expected, mask), _fate(case.proven, mask)
                if want != have:
                    parts.append(f"{flag}: expected {want}, found {have} ({self.view.policy.reason(flag)})")
            stray = _stray(case.expected, case.proven, table)
            parts += [f"bits without a flag: {stray:#x} must be dropped"] if stray else []
            return "; ".join(parts) or "the result differs"
        if case.proven is not None:
            return f"found {describe_form(case.proven, table)}; expected {describe_form(case.expected, table)}"
        return f"no simple form fits it any more; expected {describe_form(case.expected, table)}"

    def _undecided(self, case: Case, check: Check, flag: str, fate: str) -> Check:
        done = {"keep": "keeps", "drop": "drops", "force": "forces"}[fate]
        message = (
            f"{flag} has no verdict: the header {done} it, on every input. Decide it in a policy file "
            f'(--policy FILE, a line {flag} = "{fate}"  # reason)'
        )
        return replace(check, id=_id("helper", case.plan.name, flag, slug(case.config)), status="undecided", message=message)

    def _range(self, case: Case, check: Check) -> Check:
        """Whether every result is documented, from the proven form, else from sweeps for each documented value."""
        assert case.model is not None  # noqa: S101 - only called for a modelled case
        assert case.model.documented is not None  # noqa: S101 - ditto
        context = self.view.context(case.meaning.segment, case.config)
        allowed = case.model.documented(context)
        base = replace(
            check,
            id=_id("range", case.plan.name, slug(case.config)),
            kind="range",
            status="pass",
            mismatches=0,
            first=None,
            smallest=None,
            form=None,
            message="",
            line=case.plan.line,
        )
        names = ", ".join(str(v) for v in sorted(allowed))
        if isinstance(case.proven, MaskTable):
            outside = [n for n, row in enumerate(case.proven.rows) if not row.bug and not row.warned and row.value not in allowed]
            if not outside:
                return base
            each = 1 << (self.view.domain_bits - len(case.proven.bits))
            x = min((case.proven.input(n) for n in outside), key=lambda v: (v.bit_count(), v))
            first = min(case.proven.input(n) for n in outside)
            say = f"one of {names}"
            return replace(
                base,
                status="fail",
                mismatches=each * len(outside),
                first=Witness(first, hex(first), say, describe(case.proven.outcome(first), is_filter=False)),
                smallest=Witness(x, hex(x), say, describe(case.proven.outcome(x), is_filter=False)),
                message=f"a result is outside the documented set {{{names}}}",
            )
        return self._range_by_sweep(case, base, sorted(allowed), names)

    def _range_by_sweep(self, case: Case, base: Check, allowed: list[int], names: str) -> Check:
        """Count the inputs that answer each documented value, or fire; the rest is outside."""
        outcomes = [Outcome(v) for v in allowed] + [Outcome(0, bug=True)] + [Outcome(v, warned=True) for v in (*allowed, max(allowed) + 1)]
        tallies = self.pool.sweep([self._job(case, MaskTable((), (o,))) for o in outcomes])
        if any(t.crash for t in tallies):
            return replace(base, status="fail", inputs=0, message=f"misbehaves: {next(t.crash for t in tallies if t.crash)}")
        total = 1 << self.view.domain_bits
        outside = total - sum(total - t.mismatches for t in tallies)
        if outside:
            return replace(base, status="fail", inputs=total, mismatches=outside, message=f"a result is outside the documented set {{{names}}}")
        return replace(base, inputs=total)


def _id(*parts: str) -> str:
    return ".".join(p for p in parts if p)


def _modelled(name: str) -> bool:
    from .model.helpers import WANTED  # noqa: PLC0415 - a name, not a cycle

    return name in WANTED


def _fate(form: MaskFilter, mask: int) -> str:
    if form.force & mask == mask:
        return "force"
    return "keep" if form.keep & mask == mask else "drop"


def _stray(expected: MaskFilter, proven: MaskFilter, table: FlagTable) -> int:
    defined = 0
    for mask in table.flags.values():
        defined |= mask
    return ((proven.keep ^ expected.keep) | (proven.force ^ expected.force)) & ~defined


def spell_form(form: Form | None, table: FlagTable, case: Case | None = None) -> dict[str, object] | None:
    """Return *form* in flag names, as JSON shows it; None where there is none."""
    if isinstance(form, MaskFilter):
        return {"keep": table.names(form.keep & ~form.force), "force": table.names(form.force)}
    if isinstance(form, MaskTable):
        either = form.any_of()
        if either is not None and (case is None or case.model is None or case.model.documented is None or either):
            return {"any_of": table.names(either)}
        declared = _all_of(form)
        if declared:
            return {"all_of": table.names(declared[0]), "none_of": table.names(declared[1])}
        rows = [
            {"flags": table.names(form.input(n)), "value": None if r.bug else r.value, "bug": r.bug, "warned": r.warned}
            for n, r in enumerate(form.rows)
        ]
        return {"flags": table.names(form.input(len(form.rows) - 1)), "rows": rows}
    return None


def _all_of(form: MaskTable) -> tuple[int, int] | None:
    """The masks of a test for one single row."""
    true = [n for n, r in enumerate(form.rows) if r == Outcome(1)]
    rest = [r for r in form.rows if r != Outcome(1)]
    if len(true) == 1 and all(r == Outcome(0) for r in rest):
        return form.input(true[0]), form.input(len(form.rows) - 1) & ~form.input(true[0])
    return None


def describe_form(form: Form | None, table: FlagTable) -> str:
    """Return *form* in words."""
    spelled = spell_form(form, table)
    if spelled is None:
        return "no form"
    if "rows" in spelled:
        flags = spelled["flags"]
        assert isinstance(flags, list)  # noqa: S101 - as spell_form makes it
        if not flags:
            assert isinstance(form, MaskTable)  # noqa: S101 - the other form has no rows
            return f"always {describe(form.rows[0], is_filter=False)}"
        return f"a table over {_short(flags)}"
    return ", ".join(f"{key.replace('_', ' ')} {{{_short(names)}}}" for key, names in spelled.items() if isinstance(names, list))


def _short(names: list[str]) -> str:
    return " ".join(n.removeprefix("__GFP_") for n in names)


__all__ = ["Case", "HelperChecker", "Predicate", "Results", "describe_form", "spell_form"]
