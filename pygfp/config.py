# SPDX-License-Identifier: GPL-2.0-only
"""
CONFIG symbols: which ones a meaning depends on, which combinations exist, and ``.config`` files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import combinations, islice, product
from typing import TYPE_CHECKING

from .errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from .scan import Definition

#: A value for each CONFIG symbol in play.
Assignment = dict[str, bool]

#: Symbols that Kconfig ties to a word size, in bits.
WORD_SIZE = {"CONFIG_HIGHMEM": 32, "CONFIG_ZONE_DMA32": 64}

#: More symbols than this behind one meaning, and it is refused rather than sampled.
MAX_SYMBOLS = 8

# What the build computes from the zones of each configuration, as the kernel's bounds.h does.
_COMPUTED = {"MAX_NR_ZONES": "__MAX_NR_ZONES", "ZONES_SHIFT": "__MAX_NR_ZONES"}

_SETTING = re.compile(r"(CONFIG_\w+)=(\S*)\Z")
_ON = re.compile(r"^(CONFIG_\w+)=y[^\S\n]*$", re.MULTILINE)


@dataclass(frozen=True)
class Selection:
    """
    The configurations that a user asked for.

    :ivar fixed: symbols with a given value (``--set``, or every symbol of a ``.config``)
    :ivar complete: a ``.config`` was given: a symbol that it does not name is off
    """

    fixed: Mapping[str, bool] = field(default_factory=dict)
    complete: bool = False

    def values(self, symbol: str, word_bits: int) -> tuple[bool, ...]:
        """Return the values of *symbol* that are judged on a machine with *word_bits*-bit words."""
        if symbol in self.fixed:
            return (self.fixed[symbol],)
        if self.complete or WORD_SIZE.get(symbol, word_bits) != word_bits:
            return (False,)
        return (False, True)


def parse_settings(settings: Sequence[str], option: str = "--set") -> dict[str, bool]:
    """
    Return the values that ``CONFIG_X=y|n`` *settings* give.

    >>> parse_settings(["CONFIG_LOCKDEP=y"])
    {'CONFIG_LOCKDEP': True}

    :param option: where they were given, for messages
    :raises UsageError: for anything else, or one symbol with two values
    """
    fixed: dict[str, bool] = {}
    for setting in settings:
        match = _SETTING.match(setting)
        if not match or match.group(2) not in {"y", "n"}:
            message = f"{option} {setting}: expected CONFIG_NAME=y or CONFIG_NAME=n"
            raise UsageError(message)
        value = match.group(2) == "y"
        if fixed.setdefault(match.group(1), value) != value:
            message = f"{option} {match.group(1)} is given both as y and as n"
            raise UsageError(message)
    return fixed


def parse_dotconfig(text: str) -> dict[str, bool]:
    """Return the boolean symbols of a kernel ``.config``: ``y`` is on; ``m``, numbers and strings are no switch."""
    return dict.fromkeys(_ON.findall(text), True)


def read_dotconfig(path: Path, option: str) -> dict[str, bool]:
    """
    Return the boolean symbols that are on in the kernel ``.config`` file *path*.

    :param option: where the file was named, for messages
    :raises UsageError: it cannot be read, or is no ``.config``
    """
    from .outside import read_text  # noqa: PLC0415 - few runs read a .config

    text = read_text(path, option)
    if not re.search(r"^(?:# )?CONFIG_\w+[= ]", text, re.MULTILINE) or "\0" in text:
        message = f"{option} {path}: expected a kernel .config, text with CONFIG_ lines, and found none"
        raise UsageError(message)
    return parse_dotconfig(text)


def dependencies(definitions: Sequence[Definition]) -> Closure:
    """Return the map from any name to the CONFIG symbols that its meaning may depend on."""
    uses: dict[str, set[str]] = {}
    plain: dict[str, set[str]] = {}
    for definition in definitions:
        if definition.kind != "made":
            uses.setdefault(definition.name, set()).update(definition.uses)
            plain.setdefault(definition.kind, set()).add(definition.name)
    known = set(uses)
    for definition in definitions:
        if definition.kind == "made" and definition.name not in known:
            uses.setdefault(definition.name, set()).update(definition.uses)
    _add_listed(uses, plain.get("enumerator", set()) & plain.get("macro", set()))
    _add_glued(uses)
    for name, behind in _COMPUTED.items():
        uses.setdefault(name, set()).add(behind)
    return Closure(uses)


def _add_listed(uses: dict[str, set[str]], lists: Iterable[str]) -> None:
    """Add what stands behind enumerators that a macro lists: the parser takes the macro for one of them."""
    known = set(uses)
    for name in lists:
        for listed in Closure(uses).names([name]) - known:
            uses.setdefault(listed, set()).update(uses[name] | {name})


def _add_glued(uses: dict[str, set[str]]) -> None:
    """Add to each name the names that it may glue together, from its patterns and the words that stand in the text."""
    patterns = {n for names in uses.values() for n in names if "##" in n}
    if not patterns:
        return
    words = {*uses, *(n for names in uses.values() for n in names)}
    found = {p: _glueable(p, words) for p in patterns}
    for names in uses.values():
        names.update(*(found[p] for p in names & patterns))


def _glueable(pattern: str, words: set[str]) -> set[str]:
    """The *words* that are another of them between what the *pattern* glues to it."""
    start, _, end = pattern.partition("##")
    fit = {w for w in words if w.startswith(start) and w.endswith(end)}
    return {w for w in fit if w.removeprefix(start).removesuffix(end) in words}


@dataclass(frozen=True)
class Closure:
    """
    Which CONFIG symbols stand behind a name, through macros, enumerators, functions and conditions.

    An over-approximation by design: a symbol too many costs time, and equal texts are merged later.
    """

    uses: Mapping[str, set[str]]

    def names(self, start: Iterable[str]) -> set[str]:
        """Return every name that can be reached from *start*."""
        seen: set[str] = set()
        todo = list(start)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend(self.uses.get(name, ()))
        return seen

    def symbols(self, *start: str) -> tuple[str, ...]:
        """Return the CONFIG symbols behind *start*, sorted."""
        found = (n for n in self.names(start) if n.startswith("CONFIG_"))
        # What is glued to a name that comes from elsewhere is no symbol.
        return tuple(sorted(n for n in found if n not in {"CONFIG_", "CONFIG_##"}))


def assignments(symbols: Sequence[str], selection: Selection, word_bits: int) -> list[Assignment]:
    """
    Return every judged combination of *symbols*, all off first.

    :raises UsageError: more than MAX_SYMBOLS of them are free
    """
    choices = [selection.values(s, word_bits) for s in symbols]
    free = sum(len(c) > 1 for c in choices)
    if free > MAX_SYMBOLS:
        names = ", ".join(s for s, c in zip(symbols, choices, strict=True) if len(c) > 1)
        message = f"{free} CONFIG symbols stand behind one meaning ({names}); fix some of them with --set or --config"
        raise UsageError(message)
    return [dict(zip(symbols, values, strict=True)) for values in product(*choices)]


def unreachable(symbols: Iterable[str], selection: Selection, word_bits: int) -> list[str]:
    """Return the symbols that are left off because Kconfig ties them to another word size."""
    return [
        s
        for s in sorted(set(symbols))
        if WORD_SIZE.get(s, word_bits) != word_bits and s not in selection.fixed and not selection.complete
    ]


def cover(wanted: Iterable[Assignment]) -> list[Assignment]:
    """
    Return few assignments such that each of *wanted* is part of one.

    Meanings that share no symbol are built together, so that 4 flag configurations and 8 zone
    configurations make 8 builds and not 32. Which ones: any two symbols are to be seen on and off together.

    >>> cover([{"A": False}, {"A": True}, {"B": False}, {"B": True}])
    [{'A': False, 'B': False}, {'A': True, 'B': True}]
    """
    todo = sorted(wanted, key=len, reverse=True)
    packed: list[Assignment] = []
    pairs = _Pairs({s for one in todo for s in one})
    for one in todo:
        if any(one.items() <= p.items() for p in packed):
            continue
        homes = [p for p in packed if all(p.get(s, v) == v for s, v in one.items())]
        home = max(homes, key=lambda p: len(pairs.unseen(p, one)), default=None)
        if home is None:
            packed.append(home := {})
        pairs.seen |= pairs.unseen(home, one)
        home.update(one)
    return packed


def spread(rows: Iterable[Assignment], free: Mapping[str, Sequence[bool]]) -> list[Assignment]:
    """
    Return *rows* with a value for each of the symbols *free* that it has none for.

    Chosen such that any two symbols are seen on and off together, as far as there are rows for it: on in halves of the
    rows that have one row in common, so that no two of them are disjoint, alike, or all rows.

    >>> spread([{"A": False}, {"A": True}], {"A": (False, True), "B": (False, True), "C": (False,)})
    [{'A': False, 'B': False, 'C': False}, {'A': True, 'B': True, 'C': False}]

    :param free: the values that a symbol may have
    """
    filled = [dict(row) for row in rows]
    last = len(filled) - 1
    halves = [{*half, last} for half in islice(combinations(range(last), max(len(filled) // 2 - 1, 0)), _MOST_HALVES)]
    columns: list[list[bool]] = []
    for number, symbol in enumerate(sorted(free, key=lambda s: (-sum(s in row for row in filled), s))):
        options = [
            [row.get(symbol, free[symbol][-1 if n in half else 0]) for n, row in enumerate(filled)] for half in halves
        ]
        if len(free) > _MOST_PAIRED:
            column = options[number % len(options)]
        else:
            column = max(options, key=lambda one: sum(len(set(zip(one, other, strict=True))) for other in columns))
        columns.append(column)
        for row, value in zip(filled, column, strict=True):
            row[symbol] = value
    return filled


#: With more symbols than this pairs are not looked at: no header of a kernel has so many.
_MOST_PAIRED = 48
#: So many ways to be on in half of the rows are tried.
_MOST_HALVES = 64
_Pair = tuple[tuple[str, bool], ...]


class _Pairs:
    """Which values of two symbols have been seen together."""

    def __init__(self, symbols: Collection[str]) -> None:
        self.seen: set[_Pair] = set()
        self._counts = len(symbols) <= _MOST_PAIRED

    def unseen(self, row: Assignment, more: Assignment) -> set[_Pair]:
        """Return what is not seen yet of *row* together with *more*, and of *more*."""
        if not self._counts:
            return set()
        items = {**row, **more}.items()
        return {tuple(sorted((one, other))) for one in more.items() for other in items if one != other} - self.seen


def slug(assignment: Assignment) -> str:
    """
    Return *assignment* as part of a check id: the symbols that are on, or ``none``.

    >>> slug({"CONFIG_LOCKDEP": True, "CONFIG_NUMA": False}), slug({"CONFIG_NUMA": False}), slug({})
    ('LOCKDEP', 'none', '')
    """
    if not assignment:
        return ""
    return "-".join(s.removeprefix("CONFIG_") for s, on in sorted(assignment.items()) if on) or "none"
