# SPDX-License-Identifier: GPL-2.0-only
"""
The common value behind the formats for machines: whatever a command found, as items that pass, fail, cannot be
judged, or are skipped with a reason.

Test reports (KTAP, JUnit) list every item, so that a reader can follow one id from run to run. Lists of findings
(SARIF, GitHub) show one finding for all configurations that it is the same in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import diff, wording
from .style import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..changes import Change, DiffReport, Problem
    from ..report import Check, Report

#: Every outcome that an item can have; ``error``: it could not be judged.
OUTCOMES = ("fail", "error", "skip", "pass")
#: How loud an item is; ``none``: nothing to show anybody.
LEVELS = ("error", "warning", "notice", "none")

_ID = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z")


@dataclass(frozen=True)
class Item:
    """
    One verdict or change as a machine reads it.

    :ivar id: unique in its report, dotted, kind first; a valid KernelCI test path
    :ivar subject: the helper, composite, flag or rule
    :ivar kind: what sort of property, ``helper`` or ``law`` for example
    :ivar outcome: one of OUTCOMES
    :ivar level: one of LEVELS
    :ivar file: kernel-relative path, or None
    :ivar line: 1-based, or None
    :ivar title: what is wrong, in one line; ``""`` where nothing is
    :ivar detail: the rest of what there is to say, a line each: other statements, configurations, counts, witnesses
    """

    id: str
    subject: str
    kind: str
    outcome: str
    level: str = "none"
    file: str | None = None
    line: int | None = None
    title: str = ""
    detail: tuple[str, ...] = ()


@dataclass(frozen=True)
class Items:
    """
    What one run of a command found. :func:`gathered` makes it.

    :ivar command: the command, ``check``
    :ivar heading: what was looked at, and how
    :ivar items: every verdict, at least one
    :ivar findings: the items that do not pass, one for all configurations that it is the same in
    :ivar verdict: the verdict on all, with totals
    :ivar notes: what to know besides
    """

    command: str
    heading: str
    items: tuple[Item, ...]
    findings: tuple[Item, ...]
    verdict: str
    notes: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """The exit status, from the items alone: any fail gives 1, else any error 3, else 0."""
        outcomes = {item.outcome for item in self.items}
        return 1 if "fail" in outcomes else 3 if "error" in outcomes else 0

    def count(self, outcome: str) -> int:
        """Return how many items have *outcome*."""
        return sum(item.outcome == outcome for item in self.items)


def gathered(  # noqa: PLR0913 - the fields of the value
    command: str,
    *,
    heading: str,
    items: Iterable[Item],
    findings: Iterable[Item] | None = None,
    verdict: str,
    notes: Iterable[str] = (),
) -> Items:
    """
    Return what a run of *command* found, in text that no terminal, line reader or XML parser stumbles over.

    Where nothing passes and nothing fails, nothing was judged: an error item ``COMMAND.run`` says so, in every format.

    :param findings: default: every item that does not pass
    """
    all_items = [_clean(item) for item in items]
    shown = [i for i in all_items if i.outcome != "pass"] if findings is None else [_clean(f) for f in findings]
    if not any(i.outcome in {"pass", "fail", "error"} for i in all_items):
        nothing = _of_run(command, "nothing was judged", ())
        all_items, shown = [*all_items, nothing], [nothing, *shown]
    ids = [i.id for i in all_items]
    assert len(set(ids)) == len(ids), "ids are not unique"  # noqa: S101 - two items of one id would hide each other
    return Items(
        command,
        printable(heading),
        tuple(all_items),
        tuple(sorted(shown, key=lambda i: (OUTCOMES.index(i.outcome), LEVELS.index(i.level)))),
        printable(verdict),
        tuple(printable(n) for n in notes),
    )


def of_check(report: Report, *, strict: bool) -> Items:
    """Return the verdicts of ``pygfp check``, a check an item."""
    _, word, totals = wording.verdict(report, strict=strict)
    return gathered(
        "check",
        heading=wording.heading(report),
        items=[_of_checks([c], strict=strict) for c in report.checks],
        findings=[_of_checks(g, strict=strict) for g in wording.groups(c for c in report.checks if c.status != "pass")],
        verdict=word + totals,
        notes=[*report.warnings, *report.notes],
    )


def of_diff(report: DiffReport) -> Items:
    """Return the changes of ``pygfp diff``, a change an item; what was compared and did not change passes."""
    changed = {c.subject for c in report.changes} | {p.subject for p in report.problems}
    changes = [_of_change(c) for c in report.changes]
    problems = [_of_problem(n, p) for n, p in enumerate(report.problems)]
    items = [*changes, *(_of_checks([c], strict=False) for c in report.broken), *problems]
    items += [Item(f"same.{s}", s, "same", "pass") for s in report.compared if s not in changed]
    if report.identical:
        items.append(Item("same.text", "text", "same", "pass"))
    return gathered(
        "diff",
        heading=" ".join(line.strip() for line in diff.heading(report)),
        items=items,
        findings=[*changes, *(_of_checks(g, strict=False) for g in wording.groups(report.broken)), *problems],
        verdict="".join(diff.verdict(report)[1:]),
        notes=[*report.warnings, *report.notes],
    )


def _of_change(change: Change) -> Item:
    level = "error" if change.change == "broken" else "warning"
    title, *more = wording.split(change.text)
    detail = (*more, *diff.evidence(change))
    title = f"{change.subject}: {title}"
    return Item(change.id, change.subject, change.kind, "fail", level, change.file, change.line, title, detail)


def _of_problem(number: int, problem: Problem) -> Item:
    subject = re.sub(r"[^A-Za-z0-9_-]", "-", problem.subject)
    title = f"could not be compared: {problem.text}"
    return Item(f"problem.{subject}.{number}", subject, "problem", "error", "error", problem.file, problem.line, title)


def of_failure(command: str, label: str, message: str, *, file: str | None = None, line: int | None = None) -> Items:
    """Return that *command* could not look at what *label* names at all, as one item that says why."""
    first, *more = message.removeprefix(f"{file}:{line}: ").splitlines() or ["no reason is known"]
    item = replace(_of_run(command, first, more), file=file, line=line)
    return gathered(command, heading=f"pygfp {command}: {label}", items=[item], verdict="COULD NOT BE CHECKED: 1 error")


def _of_run(command: str, why: str, detail: Sequence[str]) -> Item:
    title = f"could not be checked: {why}"
    return Item(f"{command}.run", "run", "run", "error", "error", title=title, detail=tuple(detail))


def _of_checks(group: Sequence[Check], *, strict: bool) -> Item:
    """An item for *group*, whose checks differ in the configuration only."""
    one = group[0]
    item = Item(one.id, one.subject, one.kind, one.status, file=one.file, line=one.line)
    if one.status == "pass":
        return item
    title, *more = wording.statements(one)
    item = replace(item, title=title, detail=(*more, *wording.evidence(group)))
    if one.status == "fail":
        return replace(item, level="error")
    if one.status == "error":
        return replace(item, level="error", title=f"could not be checked: {title}")
    level = "error" if strict else "none" if one.status == "absent" else "notice"
    return replace(item, outcome="fail" if strict else "skip", level=level, title=f"{one.status}: {title}")


def _clean(item: Item) -> Item:
    """*item* with whatever a terminal or a parser might act on as an escape."""
    assert _ID.match(item.id), f"{item.id!r} is no test path"  # noqa: S101 - a bug of pygfp
    assert item.outcome in OUTCOMES, item.outcome  # noqa: S101 - ditto
    assert item.level in LEVELS, item.level  # noqa: S101 - ditto
    return replace(item, title=printable(item.title), detail=tuple(printable(d) for d in item.detail))
