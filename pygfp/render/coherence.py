# SPDX-License-Identifier: GPL-2.0-only
"""
The tables of a tree against its header: for people, as JSON, and as items for the other formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..explaining.cubes import phrase
from . import json as common
from .items import Item, Items, gathered
from .style import count, folded, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..cohering.values import Answer, Coherence, Table
    from .style import Style


def text(report: Coherence, style: Style) -> str:
    """Return *report* as text: what is wrong, then a line a table, then the verdict."""
    lines = [heading(report)]
    for table in report.tables:
        lines += _findings(report, table, style)
    if not style.quiet:
        lines.append("")
        lines += [_table(report, table, style) for table in report.tables]
        lines += folded(f"note: {note}" for note in report.notes)
    lines.append(_coloured(report, style))
    return "\n".join(lines) + "\n"


def heading(report: Coherence) -> str:
    """Return what was compared."""
    source = report.source
    what = "bundled subset" if source.kind == "bundled" else printable(source.label)
    release = source.release or "release not known"
    return f"pygfp coherence: {what}, {release}, {count(len(report.configs), 'configuration')}, {report.compiler}"


def _findings(report: Coherence, table: Table, style: Style) -> Iterable[str]:
    if table.error:
        yield ""
        yield from folded([f"{style.status('error', 'ERROR')} {table.file}: {table.title}: {table.error}"])
    for finding in (f for f in report.findings if f.table == table.name):
        yield ""
        problem = style.status("fail", finding.problem.upper())
        yield f"{problem} {finding.file}:{finding.line}: {printable(finding.flag) or 'a row without a name'}"
        yield from folded([f"  {printable(finding.message)}"])
        words = phrase(finding.configs, report.configs)
        if words:
            yield f"  {words}"


def _table(report: Coherence, table: Table, style: Style) -> str:
    findings = [f for f in report.findings if f.table == table.name]
    if table.absent:
        return f"  {style.status('absent', 'absent')}  {table.file}: {table.title}: {table.absent}"
    if table.error:
        return f"  {style.status('error', 'error '[:6])}  {table.file}: {table.title}"
    status = "fail" if findings else "pass"
    said = count(len(findings), "finding") if findings else "agrees with the header"
    return f"  {style.status(status)}    {table.file}: {table.title}, {count(table.rows, 'row')}: {said}"


def _coloured(report: Coherence, style: Style) -> str:
    status = {0: "pass", 1: "fail", 3: "error"}[report.exit_status]
    word, _, rest = verdict(report).partition(":")
    return f"{style.status(status, word)}:{rest}"


def verdict(report: Coherence) -> str:
    """Return the verdict in a line."""
    failed = sum(bool(t.error) for t in report.tables)
    absent = sum(bool(t.absent) for t in report.tables)
    parts = [
        count(len(report.findings), "finding") if report.findings else "",
        f"{count(len(report.tables) - failed - absent, 'table')} compared",
        f"{failed} could not be" if failed else "",
        f"{absent} not there" if absent else "",
    ]
    word = {0: "PASS", 1: "FAIL", 3: "COULD NOT BE CHECKED"}[report.exit_status]
    return f"{word}: {', '.join(filter(None, parts))}"


def json(report: Coherence) -> str:
    """Return *report* as a JSON object with a newline at the end."""
    return common.dump(
        {
            "schema": "pygfp.coherence/1",
            "source": common.source(report.source),
            "exit": report.exit_status,
            "compiler": report.compiler,
            "configs": len(report.configs),
            "tables": [
                {
                    "table": t.name,
                    "title": t.title,
                    "file": t.file,
                    "rows": t.rows,
                    "status": "absent" if t.absent else "error" if t.error else "compared",
                    "message": t.absent or t.error or None,
                }
                for t in report.tables
            ],
            "findings": [
                {
                    "id": f.id,
                    "table": f.table,
                    "flag": f.flag,
                    "problem": f.problem,
                    "config": f.configs[0],
                    "configs": list(f.configs),
                    "file": f.file,
                    "line": f.line,
                    "message": f.message,
                }
                for f in report.findings
            ],
            "asked": len(report.answers),
            "notes": list(report.notes),
        }
    )


def items(report: Coherence) -> Items:
    """Return *report* as the common value of the formats for machines: every question about every name is an item."""
    answers = [_item(report, a) for a in report.answers]
    return gathered(
        "coherence",
        heading=heading(report),
        items=[*answers, *(_of_table(t) for t in report.tables if t.absent or t.error)],
        verdict=verdict(report),
        notes=report.notes,
    )


def _item(report: Coherence, answer: Answer) -> Item:
    base = Item(answer.id, answer.flag, answer.table, "fail" if answer.problem else "pass")
    if not answer.problem:
        return base
    words = phrase(answer.configs, report.configs)
    return Item(
        answer.id,
        answer.flag,
        answer.table,
        "fail",
        "error",
        answer.file,
        answer.line,
        f"{answer.flag}: {answer.problem}: {answer.message}",
        (words,) if words else (),
    )


def _of_table(table: Table) -> Item:
    name = f"{table.name}.table"
    if table.absent:
        return Item(name, table.name, table.name, "skip", file=table.file, title=f"{table.title}: {table.absent}")
    title = f"could not be checked: {table.title}: {table.error}"
    return Item(name, table.name, table.name, "error", "error", table.file, title=title)
