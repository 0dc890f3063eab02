# SPDX-License-Identifier: GPL-2.0-only
"""
Reports for people: a heading, what is wrong first in detail, then a line a subject, then the verdict.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..report import Check, Report, Witness

_COLOURS = {"fail": "31;1", "error": "35;1", "pass": "32", "undecided": "33", "unmodelled": "33", "absent": "33"}
_KINDS = {
    "helper": "Helpers",
    "law": "Laws of gfp_nested_mask",
    "range": "Ranges",
    "composite": "Composites",
    "layout": "Layout",
}
#: What counts against a source under --strict.
STRICT = ("undecided", "unmodelled", "absent")
_WORST_FIRST = ("fail", "error", "undecided", "unmodelled", "absent", "pass")


@dataclass(frozen=True)
class Style:
    """How to print: with colour or without, and how much."""

    colour: bool = False
    quiet: bool = False
    verbose: bool = False

    def status(self, status: str, text: str | None = None) -> str:
        """Return *text*, or the status itself, in the colour of *status*."""
        shown = text or status
        return f"\x1b[{_COLOURS[status]}m{shown}\x1b[0m" if self.colour else shown


def check(report: Report, *, strict: bool, style: Style) -> str:
    """Return *report* as text."""
    lines = [_heading(report)]
    lines += _problems(report, style, ("fail", "error", *(STRICT if strict else ())))
    lines += _folded(f"note: {warning}" for warning in report.warnings)
    if not style.quiet:
        lines += _summary(report, style)
        lines += _folded(f"note: {note}" for note in report.notes)
        if style.verbose:
            lines += _folded(f"not judged: {text}" for text in report.left_out)
            lines += ["timings: " + ", ".join(f"{k.removesuffix('_s')} {v:.3f} s" for k, v in report.timings.items())]
        elif report.left_out:
            lines.append(f"not judged: {len(report.left_out)} things (-v lists them)")
    lines.append(_verdict(report, strict=strict, style=style))
    return "\n".join(lines) + "\n"


def _heading(report: Report) -> str:
    source = report.source
    release = source.release or "release not known"
    label = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in source.label)
    what = "bundled subset" if source.kind == "bundled" else label
    return (
        f"pygfp check: {what}, {release}, reference {source.reference} ({source.reference_version}), "
        f"{_count(report.n_configs, 'configuration')}, {report.compiler}"
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _folded(texts: Iterable[str], indent: str = "  ") -> Iterable[str]:
    """Long texts in lines that a terminal holds."""
    for text in texts:
        yield from textwrap.wrap(text, 110, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _problems(report: Report, style: Style, statuses: Iterable[str]) -> Iterable[str]:
    """Everything that counts against the source; verdicts that differ only in the configuration are one."""
    for status in statuses:
        groups: dict[tuple[str, ...], list[Check]] = {}
        for c in report.checks:
            if c.status == status:
                groups.setdefault((c.kind, c.subject, _aspect(c), c.message), []).append(c)
        for group in groups.values():
            yield ""
            yield from _problem(group, style)
    yield ""


def _aspect(check: Check) -> str:
    """What an id says between subject and configuration: the law, for one."""
    rest = check.id.removeprefix(f"{check.kind}.{check.subject}").lstrip(".").split(".")
    return rest[0] if check.kind == "law" or (rest and rest[0] == "ungrouped") else ""


def _problem(group: list[Check], style: Style) -> Iterable[str]:
    one = group[0]
    place = f"{one.file}:{one.line}: " if one.line else f"{one.file}: " if one.file else ""
    yield f"{style.status(one.status, one.status.upper())} {place}{one.id}"
    yield from _folded((f"  {part}" for part in one.message.split("; ")), "    ")
    configs = [c for check in group for c in check.configs]
    if configs and configs[0]:
        shown = [_config(c) for c in configs]
        more = f", and {len(shown) - 4} more" if len(shown) > 5 else ""  # noqa: PLR2004 - as many as fit a line
        yield f"  in {_count(len(shown), 'configuration')}: {', '.join(shown[:4] if more else shown)}{more}"
    if one.smallest or (one.mismatches and one.kind in {"helper", "range", "law"}):
        does = "break it" if one.kind == "law" else "differ"
        first = " in the first of them" if len(group) > 1 else ""
        yield f"  {one.mismatches:,} of {one.inputs:,} inputs {does}{first}"
    if one.smallest:
        yield from _witness(one.smallest, expected=one.kind != "law")
        if one.first and one.first.input != one.smallest.input:
            yield f"    first     {_input(one.first)}"


def _config(config: dict[str, bool]) -> str:
    on = [symbol.removeprefix("CONFIG_") for symbol, value in config.items() if value]
    return "+".join(on) or "none on"


def _witness(witness: Witness, *, expected: bool) -> Iterable[str]:
    yield f"    smallest  {_input(witness)}"
    if expected:
        yield f"    expected  {witness.expected}  {witness.expected_names}".rstrip()
    yield f"    actual    {witness.actual}  {witness.actual_names}".rstrip()


def _input(witness: Witness) -> str:
    """The input as the tree's ``%pGg`` prints it, and the flags that its table has no name for."""
    unnamed = f"  ({', '.join(witness.unnamed)}, which this tree's %pGg cannot name)" if witness.unnamed else ""
    return f"{witness.input:#x}  {witness.input_names}{unnamed}"


def _summary(report: Report, style: Style) -> Iterable[str]:
    for kind, title in _KINDS.items():
        checks = [c for c in report.checks if c.kind == kind]
        if not checks:
            continue
        yield title
        subjects: dict[str, list[Check]] = {}
        for c in checks:
            subjects.setdefault(_aspect(c) if kind == "law" else c.subject, []).append(c)
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
    status = next(s for s in _WORST_FIRST if any(c.status == s for c in checks))
    compared = [c for c in checks if c.inputs and c.status in {"pass", "fail"}]
    configs = {str(sorted(config.items())) for c in compared for config in c.configs}
    detail = []
    if checks[0].kind == "helper" and compared:
        times = f" x {len(compared)}" if len(compared) > 1 else ""
        stands_for = f", {_count(len(configs), 'configuration')}" if len(configs) > 1 else ""
        detail = [f"{compared[0].inputs:,} inputs{times}{stands_for}"]
    notable = next((c.message for c in checks if c.status == status and status not in {"pass", "fail", "error"}), "")
    text = "; ".join([*detail, *([notable] if notable else [])])
    first, *more = textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False) or [""]
    line = f"  {style.status(status, f'{status:<10}')}  {subject:<24}  {first}".rstrip()
    return "\n".join([line, *(f"{'':40}{rest}" for rest in more)])


def _verdict(report: Report, *, strict: bool, style: Style) -> str:
    counts = {s: sum(c.status == s for c in report.checks) for s in _WORST_FIRST}
    said = ", ".join(f"{n} {s}" for s, n in counts.items() if n)
    status = report.exit_status(strict=strict)
    if status == 0:
        return f"{style.status('pass', 'PASS')}: {said}; {report.domain}"
    if status == 1:
        only = "" if counts["fail"] else " (--strict)"
        return f"{style.status('fail', 'FAIL')}{only}: {said}; {report.domain}"
    return f"{style.status('error', 'COULD NOT BE CHECKED')}: {said or 'no check was made'}"
