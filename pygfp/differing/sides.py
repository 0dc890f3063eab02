# SPDX-License-Identifier: GPL-2.0-only
"""
The two opened kernels of a diff, as its parts look at them: configurations and flag tables of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from .matching import Correspondence, correspond

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..config import Assignment
    from ..flags import FlagTable
    from ..native.plan import HelperPlan, Meaning, SegmentPlan
    from ..native.session import Session
    from ..releases import Row

#: A sweep goes in blocks of this many bits.
_LEAST_BITS = 11
#: As many bits as a sweep can visit.
_MOST_BITS = 32


@dataclass
class Side:
    """
    One side of a diff.

    :ivar name: ``old`` or ``new``
    :ivar row: the known release that is nearest: which files its helpers are in
    """

    name: str
    session: Session
    row: Row
    _tables: dict[int, FlagTable] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What the user called the source."""
        return self.session.source.label

    @cached_property
    def plans(self) -> dict[str, HelperPlan]:
        """The helpers by name."""
        return {p.name: p for p in self.session.build.helpers}

    @cached_property
    def flag_symbols(self) -> list[str]:
        """The symbols that flags depend on."""
        return self.session.build.flag_symbols

    def segment(self, choice: Assignment, symbols: Iterable[str]) -> SegmentPlan | None:
        """Return what was compiled for *choice* as far as *symbols* go; None where nothing was, or could be."""
        wanted = {s: choice[s] for s in symbols if s in choice}
        found = self.session.segment(wanted)
        return None if found is None or found.error else found

    def table(self, choice: Assignment) -> FlagTable | None:
        """Return the flags in *choice*; None where that could not be built."""
        found = self.segment(choice, self.flag_symbols)
        return None if found is None else self.table_of(found)

    def table_of(self, segment: SegmentPlan) -> FlagTable:
        """Return the flags of *segment*."""
        if segment.index not in self._tables:
            self._tables[segment.index] = self.session.table(segment)
        return self._tables[segment.index]

    def has_file_of(self, name: str, path: str) -> bool:
        """Whether the source has the file that helper *name* would be in: *path*, or where its release has it."""
        files = self.session.source.files
        known = self.row.helper_files.get(name)
        return path in files and (known is None or any(f in files for f in known))


@dataclass
class Sides:
    """
    Both sides of a diff.

    :ivar full: every value of ``gfp_t``
    """

    old: Side
    new: Side
    full: bool = False
    _matches: dict[tuple[int, int], Correspondence] = field(default_factory=dict)

    @property
    def both(self) -> tuple[Side, Side]:
        """The two sides, the old one first."""
        return self.old, self.new

    @cached_property
    def n_bits(self) -> int:
        """Every input below ``2**n_bits`` counts: as many bits as any flag or shift of either side reaches."""
        width = min(*(s.session.build.gfp_t_bits for s in self.both), _MOST_BITS)
        if self.full:
            return width
        highest = _LEAST_BITS
        for side in self.both:
            for segment in side.session.build.segments:
                table = side.table_of(segment)
                highest = max([highest, table.bits_shift or 0, *(m.bit_length() for m in table.flags.values())])
        return min(highest, width)

    @property
    def domain(self) -> str:
        """The inputs in words."""
        widths = [side.session.build.gfp_t_bits for side in self.both]
        every = "every value of gfp_t" if max(widths) == self.n_bits else f"every value below 2^{self.n_bits} of gfp_t"
        return f"{every if self.full else 'every value of the defined bits'} (2^{self.n_bits} inputs)"

    @cached_property
    def flag_symbols(self) -> list[str]:
        """The symbols that flags of either side depend on."""
        return sorted({*self.old.flag_symbols, *self.new.flag_symbols})

    def choices(self, symbols: Iterable[str]) -> list[Assignment]:
        """Return the judged combinations of *symbols*."""
        return self.new.session.choices(sorted(set(symbols)))

    def with_flags(self, choice: Assignment) -> Assignment:
        """Return *choice* with every other symbol that flags depend on, on where it may be: most flags are seen so."""
        selection, word_bits = self.new.session.selection, self.new.session.build.word_bits
        return {**{s: selection.values(s, word_bits)[-1] for s in self.flag_symbols}, **choice}

    def match(self, old: FlagTable, new: FlagTable) -> Correspondence:
        """Return what the bits of two tables of the two sides have to do with each other."""
        key = id(old), id(new)
        if key not in self._matches:
            self._matches[key] = correspond(old, new, self.n_bits)
        return self._matches[key]

    def matched(self, choice: Assignment) -> Correspondence | None:
        """Return how the flags of both sides match in *choice*; None where a side could not be built."""
        full = self.with_flags(choice)
        old, new = self.old.table(full), self.new.table(full)
        return self.match(old, new) if old and new else None


def meaning_in(plan: HelperPlan, choice: Assignment) -> Meaning | None:
    """Return the meaning that *plan* has in *choice*; None where it has none."""
    return next((m for m in plan.meanings if any(c.items() <= choice.items() for c in m.configs)), None)


def home(plan: HelperPlan, choice: Assignment) -> int | None:
    """Return the segment that *plan* has its meaning in for *choice*; None where it has none."""
    meaning = meaning_in(plan, choice)
    return None if meaning is None else meaning.segment
