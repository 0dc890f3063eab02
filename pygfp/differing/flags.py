# SPDX-License-Identifier: GPL-2.0-only
"""
What an edit does to single flags: they come, go, move to another bit, or exist in other configurations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..changes import Change
from .composites import names_of, untyped
from .matching import when

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config import Assignment
    from .found import Found
    from .sides import Side, Sides


def compare(sides: Sides, found: Found) -> None:
    """Add what changes about flags to *found*."""
    every = sides.choices(sides.flag_symbols)
    every = [c for c in every if sides.old.table(c) and sides.new.table(c)]
    for name in _names(sides):
        found.changes += _Flag(sides, name, every).changes()
        found.compared.append(name)


def _names(sides: Sides) -> list[str]:
    """Every name that is a single bit on either side, in some configuration, and a union of others nowhere."""
    names: dict[str, None] = {}
    for side in (sides.new, sides.old):
        for segment in side.session.build.segments:
            names |= dict.fromkeys(side.table_of(segment).flags)
    several = set(names_of(sides))
    return [n for n in names if n not in several]


@dataclass
class _Flag:
    """A flag on both sides, in every configuration that both can be built in."""

    sides: Sides
    name: str
    every: list[Assignment]

    @cached_property
    def old(self) -> list[int]:
        """Its mask in each configuration, before; 0 where it is off or not defined."""
        return self._masks(self.sides.old)

    @cached_property
    def new(self) -> list[int]:
        """The same after."""
        return self._masks(self.sides.new)

    def _masks(self, side: Side) -> list[int]:
        return [t.masks.get(self.name, 0) if (t := side.table(c)) else 0 for c in self.every]

    def _is_defined(self, side: Side) -> bool:
        return any(self.name in side.table_of(s).masks for s in side.session.build.segments)

    def changes(self) -> Iterator[Change]:
        """What an edit does to it."""
        there = [self._is_defined(side) for side in self.sides.both]
        if not all(there) and self.name in self.sides.both[there.index(False)].session.build.places:
            way, text = untyped(there[1])
            yield self._change("flag", way, text, [n for n, pair in enumerate(self._pairs()) if any(pair)])
            return
        if not all(there):
            yield self._lone("added" if there[1] else "removed", self.new if there[1] else self.old)
            return
        yield from self._wide()
        yield from self._guard()
        yield from self._moved()

    def _change(self, kind: str, way: str, text: str, where: list[int], **more: Any) -> Change:  # noqa: ANN401 - fields
        side = self.sides.new if self._is_defined(self.sides.new) else self.sides.old
        file, line = side.session.build.places.get(self.name, (None, None))
        configs = tuple(self.every[n] for n in where)
        config = configs[0] if configs else {}
        return Change(self.name, kind, way, text, config=config, configs=configs, file=file, line=line, **more)

    def _when(self, where: list[int], among: list[int] | None = None) -> str:
        every = self.every if among is None else [self.every[n] for n in among]
        return when([self.every[n] for n in where], every) if where else ""

    def _lone(self, way: str, masks: list[int]) -> Change:
        where = [n for n, mask in enumerate(masks) if mask]
        bits = sorted({mask.bit_length() - 1 for mask in masks if mask})
        place = f"bit {' or '.join(map(str, bits))}" if bits else "always 0"
        return self._change("flag", way, f"{way}, {place} {self._when(where)}".rstrip(), where)

    def _wide(self) -> Iterator[Change]:
        """It is no single bit any more, or was none."""
        where = [
            n for n, pair in enumerate(self._pairs()) if pair[0] != pair[1] and max(m.bit_count() for m in pair) > 1
        ]
        if where:
            text = f"{self.old[where[0]]:#x} -> {self.new[where[0]]:#x}, not a single bit {self._when(where)}".rstrip()
            yield self._change("flag", "changed", text, where, aspect="value", flags={self.name: text})

    def _pairs(self) -> list[tuple[int, int]]:
        return list(zip(self.old, self.new, strict=True))

    def _guard(self) -> Iterator[Change]:
        where = [n for n, (old, new) in enumerate(self._pairs()) if bool(old) != bool(new)]
        if where:
            text = f"exists {self._exists(self.old)} -> exists {self._exists(self.new)}"
            yield self._change("config", "changed", text, where, aspect="guard", flags={self.name: text})

    def _exists(self, masks: list[int]) -> str:
        there = [n for n, mask in enumerate(masks) if mask]
        return (self._when(there) or "always") if there else "never"

    def _moved(self) -> Iterator[Change]:
        single = [n for n, pair in enumerate(self._pairs()) if all(m.bit_count() == 1 for m in pair)]
        moves: dict[str, list[int]] = {}
        for n in single:
            old, new = self.old[n].bit_length() - 1, self.new[n].bit_length() - 1
            if old != new:
                moves.setdefault(f"bit {old} -> {new}", []).append(n)
        if moves:
            text = "; ".join(f"{move} {self._when(where, single)}".rstrip() for move, where in moves.items())
            where = sorted(n for configs in moves.values() for n in configs)
            yield self._change("flag", "moved", text, where, flags={self.name: text})
