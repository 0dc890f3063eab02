# SPDX-License-Identifier: GPL-2.0-only
"""
The short names of ``perf kmem`` against the header: every flag has one, and no two have the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .names import initializer
from .texts import PERF
from .values import Sighting, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..config import Assignment
    from ..flags import FlagTable

    # Name, short name and line.
    _Row = tuple[str, str, int]

_ARRAY = b"gfp_compact_table"
_PAIR = re.compile(r'\{\s*"([^"]*)"\s*,\s*"([^"]*)"\s*,?\s*\}')
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_NAME = "perf"


def compare(text: bytes, tables: Sequence[tuple[Assignment, FlagTable]]) -> tuple[Table, list[Sighting]]:
    """
    Return the table, and what was asked of it.

    :param text: ``tools/perf/builtin-kmem.c``
    :param tables: the flags of the header in every configuration
    """
    title = "the short names of perf kmem"
    found = initializer(text, _ARRAY)
    if found is None:
        return Table(_NAME, title, PERF, error=f"no array {_ARRAY.decode()} can be read in it"), []
    inside, start = found
    plain = _COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), inside)
    rows = [(m[1], m[2], start + plain.count("\n", 0, m.start())) for m in _PAIR.finditer(plain)]
    if not rows:
        return Table(_NAME, title, PERF, error=f"no pair of names can be read in {_ARRAY.decode()}"), []
    sightings = [s for config, table in tables for s in _flags(rows, start, config, table)]
    sightings += list(_rows(rows, tables))
    return Table(_NAME, title, PERF, rows=len(rows)), sightings


def _flags(rows: Sequence[_Row], start: int, config: Assignment, table: FlagTable) -> Iterator[Sighting]:
    """Every flag that is set in a configuration has a row, under its name or that of a composite with its value."""
    named = {table.masks[name] for name, _, _ in rows if name in table.masks}
    for flag, mask in table.flags.items():
        if mask in named:
            yield Sighting(_NAME, flag, "named", config, file=PERF, line=start)
        else:
            message = "perf kmem has no short name for it, and leaves it out of what it shows"
            yield Sighting(_NAME, flag, "named", config, "missing", PERF, start, message)


def _rows(rows: Sequence[_Row], tables: Sequence[tuple[Assignment, FlagTable]]) -> Iterator[Sighting]:
    known = {name for _, table in tables for name in table.masks}
    everywhere = tables[0][0]
    by_name: dict[str, int] = {}
    by_code: dict[str, str] = {}
    for name, code, line in rows:
        for config, _ in tables:
            if name in known:
                yield Sighting(_NAME, name, "known", config, file=PERF, line=line)
            else:
                message = "perf kmem has a short name for it, and the header does not define it"
                yield Sighting(_NAME, name, "known", config, "extra", PERF, line, message)
        problem = ""
        if name in by_name:
            problem = f"it stands in the table twice, first in line {by_name[name]}"
        elif code in by_code:
            problem = f"its short name {code} is that of {by_code[code]} as well"
        by_name.setdefault(name, line)
        by_code.setdefault(code, name)
        for config, _ in tables if problem else [(everywhere, None)]:
            yield Sighting(_NAME, name, "unique", config, "ambiguous" if problem else "", PERF, line, problem)
