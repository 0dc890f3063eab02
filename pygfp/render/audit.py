# SPDX-License-Identifier: GPL-2.0-only
"""
The report of ``pygfp audit``: sites by how likely each is a mole, and as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..audit import with_order
from ..nesting.report import named
from . import json as common
from .style import count, folded, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..audit import AuditReport, Finding
    from .style import Style

_TITLES = {
    0: "Named as nested, and not what a nested allocation needs",
    2: "A caller's mask, trimmed and given to an allocation: is it for records of its own?",
    3: "A caller's mask, changed and given to an allocation",
    4: "Other places that derive a mask",
    5: "Unknown: could not be reduced to keep, drop and force",
    6: "Equal to gfp_nested_mask()",
}
#: As many flags are spelled out as fit a line; more are counted.
_FEW = 12


def text(report: AuditReport, *, check: bool, style: Style) -> str:
    """Return *report* as text."""
    lines = [_heading(report)]
    ranks: dict[int, list[Finding]] = {}
    for one in report.findings:
        ranks.setdefault(0 if one.rank == 1 else one.rank, []).append(one)
    for rank, group in sorted(ranks.items()):
        if style.quiet and rank:
            continue
        lines += ["", f"{_TITLES[rank]} ({len(group)})"]
        for one in group:
            lines += _site(one, full=rank == 0 or style.verbose)
            lines += _breaches(one, report) if style.verbose else []
    lines.append("")
    for file, line, what in report.problems:
        lines += folded(
            [f"{style.status('error', 'not read')}: {printable(file)}{f':{line}' if line else ''}: {printable(what)}"]
        )
    if not style.quiet:
        lines += folded(f"note: {note}" for note in report.notes)
    if style.verbose:
        lines += ["timings: " + ", ".join(f"{k.removesuffix('_s')} {v:.3f} s" for k, v in report.timings.items())]
    lines.append(_verdict(report, style, check=check))
    return "\n".join(lines) + "\n"


def _heading(report: AuditReport) -> str:
    source = report.source
    since = f", lines changed since {printable(report.since)}" if report.since else ""
    return (
        f"pygfp audit: {printable(source.label)}, {source.release or 'release not known'}, reference "
        f"{source.reference} ({source.reference_version}), every flag on, {report.compiler}{since}"
    )


def _site(one: Finding, *, full: bool) -> Iterable[str]:
    site = one.site
    first = min(site.lines)
    place = f"{site.file}:{site.line}" + (f" (from line {first})" if first != site.line else "")
    yield f"  {printable(place)}: {site.function}(), {_what(one)}"
    for said in folded([printable(site.text)], "  "):
        yield f"      {said}"
    if one.nested == "unknown":
        yield f"      unknown: {printable(one.reason)}"
    elif one.nested == "equal":
        yield "      equal to gfp_nested_mask()"
    else:
        yield from (f"      {line}" for line in folded([_form(one)], "  "))
    if full and site.when:
        yield from (f"      {line}" for line in folded([f"when {' and '.join(printable(w) for w in site.when)}"], "  "))
    if full and one.suggests:
        yield f"      looks nested: {', '.join(one.suggests)}"
    if full and one.breaks:
        yield from (f"      {line}" for line in folded([f"breaks {', '.join(one.breaks)}"], "  "))


def _what(one: Finding) -> str:
    site = one.site
    target = {"return": "what it returns", "macro": "what it stands for"}.get(site.kind, site.variable)
    source = {
        "parameter": f"the caller's {site.source}",
        "constant": f"{site.source}, which starts as a constant",
        "unknown": f"{site.source}, as it is there",
    }.get(site.origin, site.source)
    goes = f", given to {site.callee}()" if site.callee and site.kind not in {"argument", "forward"} else ""
    return f"{printable(target)} from {printable(source)}{goes}"


def _form(one: Finding) -> str:
    reduced = one.reduced
    if reduced is None:
        return ""
    force = f", force {{{_short(reduced.force)}}}" if reduced.force else ""
    if len(reduced.drop) < len(reduced.keep):
        drop = f"all but {{{_short(reduced.drop)}}}" if reduced.drop else "every other flag" if force else "every flag"
        return f"keep {drop}{force}"
    return f"keep {{{_short(reduced.keep)}}}{force}"


def _short(names: Sequence[str]) -> str:
    shown = [n.removeprefix("__GFP_") for n in names]
    more = f" and {len(shown) - _FEW} more" if len(shown) > _FEW + 1 else ""
    return " ".join(shown[:_FEW] if more else shown) + more


def _breaches(one: Finding, report: AuditReport) -> Iterable[str]:
    if one.reduced is None:
        return
    table = with_order(one.reduced.table, report.order)
    for breach in one.reduced.breaches:
        yield f"        {breach.law.id}: {breach.smallest:#x} {named(table, breach.smallest)}"
        yield f"          becomes {breach.result:#x} {named(table, breach.result)}"


def _verdict(report: AuditReport, style: Style, *, check: bool) -> str:
    unknown = sum(f.nested == "unknown" for f in report.findings)
    said = (
        f"{count(len(report.findings), 'site')} in {count(report.scanned_files, 'file')} read "
        f"({count(report.parsed_files, 'file')} with a candidate): {len(report.findings) - unknown} proven for every "
        f"one of {report.inputs:,} inputs, {unknown} unknown"
    )
    broken = sum(bool(f.breaks) for f in report.named)
    named_ = f"{broken} of those named as nested {'breaks' if broken == 1 else 'break'} a law"
    status = report.exit_status(check=check)
    word = {0: ("pass", "DONE"), 1: ("fail", "BROKEN"), 3: ("error", "COULD NOT BE CHECKED")}[status]
    return f"{style.status(*word)}: {said}; {named_}"


def json(report: AuditReport, *, check: bool) -> str:
    """Return *report* as a JSON object with a newline at the end."""
    return common.dump(
        {
            "schema": "pygfp.audit/1",
            "source": common.source(report.source),
            "exit": report.exit_status(check=check),
            "compiler": report.compiler,
            "since": report.since or None,
            "inputs": report.inputs,
            "sites": [_site_json(f) for f in report.findings],
            "scanned_files": report.scanned_files,
            "parsed_files": report.parsed_files,
            "unread": [{"file": f, "line": n or None, "message": what} for f, n, what in report.problems],
            "notes": list(report.notes),
            "timings": report.timings,
        }
    )


def _site_json(one: Finding) -> dict[str, Any]:
    site, reduced = one.site, one.reduced
    return {
        "file": site.file,
        "line": site.line,
        "end_line": site.end_line,
        "lines": list(site.lines),
        "function": site.function,
        "kind": site.kind,
        "variable": site.variable,
        "input": site.source,
        "origin": site.origin,
        "callee": site.callee or None,
        "when": list(site.when),
        "keep": reduced.keep if reduced else [],
        "drop": reduced.drop if reduced else [],
        "force": reduced.force if reduced else [],
        "nested": one.nested,
        "difference": dict(one.difference),
        "breaks": list(one.breaks),
        "suggests": list(one.suggests),
        "named_as_nested": bool(one.suggests),
        "reason": one.reason or None,
        "text": site.text,
    }
