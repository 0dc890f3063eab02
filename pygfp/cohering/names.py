# SPDX-License-Identifier: GPL-2.0-only
"""
The name tables of mmflags.h against the header, as ``%pGg`` and as trace events use them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tree_sitter_c
from tree_sitter import Language, Parser

from ..errors import BuildError
from ..native import trace
from ..native.evaluate import Group, evaluate
from .texts import DEBUG
from .values import Sighting, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tree_sitter import Node

    from ..config import Assignment
    from ..flags import FlagTable
    from ..native.trace import Entry, NameTables

_ARRAY = b"gfpflag_names"
_NAME = re.compile(r"_{0,3}GFP_\w+")
_TITLES = {
    "printk": "the table of %pGg",
    "tracepoint": "the table of trace events",
}


def initializer(text: bytes, array: bytes) -> tuple[str, int] | None:
    """Return what stands between the braces of *array* in the C file *text*, and its 1-based line; None without it."""
    for node in _declarators(Parser(Language(tree_sitter_c.language())).parse(text).root_node):
        name, value = node.child_by_field_name("declarator"), node.child_by_field_name("value")
        said = text[name.start_byte : name.end_byte] if name is not None else b""
        if value is not None and value.type == "initializer_list" and re.search(rb"\b%s\b" % re.escape(array), said):
            inside = text[value.start_byte + 1 : value.end_byte - 1]
            return inside.decode(errors="replace"), node.start_point[0] + 1
    return None


def _declarators(node: Node) -> Iterator[Node]:
    if node.type == "init_declarator":
        yield node
    elif node.type != "function_definition":
        for child in node.children:
            yield from _declarators(child)


def compare(
    header: bytes,
    debug: bytes | None,
    tables: Sequence[tuple[Assignment, FlagTable]],
    enumerators: Mapping[str, set[str]],
    on_command: Callable[[str], None] | None = None,
) -> tuple[list[Table], list[Sighting], list[str]]:
    """
    Return the tables, what was asked of them, and what a user should know.

    :param header: ``include/trace/events/mmflags.h``
    :param debug: ``mm/debug.c``, which holds the array of ``%pGg``; None where the tree lacks it
    :param tables: the flags of the header in every configuration
    :param enumerators: for each flag the enumerators that its definition names
    """
    printk, notes = _printk(debug)
    found = trace.name_tables(header, [a for a, _ in tables], on_command, printk=printk)
    if found is None:
        error = "it cannot be preprocessed, or has no table"
        return [Table(n, t, trace.TABLE, error=error) for n, t in _TITLES.items()], [], notes
    lines = _Lines(header)
    values = _values(found, tables, on_command)
    anywhere = {kind: _named_anywhere(values[kind], tables) for kind in _TITLES}
    every = {name for _, table in tables for name in table.masks}
    sightings: list[Sighting] = []
    for n, ((config, table), one) in enumerate(zip(tables, found, strict=True)):
        for kind, rows in (("printk", one.printk), ("tracepoint", one.tracepoint)):
            side = _Side(kind, rows, values[kind][n], config, table, anywhere[kind], every, lines)
            sightings += [*_flags(side), *_rows(side)]
        sightings += _enums(one, config, table, enumerators, lines)
    counts = {kind: max(len(getattr(one, kind)) for one in found) for kind in _TITLES}
    made = [Table(kind, title, trace.TABLE, rows=counts[kind]) for kind, title in _TITLES.items()]
    return [*made, _enum_table(found, enumerators)], sightings, notes


def _printk(debug: bytes | None) -> tuple[str, list[str]]:
    """The C text of the array of %pGg."""
    found = initializer(debug, _ARRAY) if debug is not None else None
    if found:
        return " ".join(found[0].split()), []
    missing = f"{DEBUG} is not in this source"
    if debug is not None:
        missing = f"{DEBUG} has no array {_ARRAY.decode()} that can be read"
    return trace.PRINTK, [f"{missing}; the table of %pGg is taken to be {trace.PRINTK}"]


class _Lines:
    """Where names stand in the table's file."""

    def __init__(self, header: bytes) -> None:
        self._lines = header.decode(errors="replace").splitlines()
        starts = {"printk": rf"#\s*define\s+{trace.PRINTK}\b", "tracepoint": rf"#\s*define\s+{trace.TRACEPOINT}\b"}
        starts["enums"] = r"\bTRACE_DEFINE_ENUM\b"
        self.start = {kind: self._first(pattern) for kind, pattern in starts.items()}

    def _first(self, pattern: str, start: int = 0) -> int:
        return next((n for n, line in enumerate(self._lines[start:], start + 1) if re.search(pattern, line)), 0)

    def of(self, name: str, kind: str) -> int:
        short = re.sub(r"^_*GFP_", "", name)
        inside = rf"\b{re.escape(name)}\b|\bTRACE_GFP_EM\(\s*{re.escape(short)}\s*\)"
        return self._first(inside, self.start["printk"] - 1) or self.start[kind] or 1


def _named_anywhere(values: list[list[int | None]], tables: Sequence[tuple[Assignment, FlagTable]]) -> set[str]:
    """The flags that a table has a row for in some configuration."""
    pairs = zip(values, tables, strict=True)
    return {flag for masks, (_, table) in pairs for flag, mask in table.flags.items() if mask in masks}


@dataclass(frozen=True)
class _Side:
    """
    One table in one configuration.

    :ivar values: the mask of each row
    :ivar elsewhere: the flags that it names in any configuration
    :ivar every: every name that the header defines in any configuration
    """

    kind: str
    rows: Sequence[Entry]
    values: Sequence[int | None]
    config: Assignment
    table: FlagTable
    elsewhere: set[str]
    every: set[str]
    lines: _Lines

    def sighting(self, flag: str, aspect: str, problem: str = "", message: str = "") -> Sighting:
        """Return an answer about *flag*, at its row, or where the table begins if it lacks one."""
        line = self.lines.start[self.kind] or 1 if problem == "missing" else self.lines.of(flag, self.kind)
        said = f"{_TITLES[self.kind]} {message}" if message else ""
        return Sighting(self.kind, flag, aspect, self.config, problem, trace.TABLE, line, said)


def _flags(side: _Side) -> Iterator[Sighting]:
    """Every flag that is set has a row, under its name or that of a composite with its value."""
    named = {v for v in side.values if v}
    for flag, mask in side.table.flags.items():
        if mask in named:
            yield side.sighting(flag, "named")
        elif flag in side.elsewhere:
            yield side.sighting(flag, "named", "guard", "names it in other configurations, and not where it is set")
        else:
            yield side.sighting(flag, "named", "missing", "has no name for it: it prints as hex")


def _rows(side: _Side) -> Iterator[Sighting]:
    """Every row is of a name that the header has, with its value, where it is set, and once."""
    names = [row.name for row in side.rows]
    for name, value in zip(names, side.values, strict=True):
        if name not in side.every:
            yield side.sighting(name, "known", "extra", "names it, and the header does not define it")
            continue
        yield side.sighting(name, "known")
        wanted = side.table.masks.get(name, 0)
        shown = "nothing that is known here" if value is None else f"{value:#x}"
        right, idle, twice = value == wanted, not wanted, names.count(name) > 1
        yield side.sighting(
            name, "value", *(() if right else ("value", f"has it for {shown}, and the header has {wanted:#x}"))
        )
        yield side.sighting(name, "guarded", *(("guard", _IDLE) if idle else ()))
        yield side.sighting(name, "unique", *(("ambiguous", f"has it {names.count(name)} times") if twice else ()))


_IDLE = "has it where the header has it off: a name without bits, printed for every mask"


def _values(
    found: Sequence[NameTables],
    tables: Sequence[tuple[Assignment, FlagTable]],
    on_command: Callable[[str], None] | None,
) -> dict[str, list[list[int | None]]]:
    """The mask of each row in each configuration; None for a row whose text is no constant there."""
    values = {}
    for kind in _TITLES:
        rows: list[Sequence[Entry]] = [getattr(one, kind) for one in found]
        try:
            values[kind] = _masks(rows, tables, frozenset(), on_command)
        except BuildError:
            # One row that does not compile must not keep the others from being compared.
            texts = dict.fromkeys(row.expression for one in rows for row in one)
            refused = frozenset(t for t in texts if not _compiles(t, rows, tables, on_command))
            values[kind] = _masks(rows, tables, refused, on_command)
    return values


def _compiles(
    text: str,
    rows: Sequence[Sequence[Entry]],
    tables: Sequence[tuple[Assignment, FlagTable]],
    on_command: Callable[[str], None] | None,
) -> bool:
    only = [[row for row in one if row.expression == text] for one in rows]
    try:
        _masks(only, tables, frozenset(), on_command)
    except BuildError:
        return False
    return True


def _masks(
    rows: Sequence[Sequence[Entry]],
    tables: Sequence[tuple[Assignment, FlagTable]],
    refused: frozenset[str],
    on_command: Callable[[str], None] | None,
) -> list[list[int | None]]:
    """The C text of each row evaluated with the header's constants for the names in it."""
    groups, usable = [], []
    for (_, table), one in zip(tables, rows, strict=True):
        masks = {**{f"_{n}": m for n, m in table.masks.items() if n.startswith("__")}, **table.masks}
        fit = [set(_NAME.findall(r.expression)) <= set(masks) and r.expression not in refused for r in one]
        used = sorted({n for row in one for n in _NAME.findall(row.expression) if n in masks})
        expressions = [(row.expression, "") for row, ok in zip(one, fit, strict=True) if ok]
        groups.append(Group([f"#define {n} {masks[n]:#x}UL" for n in used], expressions, [f"#undef {n}" for n in used]))
        usable.append(fit)
    found = []
    for fit, answer in zip(usable, evaluate(groups, {}, on_command=on_command), strict=True):
        ready = iter(answer)
        found.append([next(ready) if ok else None for ok in fit])
    return found


def _enum_table(found: Sequence[NameTables], enumerators: Mapping[str, set[str]]) -> Table:
    absent = "" if any(enumerators.values()) else "the header's flags are no enumerators"
    rows = max((len(one.enums) for one in found), default=0)
    return Table("enums", "what trace events tell of the header's enumerators", trace.TABLE, rows=rows, absent=absent)


def _enums(
    one: NameTables, config: Assignment, table: FlagTable, enumerators: Mapping[str, set[str]], lines: _Lines
) -> Iterator[Sighting]:
    for flag in table.flags:
        needed = enumerators.get(flag, set())
        if not needed:
            continue
        missing = sorted(needed - one.enums)
        line = lines.of(flag, "enums") if not missing else lines.start["enums"] or lines.start["tracepoint"] or 1
        message = (
            f"trace events name it by {', '.join(missing)}, whose value they do not tell: tools cannot decode it"
            if missing
            else ""
        )
        problem = "missing" if missing else ""
        yield Sighting("enums", flag, "named", config, problem, trace.TABLE, line, message)
