# SPDX-License-Identifier: GPL-2.0-only
"""
What is said of verdicts for people, whatever the format: one wording for text, annotations and test reports.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .style import configurations, count, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..report import Check, Report, Witness

#: What counts against a source under --strict.
STRICT = ("undecided", "unmodelled", "absent")
WORST_FIRST = ("fail", "error", *STRICT, "pass")

_VERDICTS = {0: ("pass", "PASS"), 1: ("fail", "FAIL"), 3: ("error", "COULD NOT BE CHECKED")}


def heading(report: Report) -> str:
    """Return what was checked, against what, and how."""
    source = report.source
    release = source.release or "release not known"
    what = "bundled subset" if source.kind == "bundled" else printable(source.label)
    return (
        f"pygfp check: {what}, {release}, reference {source.reference} ({source.reference_version}), "
        f"{count(report.n_configs, 'configuration')}, {report.compiler}"
    )


def verdict(report: Report, *, strict: bool) -> tuple[str, str, str]:
    """Return the verdict as a status of STATUSES, a word for it, and the totals that go with it."""
    counts = {s: sum(c.status == s for c in report.checks) for s in WORST_FIRST}
    said = ", ".join(f"{n} {s}" for s, n in counts.items() if n) or "no check was made"
    exit_status = report.exit_status(strict=strict)
    status, word = _VERDICTS[exit_status]
    only_strict = " (--strict)" if exit_status == 1 and not counts["fail"] else ""
    domain = "" if status == "error" else f"; {report.domain}"
    return status, word, f"{only_strict}: {said}{domain}"


def groups(checks: Iterable[Check]) -> list[list[Check]]:
    """Return *checks* in groups that differ in the configuration only."""
    found: dict[tuple[str, ...], list[Check]] = {}
    for c in checks:
        found.setdefault((c.status, c.kind, c.subject, aspect(c), c.message), []).append(c)
    return list(found.values())


def aspect(check: Check) -> str:
    """Return what an id says between subject and configuration: the law, or which line of it sparse means."""
    rest = check.id.removeprefix(f"{check.kind}.{check.subject}").lstrip(".").split(".")
    return rest[0] if check.kind in {"law", "sparse"} or (rest and rest[0] == "ungrouped") else ""


_STATEMENT = re.compile(r"; (?!did you mean|[^()]*\))")


def split(text: str) -> list[str]:
    """
    Return the statements of *text*; what a parenthesis says, or a compiler suggests, is none of its own.

    >>> split("expected drop (not the record; the page); found keep")
    ['expected drop (not the record; the page)', 'found keep']
    """
    return _STATEMENT.split(text)


def statements(check: Check) -> list[str]:
    """Return what a verdict says, a statement a line."""
    return split(check.message)


def evidence(group: Sequence[Check]) -> Iterable[str]:
    """Yield where the verdicts of *group* hold, how many inputs show it, and the inputs that show it best."""
    one = group[0]
    configs = [c for check in group for c in check.configs]
    if configs and configs[0]:
        yield f"in {configurations(configs)}"
    if one.smallest or (one.mismatches and one.kind in {"helper", "range", "law"}):
        does = "break it" if one.kind == "law" else "differ"
        first = " in the first of them" if len(group) > 1 else ""
        yield f"{one.mismatches:,} of {one.inputs:,} inputs {does}{first}"
    if one.smallest:
        yield from _witness(one.smallest, expected=one.kind != "law")
        if one.first and one.first.input != one.smallest.input:
            yield f"  first     {_input(one.first)}"


def _witness(witness: Witness, *, expected: bool) -> Iterable[str]:
    yield f"  smallest  {_input(witness)}"
    if expected:
        yield f"  expected  {witness.expected}  {witness.expected_names}".rstrip()
    yield f"  actual    {witness.actual}  {witness.actual_names}".rstrip()


def _input(witness: Witness) -> str:
    """The input as the tree's ``%pGg`` prints it, and the flags that its table has no name for."""
    unnamed = f"  ({', '.join(witness.unnamed)}, which this tree's %pGg cannot name)" if witness.unnamed else ""
    return f"{witness.input:#x}  {witness.input_names}{unnamed}"
