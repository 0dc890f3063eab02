# SPDX-License-Identifier: GPL-2.0-only
"""
The report of ``pygfp nested``: filters against laws, chains, claims.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..model.laws import LAWS
from ..nesting.report import CALLER, named
from . import json as common
from .style import count, folded, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..nesting.report import Chain, Filter, NestedReport
    from ..reduce import Breach, Reduced
    from .style import Style


def text(report: NestedReport, *, style: Style) -> str:
    """Return *report* as text."""
    lines = [_heading(report), ""]
    lines += _table(report, style)
    for one in report.filters:
        if one.error or (one.breaks and not one.forwards):
            lines += ["", *_problem(one, report, style)]
    if report.chains and not style.quiet:
        lines += ["", f"Chains, shown for a caller with {CALLER}"]
        for chain in report.chains:
            lines += _chain(chain, style)
    lines += ["", *_claims(report, style)]
    if not style.quiet:
        lines += folded(f"note: {note}" for note in report.notes)
        lines += _explained(report) if style.verbose else []
    lines.append(_verdict(report, style))
    return "\n".join(lines) + "\n"


def _heading(report: NestedReport) -> str:
    source = report.source
    if report.history:
        return (
            f"pygfp nested: the filters of every known era, on pygfp's own layout of {source.reference}, "
            f"{count(report.n_configs, 'configuration')}, {report.compiler}"
        )
    what = "bundled subset" if source.kind == "bundled" else printable(source.label)
    return (
        f"pygfp nested: {what}, {source.release or 'release not known'}, reference {source.reference} "
        f"({source.reference_version}), {count(report.n_configs, 'configuration')}, {report.compiler}"
    )


def _short(names: list[str]) -> str:
    rest = [n.removeprefix("__GFP_") for n in names]
    if {"DIRECT_RECLAIM", "KSWAPD_RECLAIM"} <= set(rest):
        at = rest.index("DIRECT_RECLAIM")
        rest = [r for r in rest if r not in {"DIRECT_RECLAIM", "KSWAPD_RECLAIM"}]
        rest.insert(min(at, len(rest)), "RECLAIM")
    return " ".join(rest) or "nothing"


def _table(report: NestedReport, style: Style) -> Iterable[str]:
    """The filters, numbered, and the laws against their numbers."""
    judged = [f for f in report.filters if not f.error and not f.forwards]
    number = 0
    for one in report.filters:
        number += one in judged
        yield from _row(one, f"[{number}]" if one in judged else "[-]", report, style)
    if not judged:
        return
    yield ""
    width = max(len(law.id) for law in LAWS)
    yield " " * (width + 2) + "".join(f"{f'[{n}]':<5}" for n in range(1, len(judged) + 1)).rstrip()
    for law in LAWS:
        marks = [(style.status("fail", "NO"), "NO") if f.breach(law.id) else ("yes", "yes") for f in judged]
        shown = "".join(coloured + " " * (5 - len(plain)) for coloured, plain in marks)
        yield f"{law.id:<{width}}  {shown}".rstrip()


def _row(one: Filter, number: str, report: NestedReport, style: Style) -> Iterable[str]:
    place = "" if report.history else f"  {one.file}:{one.line}"
    shown = one.shown
    if one.error or shown is None:
        yield f"{number:<5}{one.name}{place}: {style.status('error', 'could not be checked')}"
        return
    if one.forwards:
        yield f"{number:<5}{one.name}{place}"
        yield "       hands the caller's mask on as it is; what filters it is behind it"
        return
    era = "" if report.history else f"  (as in {one.era})" if one.era else "  (as in no release that is known)"
    yield f"{number:<5}{one.name}{place}{era}"
    if shown.form is None:
        yield "       is no filter of keep, drop and force: judged by a sweep of every input"
    else:
        yield f"       keep {{{_short(shown.keep)}}}  force {{{_short(shown.force)}}}"
    broken = style.status("fail", f"breaks {', '.join(one.breaks)}") if one.breaks else "breaks nothing"
    yield f"       {broken}"


def _problem(one: Filter, report: NestedReport, style: Style) -> Iterable[str]:
    yield f"{one.file}:{one.line}: {one.name}"
    if one.error:
        yield f"  {style.status('error', 'could not be checked')}: {one.error}"
        yield f"  in: {printable(one.text)}"
        return
    for law in LAWS:
        breach = one.breach(law.id)
        if breach is None:
            continue
        broken, configs = one.configs(law.id)
        where = "" if broken == configs else f" (in {broken} of {count(configs, 'configuration')})"
        yield from folded([f"  {law.id}{where}: {law.text}. Where that does not hold, {law.why}."], "    ")
        x, y = _witness(one, breach, report)
        yield f"    smallest  {breach.smallest:#x}  {x}"
        yield f"    actual    {breach.result:#x}  {y}"


def _witness(one: Filter, breach: Breach, report: NestedReport) -> tuple[str, str]:
    reduced = next(r for r in one.reduced if breach in r.breaches)
    table = replace(reduced.table, trace_order=report.order)
    return named(table, breach.smallest), named(table, breach.result)


def _chain(chain: Chain, style: Style) -> Iterable[str]:
    whole = chain.whole
    if whole.error:
        yield f"{style.status('error', 'UNKNOWN')}  {whole.name}: {whole.error}"
        return
    status = style.status("fail", "BREAKS") + " " if whole.breaks else style.status("pass", "holds") + "  "
    yield f"{status}  {whole.name}"
    width = max(len(name) for name, _, _ in chain.steps)
    for name, mask, names in chain.steps:
        yield f"         {name:<{width}}  {mask:#10x}  {names}"
    if whole.breaks:
        yield f"         the chain breaks {', '.join(whole.breaks)}"


def _claims(report: NestedReport, style: Style) -> Iterable[str]:
    """Claims of one kind in one line where they all hold."""
    for claim_id in dict.fromkeys(c.id for c in report.claims):
        group = [c for c in report.claims if c.id == claim_id]
        good = [c for c in group if c.holds]
        if good:
            said = "every filter above" if len(good) == len(group) else ", ".join(c.subject for c in good)
            yield from folded([f"{style.status('pass', 'holds')}    {claim_id}: {good[0].text} ({said})"], " " * 9)
        for claim in group:
            if claim.holds is False:
                yield f"{style.status('fail', 'BREAKS')}   {claim_id}: not so for {claim.subject}: {claim.text}"
                yield f"         differs on {claim.witness}"
            elif claim.holds is None:
                yield from folded(
                    [f"{style.status('error', 'UNKNOWN')}  {claim_id}, {claim.subject}: {claim.text}"], " " * 9
                )


def _explained(report: NestedReport) -> Iterable[str]:
    yield "The laws, each for every input x and the result f(x):"
    for law in LAWS:
        yield from folded([f"  {law.id}: {law.text}"], "    ")
    yield from (f"timings: {k.removesuffix('_s')} {v:.3f} s" for k, v in report.timings.items())


def _verdict(report: NestedReport, style: Style) -> str:
    domain = f"every value of the defined bits ({report.inputs:,} inputs)"
    own = [f for f in report.filters if not f.forwards]
    broken = sum(bool(f.breaks) for f in own)
    failed = sum(bool(f.error) for f in report.filters)
    status = report.exit_status()
    if report.history and status == 0:
        return (
            f"{style.status('pass', 'AS KNOWN')}: {broken} of {count(len(own), 'era')} break laws, each exactly "
            f"those that it is known for; {domain}"
        )
    if report.history and status == 1:
        return f"{style.status('fail', 'NOT AS KNOWN')}: an era breaks other laws than it is known for; {domain}"
    if status == 1:
        return f"{style.status('fail', 'BROKEN')}: {broken} of {count(len(own), 'filter')} break a law; {domain}"
    if status == 0:
        return (
            f"{style.status('pass', 'ALL HOLD')}: {count(len(own), 'filter')} and {count(len(LAWS), 'law')}; {domain}"
        )
    open_ = sum(bool(c.whole.error) for c in report.chains), sum(c.holds is None for c in report.claims)
    said = [
        f"{failed} of {count(len(report.filters), 'filter')}" if failed else "",
        *(f"{n} {what}{'s' * (n > 1)}" for n, what in zip(open_, ("chain", "claim"), strict=True) if n),
    ]
    what = ", ".join(filter(None, said)) or "there is no filter to judge"
    return f"{style.status('error', 'COULD NOT BE CHECKED')}: {what}"


def json(report: NestedReport) -> str:
    """Return *report* as a JSON object with a newline at the end."""
    return common.dump(
        {
            "schema": "pygfp.nested/1",
            "source": common.source(report.source),
            "exit": report.exit_status(),
            "compiler": report.compiler,
            "configs": report.n_configs,
            "history": report.history,
            "filters": [_filter_json(f, report) for f in report.filters],
            "chains": [
                {
                    **_filter_json(c.whole, report),
                    "steps": [{"name": n, "value": hex(m), "names": names} for n, m, names in c.steps],
                }
                for c in report.chains
            ],
            "claims": [
                {"id": c.id, "subject": c.subject, "holds": c.holds, "text": c.text, "witness": c.witness or None}
                for c in report.claims
            ],
            "notes": list(report.notes),
            "timings": report.timings,
        }
    )


def _filter_json(one: Filter, report: NestedReport) -> dict[str, Any]:
    shown = one.shown
    return {
        "name": one.name,
        "era": one.era or None,
        "file": one.file,
        "line": one.line,
        "keep": shown.keep if shown else [],
        "drop": shown.drop if shown else [],
        "force": shown.force if shown else [],
        "forwards": one.forwards,
        "inputs": shown.inputs if shown else 0,
        "laws": {law.id: _law_json(one, law.id, report) for law in LAWS} if not one.error else {},
        "breaks": list(one.breaks),
        "configs": [_config_json(r) for r in one.reduced],
        "error": one.error or None,
        "text": one.text,
    }


def _config_json(reduced: Reduced) -> dict[str, Any]:
    return {
        "config": reduced.config,
        "keep": reduced.keep,
        "force": reduced.force,
        "breaks": [b.law.id for b in reduced.breaches],
    }


def _law_json(one: Filter, law: str, report: NestedReport) -> dict[str, Any]:
    breach = one.breach(law)
    if breach is None:
        return {"holds": True, "smallest": None}
    x, y = _witness(one, breach, report)
    return {
        "holds": False,
        "why": breach.law.why,
        "smallest": {
            "input": hex(breach.smallest),
            "input_names": x,
            "expected": breach.law.text,
            "actual": hex(breach.result),
            "actual_names": y,
        },
    }
