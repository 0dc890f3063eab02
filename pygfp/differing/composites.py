# SPDX-License-Identifier: GPL-2.0-only
"""
What an edit does to composites: every mask of several flags, flag by flag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import Change, Problem
from ..model.masks import is_mask
from .matching import merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import Assignment
    from ..flags import FlagTable
    from .found import Found
    from .matching import Correspondence
    from .sides import Side, Sides

_BITS_MASK = "__GFP_BITS_MASK"

_ABSENT, _PRESENT = "absent", "present"


def compare(sides: Sides, wanted: Callable[[str], bool], found: Found) -> None:
    """Add what changes about composites to *found*."""
    for name in names_of(sides):
        if wanted(name):
            _compare(sides, name, found)
    for name in _no_constants(sides):
        if wanted(name):
            _compare_broken(sides, name, found)


def _no_constants(sides: Sides) -> list[str]:
    """The names of masks that do not compile, on a side at least, and that neither side has a value for."""
    known = {n for side in sides.both for s in side.session.build.segments for n in side.table_of(s).masks}
    broken = dict.fromkeys(n for side in (sides.new, sides.old) for n in side.session.build.broken if is_mask(n))
    return [n for n in broken if n not in known]


def _compare_broken(sides: Sides, name: str, found: Found) -> None:
    old, new = (side.session.build.broken.get(name) for side in sides.both)
    place = sides.new.session.build.places.get(name, (None, None))
    if new and old:
        found.problems.append(Problem(name, f"{name} compiles on neither side: {new}", *place))
    elif new:
        change = Change(name, "composite", "broken", f"new, and no constant: {new}", file=place[0], line=place[1])
        found.changes.append(change)
        found.compared.append(name)


def names_of(sides: Sides) -> list[str]:
    """Return every ``GFP_*`` mask, and every ``__GFP_*`` name of several flags, of either side."""
    masks: dict[str, None] = {}
    lone, several = set(), {_BITS_MASK}
    for side in (sides.new, sides.old):
        for segment in side.session.build.segments:
            table = side.table_of(segment)
            masks |= {n: None for n in table.masks if is_mask(n)}
            lone |= set(table.flags)
            several |= {n for n in table.masks if is_union(n, table)}
    wide = {n for n in masks if n not in lone and any(_bits(side, n) > 1 for side in sides.both)}
    return [n for n in masks if not n.startswith("_") or n in several or n in wide]


def _bits(side: Side, name: str) -> int:
    return max((side.table_of(s).masks.get(name, 0).bit_count() for s in side.session.build.segments), default=0)


def is_union(name: str, table: FlagTable) -> bool:
    """
    Return whether *name* is several bits, each of which another name is.

    >>> from pygfp.flags import FlagTable
    >>> table = FlagTable({"__GFP_A": 1, "__GFP_B": 2, "__GFP_AB": 3, "__GFP_WIDE": 6})
    >>> [name for name in table.masks if is_union(name, table)]
    ['__GFP_AB']
    """
    mask = table.masks[name]
    others = sum({bit for other, bit in table.flags.items() if other != name})
    return mask.bit_count() > 1 and not mask & ~others


def _defines(side: Side, name: str) -> bool:
    return any(name in s.constants and s.constants[name].is_gfp_t for s in side.session.build.segments)


def _compare(sides: Sides, name: str, found: Found) -> None:
    found.compared.append(name)
    there = [_defines(side, name) for side in sides.both]
    side = sides.new if there[1] else sides.old
    file, line = side.session.build.places.get(name, (None, None))
    if not all(there):
        path = file or ""
        other = sides.old if there[1] else sides.new
        if path and path not in other.session.source.files:
            found.notes.append(f"{name} is not compared: {other.label} lacks {path}")
            return
        if name in other.session.build.places:
            found.changes.append(Change(name, "composite", *untyped(there[1]), file=file, line=line))
            return
        text = _alone(side, name) if there[1] else f"removed; {side.label} has it in {path}"
        found.changes.append(Change(name, "composite", "added" if there[1] else "removed", text, file=file, line=line))
        return
    every = sides.choices([*_symbols(sides.old, name), *_symbols(sides.new, name)])
    differing = [(choice, change) for choice in every if (change := _difference(sides, name, choice))]
    if differing:
        flags, words = merged([(choice, flags) for choice, flags in differing], every)
        signs = {"absent -> present": "+ ", "present -> absent": "- "}
        text = "; ".join(_signed(part, signs) for part in words)
        configs = tuple(choice for choice, _ in differing)
        found.changes.append(
            Change(name, "composite", "changed", text, "", configs[0], configs, 1, 1, flags, None, file, line)
        )


def untyped(is_now: bool) -> tuple[str, str]:  # noqa: FBT001 - of the two sides, the new one
    """Return how a name changes, and the words for it, that both sides define and one of them as no mask."""
    if is_now:
        return "changed", "a constant of type gfp_t now; it was none"
    return "broken", "no constant of type gfp_t any more: it does not compile, or has another type"


def _signed(words: str, signs: dict[str, str]) -> str:
    """``__GFP_IO absent -> present`` as ``+ __GFP_IO``."""
    for change, sign in signs.items():
        if f" {change}" in words:
            return sign + words.replace(f" {change}", "", 1)
    return words


def _symbols(side: Side, name: str) -> list[str]:
    return side.session.build.constant_symbols.get(name, [])


def _alone(side: Side, name: str) -> str:
    """A composite that is new: what is in it, where most flags exist."""
    best = max(
        (s for s in side.session.build.segments if name in s.constants),
        key=lambda s: s.constants[name].value.bit_count(),
    )
    return f"added: {'|'.join(side.table_of(best).names(best.constants[name].value)) or '0'}"


def _difference(sides: Sides, name: str, choice: Assignment) -> dict[str, str]:
    """What is in the composite on one side only, in one configuration."""
    full = sides.with_flags(choice)
    segments = []
    for side in sides.both:
        symbols = _symbols(side, name)
        segments.append(side.segment(full, {*symbols, *side.flag_symbols}) or side.segment(choice, symbols))
    old, new = segments
    if old is None or new is None:
        return {}  # not buildable: said elsewhere
    if name not in old.constants or name not in new.constants:
        there = {True: _PRESENT, False: _ABSENT}
        change = f"{there[name in old.constants]} -> {there[name in new.constants]}"
        return {} if (name in old.constants) == (name in new.constants) else {name: change}
    match = sides.match(sides.old.table_of(old), sides.new.table_of(new))
    was, now = (_members(match, s.constants[name].value, i, name) for i, s in enumerate((old, new)))
    found = {label: f"{_ABSENT} -> {_PRESENT}" for label in now if label not in was}
    return found | {label: f"{_PRESENT} -> {_ABSENT}" for label in was if label not in now}


def _members(match: Correspondence, value: int, side: int, name: str) -> dict[str, None]:
    """The flags, and bits without a flag, that are in *value* on one side (0 old, 1 new)."""
    alone = match.only_new if side else match.only_old
    found = {label: None for pair, label in zip(match.pairs, match.labels, strict=True) if value >> pair[side] & 1}
    if name == _BITS_MASK:
        # That it has room for a flag of its own side, or for more holes, is what the layout says.
        return {label: None for label in found if not label.startswith("0x")} | _stray(value)
    found |= {flag: None for flag, bit in alone.items() if value >> bit & 1}
    known = {pair[side] for pair in match.pairs} | set(alone.values())
    rest = sum(1 << bit for bit in range(value.bit_length()) if value >> bit & 1 and bit not in known)
    return found | ({f"{rest:#x}": None} if rest else {})


def _stray(value: int) -> dict[str, None]:
    """Whether a mask of all bits has a hole of its own."""
    return {} if value & (value + 1) == 0 else {"every bit below the highest": None}
