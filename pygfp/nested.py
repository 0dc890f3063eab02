# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp nested``: the filters of nested allocations in a source against the laws.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import releases
from .model.helpers import WANTED
from .model.policy import Policy
from .native.expressions import compiled
from .native.trace import trace_order
from .nesting.claims import claimed, claims
from .nesting.places import PLACES, chains, composed, helpers, settled, shown, sites
from .nesting.report import NestedReport
from .reduce import reduce
from .report import info

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .config import Selection
    from .nesting.report import Filter
    from .sources import Source


@dataclass(frozen=True)
class Options:
    """
    What a user asked for.

    :ivar jobs: worker processes; None: one a core
    """

    jobs: int | None = None
    on_command: Callable[[str], None] | None = None
    on_progress: Callable[[int, int], None] | None = None


def nested(source: Source, selection: Selection, options: Options | None = None) -> NestedReport:
    """
    Return the filters of *source*, their chains, and the claims about them.

    :raises PygfpError: the source cannot be read or its headers do not compile
    """
    options = options or Options()
    started = time.monotonic()
    row = releases.reference(source.release)
    filters = [*helpers(source), *sites(source)]
    links = [(steps, composed(steps)) for steps in chains(filters)]
    asked = list(claims(source, [f for f in filters if not f.forwards]))
    wanted = [f.expression for f in (*filters, *(c for _, c in links)) if not f.error]
    with compiled(
        source,
        selection,
        WANTED,
        [*wanted, *(c.expression for c in asked)],
        jobs=options.jobs,
        on_command=options.on_command,
    ) as made:
        made.session.pool.on_progress = options.on_progress
        results = reduce(made, row, Policy())
        order, complaint = trace_order(source, row, made.session.build.flag_symbols)
        done = [settled(f, made, results) for f in filters]
        linked = tuple(shown(steps, settled(c, made, results), made, order) for steps, c in links)
        build = made.session.build
        return NestedReport(
            info(source, row),
            tuple(done),
            linked,
            tuple(claimed(c, made, results, order) for c in asked),
            made.session.compiler,
            len(build.segments),
            max((r.inputs for f in done for r in f.reduced), default=0),
            tuple(order),
            notes=(*build.notes, *complaint, *_absent(source, done), *_unused(selection, build.flag_symbols)),
            timings={"total_s": round(time.monotonic() - started, 3)},
        )


def _unused(selection: Selection, symbols: Sequence[str]) -> Iterable[str]:
    if not selection.complete:
        for symbol in selection.fixed:
            if symbol not in symbols:
                yield f"--set {symbol} changes nothing: no flag of this source depends on it"


def _absent(source: Source, filters: Sequence[Filter]) -> Iterable[str]:
    for path, place in PLACES.items():
        if path not in source.files:
            yield f"{path} is not in this source: {place} is not judged"
        elif not any(f.place == place and not f.forwards and f.file == path for f in filters):
            handed = [f for f in filters if f.place == place and f.forwards]
            passes = f"; it hands its caller's mask on ({', '.join(f.name for f in handed)})" if handed else ""
            yield f"{place} has no filter of its own in this source{passes}"
