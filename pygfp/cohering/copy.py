# SPDX-License-Identifier: GPL-2.0-only
"""
The copy of ``gfp_types.h`` that tools are built with against the header: the compiled values of both.
"""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING

from ..errors import BuildError
from ..extract import WHOLE
from ..native.evaluate import Group, evaluate, includes
from ..scan import scan
from ..sources import csrc
from .texts import COPY
from .values import Sighting, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..config import Assignment
    from ..flags import FlagTable

_NAME = "tools"
_TITLE = "the copy of gfp_types.h for tools"
_MASK = re.compile(r"(?:__)?GFP_\w+")
_UNDONE = re.compile(r"_{0,3}GFP_\w+|\w+_H_?|BIT")


def compare(
    files: Mapping[str, bytes],
    text: bytes,
    tables: Sequence[tuple[Assignment, FlagTable]],
    on_command: Callable[[str], None] | None = None,
) -> tuple[Table, list[Sighting]]:
    """
    Return the table, and what was asked of it.

    :param files: the header files of the source
    :param text: ``tools/include/linux/gfp_types.h``
    :param tables: the flags of the header in every configuration
    """
    header = files.get(WHOLE[0])
    if header is None:
        return Table(_NAME, _TITLE, COPY, error=f"there is no {WHOLE[0]} to compare it with"), []
    there, here = _macros(WHOLE[0], header), _macros(COPY, text)
    names = list(dict.fromkeys([*there, *here]))
    both = {WHOLE[0]: header, COPY: text}
    try:
        wanted = _values(both, WHOLE[0], names, tables, on_command)
        found, broken = _of_copy(both, names, tables, on_command)
    except BuildError as exc:
        return Table(_NAME, _TITLE, COPY, error=str(exc)), []
    # A file that only includes the header has no lines of its own.
    lines = here or dict.fromkeys(names, 1)
    sightings = []
    for (config, _), ours, theirs in zip(tables, wanted, found, strict=True):
        for name, one, other in zip(names, ours, theirs, strict=True):
            line = lines.get(name, 1)
            if name in broken:
                sightings.append(Sighting(_NAME, name, "value", config, "value", COPY, line, broken[name]))
            elif one is not None or other is not None:
                sightings.append(_judged(name, one, other, line, config))
    return Table(_NAME, _TITLE, COPY, rows=len(names)), sightings


def _macros(path: str, text: bytes) -> dict[str, int]:
    """Macros that are masks, or numbers of masks, and where each is first defined."""
    found: dict[str, int] = {}
    for d in scan(path, text).definitions:
        if d.kind == "macro" and d.parameters is None and _MASK.fullmatch(d.name):
            found.setdefault(d.name, d.line)
    return found


def _of_copy(
    both: Mapping[str, bytes],
    names: Sequence[str],
    tables: Sequence[tuple[Assignment, FlagTable]],
    on_command: Callable[[str], None] | None,
) -> tuple[list[list[int | None]], dict[str, str]]:
    """The values in the copy, and the names that do not compile there, with the message."""
    try:
        return _values(both, COPY, names, tables, on_command), {}
    except BuildError:
        broken = _broken(both, names, tables, on_command)
    usable = [n for n in names if n not in broken]
    values = [dict(zip(usable, v, strict=True)) for v in _values(both, COPY, usable, tables, on_command)]
    return [[found.get(n) for n in names] for found in values], broken


def _broken(
    both: Mapping[str, bytes],
    names: Sequence[str],
    tables: Sequence[tuple[Assignment, FlagTable]],
    on_command: Callable[[str], None] | None,
) -> dict[str, str]:
    """
    The names that do not compile in the copy, each with the message: what they are made of may be missing.

    :raises BuildError: not even the file does
    """
    _values(both, COPY, [], tables, on_command)
    found = {}
    for name in names:
        try:
            _values(both, COPY, [name], tables, on_command)
        except BuildError as exc:
            found[name] = f"it does not compile in the copy: {str(exc).rpartition(': ')[2]}"
    return found


def _values(
    both: Mapping[str, bytes],
    path: str,
    names: Sequence[str],
    tables: Sequence[tuple[Assignment, FlagTable]],
    on_command: Callable[[str], None] | None,
) -> list[list[int | None]]:
    """The value of each name in the file *path*, in each configuration; None where it does not define it."""
    undo = [line for text in both.values() for line in _undone(text)]
    groups = []
    for config, table in tables:
        defines = [f"#define {symbol} 1" for symbol, on in config.items() if on]
        width = f"typedef __UINT{table.gfp_t_bits}_TYPE__ gfp_t;"
        before = [*defines, width, f'#include "{path}"']
        groups.append(Group(before, [(n, n) for n in names], [*undo, *(f"#undef {s}" for s in config)]))
    included = {name for text in both.values() for name in includes(text)}
    stubs = [n for n in sorted(included) if not os.path.isfile(csrc() / "shim" / n)]
    return evaluate(groups, both, stubs=stubs, on_command=on_command)


@cache
def _undone(text: bytes) -> list[str]:
    """Lines that undo what a header defines, so that it can be read again in another configuration."""
    names = dict.fromkeys(d.name for d in scan(COPY, text).definitions)
    return [f"#undef {n}" for n in (*names, "BIT") if _UNDONE.fullmatch(n)]


def _judged(name: str, wanted: int | None, value: int | None, line: int, config: Assignment) -> Sighting:
    if wanted is None:
        message = "the copy defines it, and the header does not"
        return Sighting(_NAME, name, "known", config, "extra", COPY, line, message)
    if value is None:
        message = f"the header has it ({wanted:#x}), and the copy does not"
        return Sighting(_NAME, name, "known", config, "missing", COPY, 1, message)
    if value == wanted:
        return Sighting(_NAME, name, "value", config, file=COPY, line=line)
    problem = "guard" if not value or not wanted else "value"
    message = f"it is {value:#x} in the copy, and {wanted:#x} in the header"
    return Sighting(_NAME, name, "value", config, problem, COPY, line, message)
