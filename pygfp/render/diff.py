# SPDX-License-Identifier: GPL-2.0-only
"""
The report of ``pygfp diff``: for people, a line a change for editors and mail bots, and as JSON.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ..report import check_id
from . import json as common
from . import wording
from .style import configurations, count, folded, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..changes import Change, DiffReport, Example
    from ..report import SourceInfo
    from .style import Style

_TITLES = {
    "helper": "Helpers",
    "composite": "Composites",
    "flag": "Flags",
    "layout": "Layout",
    "config": "Configurations",
}
_COLOURS = {"added": "pass", "removed": "fail", "changed": "undecided", "moved": "undecided", "broken": "fail"}


def text(report: DiffReport, *, style: Style) -> str:
    """Return *report* as text; of a quiet run only a line for each change, and nothing where nothing changes."""
    if style.quiet:
        return "".join(f"{line}\n" for line in _terse(report))
    lines = list(heading(report))
    for kind, title in _TITLES.items():
        found = [c for c in report.changes if c.kind == kind]
        if found:
            lines += ["", title, *(line for c in found for line in _change(c, style))]
    lines += _broken(report, style)
    if report.problems:
        lines += ["", style.status("error", "Could not be compared")]
        lines += folded((f"  {_place(p.file, p.line)}{p.text}" for p in report.problems), "    ")
    lines += ["", *folded(f"note: {note}" for note in (*report.warnings, *report.notes))]
    if style.verbose and report.timings:
        lines += ["timings: " + ", ".join(f"{k.removesuffix('_s')} {v:.3f} s" for k, v in report.timings.items())]
    status, word, rest = verdict(report)
    lines.append(style.status(status, word) + rest)
    return "\n".join(lines) + "\n"


def _terse(report: DiffReport) -> Iterable[str]:
    """``file:line: LEVEL: text``, as checkpatch prints it and as editors read it."""
    for group in wording.groups(report.broken):
        one = group[0]
        name = check_id(one.kind, one.subject, wording.aspect(one))
        yield f"{one.file or report.new.label}:{one.line or 0}: ERROR: {name}: {_one_line(one.message)}"
    for problem in report.problems:
        yield f"{problem.file or report.new.label}:{problem.line or 0}: ERROR: not compared: {_one_line(problem.text)}"
    for change in report.changes:
        level = "ERROR" if change.change == "broken" else "WARNING"
        place = f"{change.file or report.new.label}:{change.line or 0}"
        yield f"{place}: {level}: {change.subject}: {_one_line(change.text)}"


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


def heading(report: DiffReport) -> Iterable[str]:
    """Return what was compared with what, and how, in two lines."""
    yield f"pygfp diff: {_source(report.old)}"
    compiled = ""
    if report.compiler:
        configs = " and ".join(map(str, dict.fromkeys(report.n_configs)))
        compiled = f"; {configs} configurations, {report.compiler}"
    yield f"        to: {_source(report.new)}{compiled}"


def _source(info: SourceInfo) -> str:
    what = "bundled subset" if info.kind == "bundled" else printable(info.label)
    return f"{what}, {info.release or 'release not known'}"


def _place(file: str | None, line: int | None) -> str:
    return f"{file}:{line}: " if line else f"{file}: " if file else ""


def _change(change: Change, style: Style) -> Iterable[str]:
    way = style.status(_COLOURS[change.change], f"{change.change:<7}")
    yield f"  {way}  {_place(change.file, change.line)}{change.subject}"
    # The way is in front of the place already.
    parts = wording.split(change.text.removeprefix(change.change).lstrip(":;, "))
    yield from folded((f"    {part}" for part in parts if part), "      ")
    yield from (f"    {line}" for line in evidence(change))


def evidence(change: Change) -> Iterable[str]:
    """Return how many inputs differ, where, and the smallest of them, a line each."""
    if change.inputs > 1:
        where = f" ({configurations(list(change.configs))})" if len(change.configs) > 1 else ""
        yield f"{change.differing:,} of {count(change.inputs, 'input')} differ{where}"
    if change.smallest:
        example = change.smallest
        moved = "" if example.input == example.input_old else f"  ({example.input_old:#x} before)"
        yield f"  smallest  {example.input:#x}  {example.input_names}{moved}"
        yield f"  old       {example.old}  {example.old_names}".rstrip()
        yield f"  new       {example.new}  {example.new_names}".rstrip()


def _broken(report: DiffReport, style: Style) -> Iterable[str]:
    if not report.broken:
        return
    yield ""
    yield style.status("fail", "Fails on the new side, and did not on the old one")
    for group in wording.groups(report.broken):
        one = group[0]
        yield f"  {_place(one.file, one.line)}{check_id(one.kind, one.subject, wording.aspect(one))}"
        yield from folded((f"    {part}" for part in wording.statements(one)), "      ")
        configs = [config for check in group for config in check.configs]
        if len(configs) > 1:
            yield f"    in {configurations(configs)}"


def verdict(report: DiffReport) -> tuple[str, str, str]:
    """Return the verdict: the status whose colour it has, the word, and the rest."""
    status = report.exit_status()
    if report.identical:
        return "pass", "NO CHANGE", ": the watched files are the same, byte for byte; nothing was compiled"
    if status == 0:
        n = len(report.compared)
        said = f"no change in meaning of {report.compared[0] if n == 1 else f'{n} helpers, composites and flags'}"
        return "pass", "NO CHANGE", f": {said}; {report.domain}"
    not_compared = f"{len(report.problems)} not compared" if report.problems else ""
    if status == 1:
        ways = Counter(change.change for change in report.changes)
        n_broken = len(wording.groups(report.broken))
        broken = f"{count(n_broken, 'check')} {'fails' if n_broken == 1 else 'fail'} that did not" if n_broken else ""
        said = ", ".join(filter(None, [*(f"{n} {way}" for way, n in ways.items()), broken, not_compared]))
        return "fail", "CHANGED", f": {said}; {report.domain}"
    return "error", "COULD NOT BE COMPARED", f": {not_compared or 'nothing was compared'}"


def json(report: DiffReport) -> str:
    """Return *report* as a JSON object with a newline at the end."""
    value = {
        "schema": "pygfp.diff/1",
        # What every report says of a source: here, the one that was changed to.
        "source": common.source(report.new),
        "old": common.source(report.old),
        "new": common.source(report.new),
        "exit": report.exit_status(),
        "compiler": report.compiler,
        "configs": list(report.n_configs),
        "domain": report.domain,
        "identical": report.identical,
        "changes": [_change_json(c) for c in report.changes],
        "problems": [{"subject": p.subject, "file": p.file, "line": p.line, "text": p.text} for p in report.problems],
        "broken": [{"id": c.id, "file": c.file, "line": c.line, "message": c.message} for c in report.broken],
        "compared": list(report.compared),
        "notes": [*report.warnings, *report.notes],
        "timings": report.timings,
    }
    return common.dump(value)


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "subject": change.subject,
        "kind": change.kind,
        "change": change.change,
        "aspect": change.aspect,
        "config": change.config,
        "configs": list(change.configs),
        "inputs": change.inputs,
        "differing": change.differing,
        "flags": change.flags,
        "smallest": _example_json(change.smallest),
        "file": change.file,
        "line": change.line,
        "text": change.text,
    }


def _example_json(example: Example | None) -> dict[str, str] | None:
    if example is None:
        return None
    return {
        "input": hex(example.input),
        "input_old": hex(example.input_old),
        "input_names": example.input_names,
        "old": example.old,
        "old_names": example.old_names,
        "new": example.new,
        "new_names": example.new_names,
    }
