# SPDX-License-Identifier: GPL-2.0-only
"""
What pygfp says of a mutant, and whether that is right.
"""

from __future__ import annotations

import re
import time
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from pygfp.check import Options as CheckOptions
from pygfp.check import check
from pygfp.config import Selection
from pygfp.diff import Options as DiffOptions
from pygfp.diff import diff
from pygfp.errors import PygfpError

from .oracle import LOOSE, TOKENS, UNREACHABLE, Oracle
from .tokens import applied

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from pygfp.changes import DiffReport
    from pygfp.report import Report

    from .kinds import Mutant
    from .tokens import Origin

#: Verdicts, in the order of the table. The last three are bugs of the harness.
BY_CHECK, BY_DIFF, UNCHANGED, REFUSED = "check", "diff", "no change", "does not compile"
NAMED, OUTSIDE = "named", "outside"
SURVIVOR, FALSE_ALARM, WRONG = "SURVIVOR", "FALSE ALARM", "WRONG"

# A name of which nothing is left stands at no line.
_PLACE = re.compile(r"\b(?:include|mm)/[\w/.]+\.[ch]:(?:\d+| \w+ is not defined here)")
_OFF = {"CONFIG_ZONE_DEVICE", "CONFIG_CMA", "CONFIG_MEMORY_ISOLATION", *UNREACHABLE}


class Judge:
    """
    Judges the mutants of one origin.

    A check in one configuration goes first, since most mutants fail there already; then a diff in every one.
    """

    def __init__(self, origin: Origin, workdir: Path, n_compiled: int = 16) -> None:
        """Check *origin* as it is; the oracle works in *workdir*, and compiles *n_compiled* configurations of each."""
        self.origin = origin
        self.oracle = Oracle(workdir, origin.subset.stubs, n_compiled)
        symbols = origin.names["symbol"]
        self.one = Selection({s: s not in _OFF for s in symbols})
        self.failing = {c.id for c in self._check(origin.source, self.one).checks if c.status == "fail"}

    @staticmethod
    def _check(source: object, selection: Selection) -> Report:
        return check(source, selection, CheckOptions(jobs=1))  # type: ignore[arg-type]

    def judge(self, number: int, mutant: Mutant) -> dict[str, Any]:
        """Return what becomes of *mutant*, as values for JSON."""
        started = time.monotonic()
        try:
            verdict, why, opinion = self._verdict(mutant)
        except Exception:  # noqa: BLE001 - whatever it is, it is a bug, and the next mutant is judged
            verdict, why, opinion = WRONG, traceback.format_exc()[-900:], ""
        said = {"verdict": verdict, "why": why, "opinion": opinion, "seconds": round(time.monotonic() - started, 2)}
        what = {"kind": mutant.kind, "second": mutant.second, "text": mutant.text}
        return {"origin": self.origin.name, "number": number, **what, **said}

    def _verdict(self, mutant: Mutant) -> tuple[str, str, str]:
        source = self.origin.source
        changed = replace(source, label="mutant", files=applied(source.files, mutant.edits))
        texts = applied(self.origin.slices, mutant.edits)
        try:
            report = self._check(changed, self.one)
            new = sorted({c.id for c in report.checks if c.status == "fail"} - self.failing)
            if new:
                return BY_CHECK, new[0], ""
            found = diff(source, changed, Selection(), DiffOptions(jobs=1))
        except PygfpError as exc:
            return self._refused(str(exc), texts)
        status = found.exit_status()
        if status == 1:
            opinion = self.oracle.compare(self.origin.slices, texts)
            change = found.changes[0]
            why = f"{change.kind} {change.subject} {change.change}: {change.text}"[:200]
            # A declared type, and the name of a value that is none of the documented ones, are nothing the oracle sees.
            seen = opinion.verdict != LOOSE and any(c.aspect != "signature" for c in found.changes)
            return (FALSE_ALARM if opinion.equal and seen else BY_DIFF), why, f"{opinion.verdict}: {opinion.why}"
        if status:
            return self._refused("; ".join(f"{p.file}:{p.line}: {p.text}" for p in found.problems), texts)
        return self._unchanged(found, mutant, texts)

    def _refused(self, message: str, texts: dict[str, bytes]) -> tuple[str, str, str]:
        opinion = self.oracle.compiles(texts, self.origin.slices)
        right = _PLACE.search(message) and not opinion.equal
        return (REFUSED if right else WRONG), message[:300], f"{opinion.verdict}: {opinion.why}"

    def _unchanged(self, found: DiffReport, mutant: Mutant, texts: dict[str, bytes]) -> tuple[str, str, str]:
        opinion = self.oracle.compare(self.origin.slices, texts)
        said = f"{opinion.verdict}: {opinion.why}"
        named = next((n for n in found.notes if "is not compared" in n), "")
        if not opinion.equal:
            return SURVIVOR, named, said
        if not mutant.outside or opinion.verdict == TOKENS:
            return UNCHANGED, named, said
        # What no verdict rests on: a function has to be named, a declaration or a macro does not.
        return (NAMED if named else WRONG if mutant.function else OUTSIDE), named, said
