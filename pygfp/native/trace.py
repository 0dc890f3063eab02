# SPDX-License-Identifier: GPL-2.0-only
"""
What the kernel's own tables call each flag, and in which order they are tried: from the tree's trace header.

``%pGg`` and trace events use two tables that share most of their text; in some releases the second has more names.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import config
from ..errors import BuildError
from ..refuse import refuse
from ..sources import csrc
from . import attempt, compiler
from .cache import Cache, builder_digest, scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ..config import Assignment
    from ..releases import Row
    from ..sources import Source

#: Where a tree has its tables.
TABLE = "include/trace/events/mmflags.h"

#: The macros that a table is made from: what ``%pGg`` prints with, and what trace events print with.
PRINTK, TRACEPOINT = "__def_gfpflag_names", "show_gfp_flags"

# How a trace header makes an enumerator's value known to those that read its events.
_ENUM = "TRACE_DEFINE_ENUM"

# What the order of a header is kept as.
_KEPT = "order.json"

_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]", re.MULTILINE)
_GUARD = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+_H_?)[ \t]*$", re.MULTILINE)
_ENTRY = re.compile(r'\{([^{}]*),\s*"([^"]*)"\s*\}')


@dataclass(frozen=True)
class Entry:
    """
    A row of a table.

    :ivar name: what is printed
    :ivar expression: C text of the mask that it stands for
    """

    name: str
    expression: str


@dataclass(frozen=True)
class NameTables:
    """
    The tables of one configuration, rows in the order in which they are tried.

    :ivar enums: the enumerators whose values trace events tell their readers
    """

    printk: tuple[Entry, ...]
    tracepoint: tuple[Entry, ...]
    enums: frozenset[str] = frozenset()


def trace_order(source: Source, row: Row, symbols: Sequence[str]) -> tuple[Sequence[str], list[str]]:
    """
    Return the names in printing order, and what a user should know of where they come from.

    A tree without the table prints in the order of its reference row. A flag that a tree's own table
    lacks prints as hex, as it does in that kernel.

    :param symbols: CONFIG symbols to switch on, so that no name is left out
    """
    if TABLE not in source.files:
        return row.trace_names, []
    header, cache = source.files[TABLE], Cache()
    try:
        key = _key(header, symbols)
        order = cache.recall(key, _KEPT) if key else None
        complaints = [cache.complaint] if cache.complaint else []
        if order is None:
            found = name_tables(header, [dict.fromkeys(symbols, True)])
            if found is None:
                return row.trace_names, [f"{TABLE} cannot be preprocessed; masks print in the order of {row.name}"]
            order = list(dict.fromkeys(e.name for e in found[0].printk))
            cache.remember(key, _KEPT, order)
    finally:
        cache.close()
    return order, complaints


def _key(header: bytes, symbols: Sequence[str]) -> str:
    """The name in the cache of the order that *header* prints in; ``""`` where there is no compiler to read it."""
    try:
        identity = compiler.find().identity
    except BuildError:
        return ""
    shim = (csrc() / "shim/pygfp/compiler.h").read_text()
    parts = ["order", builder_digest(), hashlib.sha256(header).hexdigest(), repr(sorted(symbols)), identity, shim]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def symbols(header: bytes) -> tuple[str, ...]:
    """Return the CONFIG symbols that the tables in *header* depend on."""
    from ..scan import scan  # noqa: PLC0415 - what is known already needs no parser

    return config.dependencies(scan(TABLE, header).definitions).symbols(PRINTK, TRACEPOINT)


def name_tables(
    header: bytes,
    choices: Sequence[Assignment],
    on_command: Callable[[str], None] | None = None,
    *,
    printk: str = PRINTK,
) -> list[NameTables] | None:
    """
    Return the tables in *header* for each of *choices*; None where it cannot be preprocessed or has none.

    :param printk: the C text that the table of ``%pGg`` is made from
    :raises ExtractionError: the header holds something that is never compiled
    """
    refuse(TABLE, header)
    with scratch() as workdir:
        write_stubs(header, workdir)
        (workdir / "mmflags.h").write_bytes(header)
        (workdir / "trace.c").write_text(_unit(header, choices, printk))
        arguments = ["-E", "-P", "-w", "-Istub", *compiler.SEMANTIC_FLAGS, *attempt.include_flags(), "trace.c"]
        try:
            command = compiler.find().command
            if on_command:
                on_command(" ".join([*command, *arguments]))
            done = compiler.run(command, arguments, cwd=workdir)
        except BuildError:
            return None
    texts = re.split(r"\bpygfp_(?:printk|tracepoint)\b", done.stdout)
    # Behind the last table of a configuration the text of the next one begins.
    enums = [frozenset(re.findall(r"\bpygfp_enum (\w+)", text)) for text in texts[:-1:2]]
    rows = [tuple(Entry(n, e.strip()) for e, n in _ENTRY.findall(text)) for text in texts[1:]]
    found = [NameTables(*table) for table in zip(rows[::2], rows[1::2], enums, strict=False)]
    usable = done.ok and len(found) == len(choices) and all(t.printk for t in found)
    return found if usable else None


def write_stubs(header: bytes, workdir: Path) -> None:
    """Write an empty file for everything that *header* includes below ``stub/`` in *workdir*."""
    root = (workdir / "stub").resolve()
    for include in _INCLUDE.findall(header):
        # What can be the name of no file stays away: the compiler misses it, and says so.
        with suppress(OSError, ValueError):
            target = (root / include.decode(errors="replace")).resolve()
            if target.is_relative_to(root):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text("")


def _unit(header: bytes, choices: Sequence[Assignment], printk: str) -> str:
    guards = [f"#undef {guard.decode()}" for guard in _GUARD.findall(header)]
    lines = ["#include <pygfp/compiler.h>"]
    for choice in choices:
        lines += [f"#define {symbol} 1" for symbol, on in choice.items() if on]
        lines += [f"#define {_ENUM}(name) pygfp_enum name", '#include "mmflags.h"']
        lines += [f"pygfp_printk {printk}", f"pygfp_tracepoint {TRACEPOINT}(pygfp_flags)"]
        lines += [*guards, *(f"#undef {symbol}" for symbol in choice)]
    return "\n".join(lines) + "\n"
