# SPDX-License-Identifier: GPL-2.0-only
"""
Forms: the few shapes that the meaning of a helper has, as masks and numbers.

A form says what a helper answers for every input. The model lowers its declarations to forms, the sweep
compares compiled C with one, and a mined form is one that was read off compiled C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Outcome(NamedTuple):
    """
    What a helper is seen to do with one input.

    :ivar value: what it returns, as unsigned; means nothing after BUG
    :ivar bug: a BUG fired
    :ivar warned: a WARN fired; not looked at after BUG
    """

    value: int
    bug: bool = False
    warned: bool = False

    def agrees(self, other: Outcome) -> bool:
        """Whether both are the same as far as they mean something."""
        if self.bug or other.bug:
            return self.bug == other.bug
        return self.value == other.value and self.warned == other.warned


@dataclass(frozen=True)
class MaskFilter:
    """
    ``(x & keep) | force``.

    >>> hex(MaskFilter(keep=0xf0, force=0x1).outcome(0xff).value)
    '0xf1'
    """

    keep: int
    force: int

    def outcome(self, x: int) -> Outcome:
        """Return what the form answers for *x*."""
        return Outcome((x & self.keep) | self.force)


@dataclass(frozen=True)
class MaskTable:
    """
    A table over a few input bits; every other bit changes nothing.

    :ivar bits: 0-based input bits that select a row, lowest row bit first
    :ivar rows: ``2**len(bits)`` outcomes
    """

    bits: tuple[int, ...]
    rows: tuple[Outcome, ...]

    def outcome(self, x: int) -> Outcome:
        """Return what the form answers for *x*."""
        return self.rows[self.index(x)]

    def index(self, x: int) -> int:
        """Return the row that *x* selects."""
        return sum((x >> bit & 1) << n for n, bit in enumerate(self.bits))

    def input(self, index: int) -> int:
        """Return the smallest input that selects row *index*."""
        return sum(1 << bit for n, bit in enumerate(self.bits) if index >> n & 1)

    def any_of(self) -> int | None:
        """Return the mask of which one bit makes it true, if that is what the table says."""
        plain = all(not r.bug and not r.warned for r in self.rows)
        if plain and all(r.value == (1 if n else 0) for n, r in enumerate(self.rows)):
            return self.input(len(self.rows) - 1)
        return None


Form = MaskFilter | MaskTable

#: A table that looks at more bits than this is not laid out to be compared with another one.
_MOST_INDEX_BITS = 12


class Departure(NamedTuple):
    """
    On which inputs two forms part.

    :ivar n_inputs: how many
    :ivar first: the lowest; None where they agree on all
    :ivar smallest: the one with the fewest bits, the lowest of these
    """

    n_inputs: int
    first: int | None = None
    smallest: int | None = None


def departure(one: Form, other: Form, n_bits: int) -> Departure | None:
    """
    Return on which inputs below ``2**n_bits`` two forms part; None where that takes more than a little arithmetic.

    >>> departure(MaskFilter(keep=0x6, force=0), MaskFilter(keep=0x4, force=0), 3)
    Departure(n_inputs=4, first=2, smallest=2)
    """
    if isinstance(one, MaskFilter) and isinstance(other, MaskFilter):
        return _part_filters(one, other, n_bits)
    if isinstance(one, MaskTable) and isinstance(other, MaskTable):
        return _part_tables(one, other, n_bits)
    return None


def _part_filters(one: MaskFilter, other: MaskFilter, n_bits: int) -> Departure:
    # Bit by bit: kept against dropped parts where it is set, kept against forced where it is not.
    below = (1 << n_bits) - 1
    forced = one.force ^ other.force
    kept = (one.keep & ~one.force) ^ (other.keep & ~other.force)
    always, unset, when_set = forced & ~kept | forced & ~below, forced & kept & below, kept & ~forced & below
    total = 1 << n_bits
    if always:
        return Departure(total, 0, 0)
    count = total - (total >> (unset | when_set).bit_count())
    if unset:
        return Departure(count, 0, 0)
    lowest = when_set & -when_set
    return Departure(count, lowest, lowest) if when_set else Departure(0)


def _part_tables(one: MaskTable, other: MaskTable, n_bits: int) -> Departure | None:
    bits = sorted({*one.bits, *other.bits})
    if len(bits) > _MOST_INDEX_BITS or (bits and bits[-1] >= n_bits):
        return None
    laid_out = MaskTable(tuple(bits), (Outcome(0),))
    inputs = [laid_out.input(n) for n in range(1 << len(bits))]
    apart = [x for x in inputs if not one.outcome(x).agrees(other.outcome(x))]
    if not apart:
        return Departure(0)
    return Departure(len(apart) << (n_bits - len(bits)), apart[0], min(apart, key=lambda x: (x.bit_count(), x)))
