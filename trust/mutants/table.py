# SPDX-License-Identifier: GPL-2.0-only
"""
The results of a run as Markdown: a row a kind of mutation, a column a verdict.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from . import judging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Result = Mapping[str, object]

_HEADS = {
    judging.BY_CHECK: "a check fails",
    judging.BY_DIFF: "diff says what changes",
    judging.UNCHANGED: "no change, and none there is",
    judging.NAMED: "not judged, and named",
    judging.OUTSIDE: "judged by nothing",
    judging.REFUSED: "does not compile",
    judging.SURVIVOR: "slips through",
    judging.FALSE_ALARM: "false alarm",
    judging.WRONG: "other fault",
}


def markdown(results: Sequence[Result]) -> str:
    """Return the tables of *results*."""
    lines = _table("kind of mutation", results, lambda r: str(r["kind"]))
    lines += ["", *_table("made of", results, lambda r: f"{r['origin']}, {'two' if r['second'] else 'one'} at a time")]
    proofs = Counter(str(r["opinion"]).partition(":")[0] for r in results if r["verdict"] == judging.UNCHANGED)
    lines += [
        "",
        "| why there is no change | mutants |",
        "|---|---:|",
        *(f"| {p} | {n} |" for p, n in proofs.most_common()),
    ]
    return "\n".join(lines) + "\n"


def _table(head: str, results: Sequence[Result], of: Callable[[Result], str]) -> list[str]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(of(result), []).append(result)
    lines = [f"| {head} | mutants | {' | '.join(_HEADS.values())} |", f"|---|---:|{'---:|' * len(_HEADS)}"]
    lines += [_row(name, groups[name]) for name in sorted(groups)]
    return [*lines, _row("**all**", results)]


def _row(name: str, results: Iterable[Result]) -> str:
    counts = Counter(r["verdict"] for r in results)
    return f"| {name} | {counts.total()} | {' | '.join(str(counts[v] or '') for v in _HEADS)} |"
