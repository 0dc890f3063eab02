# SPDX-License-Identifier: GPL-2.0-only
"""
``pygfp coherence``: the hand-copied GFP tables of a tree against its header, in every configuration.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .cohering import copy, names, perf, texts
from .cohering.values import Coherence, Table, gathered
from .extract import WHOLE
from .model.helpers import WANTED
from .native import trace
from .native.evaluate import enumerators
from .native.tables import of_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .cohering.values import Sighting
    from .config import Assignment, Selection
    from .flags import FlagTable
    from .sources import Source


def coherence(source: Source, selection: Selection, on_command: Callable[[str], None] | None = None) -> Coherence:
    """
    Return what the tables of *source* say of its flags, and whether that is so.

    :raises PygfpError: it cannot be read, or its header does not compile
    """
    more = texts.more(source)
    tables = of_source(source, selection, WANTED, on_command)
    configs = list(tables.configs)
    found: list[Table] = []
    sightings: list[Sighting] = []
    notes = list(tables.notes)
    for part, seen, said in _parts(source, more, configs, on_command):
        found += part
        sightings += seen
        notes += said
    return Coherence(
        source=tables.info,
        compiler=tables.compiler,
        configs=tuple(a for a, _ in configs),
        tables=tuple(found),
        answers=tuple(gathered(sightings)),
        notes=tuple(notes),
    )


def _parts(
    source: Source,
    more: dict[str, bytes],
    configs: list[tuple[Assignment, FlagTable]],
    on_command: Callable[[str], None] | None,
) -> Iterable[tuple[list[Table], list[Sighting], list[str]]]:
    header = source.files.get(trace.TABLE)
    if header is None:
        yield [Table("printk", "the tables of %pGg and of trace events", trace.TABLE, absent=_NOT_THERE)], [], []
    else:
        named = _enumerators(source, configs, on_command)
        yield names.compare(header, more.get(texts.DEBUG), configs, named, on_command)
    if texts.PERF in more:
        table, seen = perf.compare(more[texts.PERF], configs)
        yield [table], seen, []
    else:
        yield [Table("perf", "the short names of perf kmem", texts.PERF, absent=_NOT_THERE)], [], []
    if texts.COPY in more:
        table, seen = copy.compare(source.files, more[texts.COPY], configs, on_command)
        yield [table], seen, []
    else:
        yield [Table("tools", "the copy of gfp_types.h for tools", texts.COPY, absent=_NOT_THERE)], [], []


_NOT_THERE = "it is not in this source"


def _enumerators(
    source: Source, configs: list[tuple[Assignment, FlagTable]], on_command: Callable[[str], None] | None
) -> dict[str, set[str]]:
    """For each flag the enumerators that its definition names; none where flags are numbers."""
    header = source.files.get(WHOLE[0])
    flags = sorted({flag for _, table in configs for flag in table.flags})
    if header is None or not re.search(rb"\benum\b", header):
        return {}
    everything_on = configs[-1][0]
    return enumerators(header, WHOLE[0], flags, everything_on, on_command)
