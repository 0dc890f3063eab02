# SPDX-License-Identifier: GPL-2.0-only
"""
The filters of every known era, compiled on the bundled headers.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import releases, sources
from ..config import Selection
from ..model.eras import ERAS
from ..model.helpers import WANTED
from ..model.policy import Policy
from ..native.expressions import Expression, compiled
from ..native.trace import trace_order
from ..reduce import reduce
from ..report import info
from ..sites.values import INPUT
from .claims import claimed, claims
from .places import settled
from .report import Filter, NestedReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model.eras import Era
    from ..sources import Source
    from .report import Claim


def history(jobs: int | None = None, on_command: Callable[[str], None] | None = None) -> NestedReport:
    """Return the filters of every known era, each judged on a layout that has its flags. Needs no kernel tree."""
    started = time.monotonic()
    found: dict[str, Filter] = {}
    made_claims: list[Claim] = []
    report = None
    for atomic in (True, False):
        source = _historic(atomic=atomic)
        filters = [_era_filter(e) for e in ERAS if e.atomic == atomic]
        asked = list(claims(source, filters))
        row = releases.newest()
        with compiled(
            source,
            Selection(),
            WANTED,
            [*(f.expression for f in filters), *(c.expression for c in asked)],
            jobs=jobs,
            on_command=on_command,
        ) as made:
            results = reduce(made, row, Policy())
            order, _ = trace_order(source, row, made.session.build.flag_symbols)
            order = [*order, *(["__GFP_ATOMIC"] if atomic else [])]
            found |= {f.name: settled(f, made, results) for f in filters}
            made_claims += [claimed(c, made, results, order) for c in asked]
            report = (made.session.compiler, len(made.session.build.segments), tuple(order))
    assert report is not None  # noqa: S101 - the loop above runs
    eras = tuple(found[_era_name(e)] for e in ERAS)
    return NestedReport(
        info(sources.bundled(), releases.newest()),
        eras,
        (),
        tuple(made_claims),
        report[0],
        report[1],
        max((r.inputs for f in eras for r in f.reduced), default=0),
        report[2],
        history=True,
        notes=("eras that began before 6.3 are judged with bit 9 as the flag that it was then, ATOMIC",),
        timings={"total_s": round(time.monotonic() - started, 3)},
    )


def _historic(*, atomic: bool) -> Source:
    """The bundled subset with the historic filters at its end, and with ATOMIC where that was a flag."""
    bundled = sources.bundled()
    root = sources.csrc() / "history"
    files = dict(bundled.files)
    types, gfp = "include/linux/gfp_types.h", "include/linux/gfp.h"
    if atomic:
        files[types] = _before_guard(files[types], (root / "atomic.h").read_bytes())
    files[gfp] = _before_guard(files[gfp], (root / "filters.h").read_bytes())
    return replace(bundled, kind="tree", files=files)


def _before_guard(text: bytes, more: bytes) -> bytes:
    head, guard, tail = text.rpartition(b"#endif")
    return head + more + guard + tail


def _era_name(era: Era) -> str:
    return f"{era.place}, {era.releases}"


def _era_filter(era: Era) -> Filter:
    text = (sources.csrc() / "history/filters.h").read_text()
    line = text[: text.index(f" {era.function}(")].count("\n") + 1
    return Filter(
        _era_name(era),
        era.place,
        era.releases,
        "csrc/history/filters.h",
        line,
        f"{era.function}()",
        Expression(f"{era.function}({INPUT})"),
        known=era.breaks,
    )
