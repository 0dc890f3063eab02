# SPDX-License-Identifier: GPL-2.0-only
"""
The report of ``pygfp check``: for people (a heading, what is wrong, a line a subject, the verdict), and as JSON.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from . import json as common
from . import wording
from .style import count, folded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..report import Check, Report, Witness
    from .style import Style

_KINDS = {
    "helper": "Helpers",
    "law": "Laws of gfp_nested_mask",
    "range": "Ranges",
    "composite": "Composites",
    "layout": "Layout",
    "sparse": "Types (sparse)",
}


def text(report: Report, *, strict: bool, style: Style) -> str:
    """Return *report* as text."""
    lines = [wording.heading(report)]
    lines += _problems(report, style, ("fail", "error", *(wording.STRICT if strict else ())))
    lines += folded(f"note: {warning}" for warning in report.warnings)
    if not style.quiet:
        lines += _summary(report, style)
        lines += folded(f"note: {note}" for note in report.notes)
        if style.verbose:
            lines += folded(f"not judged: {what}" for what in report.left_out)
            lines += ["timings: " + ", ".join(f"{k.removesuffix('_s')} {v:.3f} s" for k, v in report.timings.items())]
        elif report.left_out:
            lines.append(f"not judged: {len(report.left_out)} things (-v lists them)")
    status, word, totals = wording.verdict(report, strict=strict)
    lines.append(f"{style.status(status, word)}{totals}")
    return "\n".join(lines) + "\n"


def _problems(report: Report, style: Style, statuses: Iterable[str]) -> Iterable[str]:
    """Everything that counts against the source; verdicts that differ only in the configuration are one."""
    for status in statuses:
        for group in wording.groups(c for c in report.checks if c.status == status):
            one = group[0]
            place = f"{one.file}:{one.line}: " if one.line else f"{one.file}: " if one.file else ""
            yield ""
            yield f"{style.status(status, status.upper())} {place}{one.id}"
            yield from folded((f"  {said}" for said in wording.statements(one)), "    ")
            yield from (f"  {shown}" for shown in wording.evidence(group))
    yield ""


def _summary(report: Report, style: Style) -> Iterable[str]:
    for kind, title in _KINDS.items():
        checks = [c for c in report.checks if c.kind == kind]
        if not checks:
            continue
        yield title
        subjects: dict[str, list[Check]] = {}
        for c in checks:
            subjects.setdefault(wording.aspect(c) if kind == "law" else c.subject, []).append(c)
        clean = [s for s, cs in subjects.items() if all(c.status == "pass" for c in cs)]
        if kind in {"composite", "layout", "law", "range"} and clean and not style.verbose:
            yield _wrap(f"  {style.status('pass')}  ", clean, len("  pass  "))
            subjects = {s: cs for s, cs in subjects.items() if s not in clean}
        for subject, cs in subjects.items():
            yield _subject(subject, cs, style)


def _wrap(head: str, names: list[str], indent: int) -> str:
    lines, current = [], ""
    for name in names:
        if current and len(current) + len(name) + 2 > 100 - indent:
            lines.append(current)
            current = ""
        current += f"{', ' if current else ''}{name}"
    return head + f",\n{' ' * indent}".join([*lines, current])


def _subject(subject: str, checks: list[Check], style: Style) -> str:
    status = next(s for s in wording.WORST_FIRST if any(c.status == s for c in checks))
    compared = [c for c in checks if c.inputs and c.status in {"pass", "fail"}]
    configs = {str(sorted(config.items())) for c in compared for config in c.configs}
    detail = []
    if checks[0].kind == "helper" and compared:
        times = f" x {len(compared)}" if len(compared) > 1 else ""
        stands_for = f", {count(len(configs), 'configuration')}" if len(configs) > 1 else ""
        detail = [f"{compared[0].inputs:,} inputs{times}{stands_for}"]
    told = status not in {"fail", "error"} and (status != "pass" or checks[0].kind == "sparse")
    notable = next((c.message for c in checks if told and c.status == status), "")
    shown = "; ".join([*detail, *([notable] if notable else [])])
    first, *more = textwrap.wrap(shown, 72, break_long_words=False, break_on_hyphens=False) or [""]
    line = f"  {style.status(status, f'{status:<10}')}  {subject:<24}  {first}".rstrip()
    return "\n".join([line, *(f"{'':40}{rest}" for rest in more)])


def json(report: Report, *, strict: bool) -> str:
    """Return *report* as a JSON object with a newline at the end."""
    value = {
        "schema": "pygfp.check/1",
        "source": common.source(report.source),
        "exit": report.exit_status(strict=strict),
        "compiler": report.compiler,
        "configs": report.n_configs,
        "domain": {"bits": report.domain_bits, "text": report.domain},
        "checks": [_check_json(c) for c in report.checks],
        "left_out": list(report.left_out),
        "notes": [*report.warnings, *report.notes],
        "timings": report.timings,
    }
    return common.dump(value)


def _check_json(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "subject": check.subject,
        "kind": check.kind,
        "config": check.config,
        "configs": list(check.configs),
        "status": check.status,
        "inputs": check.inputs,
        "mismatches": check.mismatches,
        "first": _witness_json(check.first),
        "smallest": _witness_json(check.smallest),
        "form": check.form,
        "file": check.file,
        "line": check.line,
        "message": check.message,
    }


def _witness_json(witness: Witness | None) -> dict[str, str] | None:
    if witness is None:
        return None
    return {
        "input": hex(witness.input),
        "input_names": witness.input_names,
        "expected": witness.expected,
        "expected_names": witness.expected_names,
        "actual": witness.actual,
        "actual_names": witness.actual_names,
    }
